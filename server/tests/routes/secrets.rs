//! Secrets are printed nowhere: not in the help, errors, logs, pages or answers.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};

use axum::body::Body;
use axum::http::{Method, header};
use strata_cache::{Cache, Node};
use strata_server::{PrivateRedis, RedisChoice};
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::{PATIENCE, request, start, tokens};

const SECRET: &str = "s3same";

/// Arguments, variables, and the option that is refused.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

/// Runs the built program to its end.
pub(crate) async fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_strata"));
    command.args(arguments).envs(variables.iter().copied()).current_dir(dir.path());
    command.stdin(Stdio::null()).kill_on_drop(true);
    timeout(PATIENCE, command.output()).await.unwrap().unwrap()
}

pub(crate) fn printed(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

#[tokio::test]
async fn the_help_shows_no_secret_that_stands_in_a_variable() {
    let url = format!("redis://:{SECRET}@127.0.0.1");
    let variables = [
        ("STRATA_REDIS_URL", url.as_str()),
        ("STRATA_OPERATOR_TOKEN", SECRET),
        ("STRATA_VIEWER_TOKEN", SECRET),
    ];
    for command in ["demo", "doctor", "purge"] {
        let help = run(&[command, "--help"], &variables).await;
        let text = printed(&help);
        assert!(help.status.success() && text.contains("--redis-url-file"), "{text}");
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[tokio::test]
async fn an_option_that_is_refused_names_itself_and_no_secret() {
    let url = format!("http://:{SECRET}@127.0.0.1");
    let cases: [Case<'_>; 5] = [
        (&["demo", "--redis-url", &url], &[], "--redis-url"),
        (&["demo"], &[("STRATA_REDIS_URL", &url)], "--redis-url"),
        (&["demo", "--operator-token", "s3same;x"], &[], "--operator-token"),
        (&["demo"], &[("STRATA_VIEWER_TOKEN", "s3same ümlaut")], "--viewer-token"),
        (&["demo"], &[("STRATA_OPERATOR_TOKEN", " \n")], "--operator-token"),
    ];
    for (arguments, variables, option) in cases {
        let refused = run(arguments, variables).await;
        let text = printed(&refused);
        assert!(!refused.status.success() && text.contains(option), "{arguments:?} {text}");
        assert!(!text.contains(SECRET), "{arguments:?} {text}");
    }
}

#[tokio::test]
async fn neither_tokens_nor_the_password_of_redis_appear_in_what_the_program_shows() {
    let running = start(|settings| {
        settings.operators = tokens(&format!("anna:{SECRET}"));
        // Nobody listens there, so that it fails.
        settings.redis = RedisChoice::Url(format!("redis://:{SECRET}@127.0.0.1:1/0"));
    })
    .await;
    for path in [
        "/",
        "/redis",
        "/nodes",
        "/activity",
        "/login",
        "/readyz",
        "/metrics",
        "/api/v1/redis",
        "/api/v1/nodes",
        "/api/v1/alerts",
        "/api/v1/audit",
        "/api/v1/audit?format=csv",
        "/api/v1/session",
        "/api/v1/caches",
    ] {
        let asked = request(Method::GET, path)
            .header(header::AUTHORIZATION, format!("Bearer {SECRET}"))
            .body(Body::empty());
        let answer = running.ask(asked.unwrap()).await;
        assert!(!answer.text().contains(SECRET), "{path} {}", answer.text());
    }
}

#[tokio::test]
async fn a_purge_removes_what_is_left_of_one_namespace_once_it_is_confirmed() {
    let redis = PrivateRedis::start().await.unwrap();
    let fill = async |namespace: &str| {
        let node = Node::builder(namespace).redis_url(&redis.url()).start().await.unwrap();
        while node.report().l2.breaker_open {
            tokio::task::yield_now().await;
        }
        let cache: Cache<String, String> = Cache::builder("users").build(&node).unwrap();
        cache.insert(&"1".to_owned(), "Ada".to_owned()).await;
        node.shutdown();
        node
    };
    let (_killed, kept) = (fill("lab-killed").await, fill("shop").await);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("redis");
    fs::write(&file, redis.url()).unwrap();
    let file = file.to_str().unwrap();
    let purge = ["purge", "--redis-url-file", file, "--namespace", "lab-killed"];
    let asked = run(&purge, &[]).await;
    assert!(!asked.status.success());
    assert!(printed(&asked).contains("--yes"), "{}", printed(&asked));
    let confirmed = [&purge[..], &["--yes"]].concat();
    let done = printed(&run(&confirmed, &[]).await);
    assert!(done.contains("keys were removed") && !done.starts_with("0 "), "{done}");
    let again = printed(&run(&confirmed, &[]).await);
    assert!(again.lines().any(|line| line.ends_with("keys were removed.")), "{again}");
    assert!(kept.erase_namespace().await.unwrap() > 0, "another namespace is left alone");
    redis.stop().await;
}

#[tokio::test]
async fn a_purge_refuses_while_nodes_use_the_namespace_unless_it_is_told_to() {
    let redis = PrivateRedis::start().await.unwrap();
    let node = Node::builder("shop").redis_url(&redis.url()).start().await.unwrap();
    while node.report().l2.breaker_open {
        tokio::task::yield_now().await;
    }
    let cache: Cache<String, String> = Cache::builder("users").build(&node).unwrap();
    cache.insert(&"1".to_owned(), "Ada".to_owned()).await;
    let url = redis.url();
    let purge = ["purge", "--redis-url", &url, "--namespace", "shop", "--yes"];
    let refused = run(&purge, &[]).await;
    let text = printed(&refused);
    assert!(!refused.status.success() && text.contains("--while-in-use"), "{text}");
    assert!(node.look_l2("users", "1").await.unwrap().is_some(), "nothing was removed");
    let told = run(&[&purge[..], &["--while-in-use"]].concat(), &[]).await;
    assert!(told.status.success(), "{}", printed(&told));
    node.shutdown();
    redis.stop().await;
}

#[tokio::test]
async fn a_file_of_a_secret_that_cannot_be_one_ends_it_and_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let huge = dir.path().join("huge");
    // Holes take no room, and reading all of it would take all memory.
    fs::File::create(&huge).unwrap().set_len(1 << 36).unwrap();
    let files = [
        (dir.path().join("nosuch").to_str().unwrap().to_owned(), "No such file"),
        (dir.path().to_str().unwrap().to_owned(), "directory"),
        (write("empty", b""), ""),
        (write("blank", b" \n\n"), ""),
        (write("bytes", b"s3same\xff\xfe"), "UTF-8"),
        (huge.to_str().unwrap().to_owned(), "more than 65536 bytes"),
        ("/dev/zero".to_owned(), "more than 65536 bytes"),
    ];
    for option in ["--operator-token-file", "--viewer-token-file", "--redis-url-file"] {
        for (file, why) in &files {
            let refused = run(&["demo", option, file], &[]).await;
            let text = printed(&refused);
            assert!(!refused.status.success() && text.contains(option), "{file}: {text}");
            assert!(text.contains(why) && !text.contains(SECRET), "{file}: {text}");
        }
    }
}

#[tokio::test]
async fn a_file_of_a_secret_that_everybody_can_read_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tokens");
    for (mode, is_told) in [(0o644, true), (0o640, false), (0o600, false)] {
        fs::write(&file, "\u{feff}anna:s3same\r\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        // Ends it after the file was read.
        let path = file.to_str().unwrap();
        let ended = run(&["demo", "--operator-token-file", path, "--nodes", "0"], &[]).await;
        let text = printed(&ended);
        assert!(text.contains("--nodes") || text.contains("nodes"), "{text}");
        assert_eq!(text.contains("everybody on this machine"), is_told, "{mode:o}: {text}");
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[tokio::test]
async fn a_file_of_settings_that_holds_a_token_and_that_everybody_can_read_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("strata.toml");
    let token = "operator-token = \"anna:s3same\"\n";
    for (mode, text, is_told) in [(0o644, token, true), (0o600, token, false), (0o644, "", false)] {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let path = file.to_str().unwrap();
        // Ends it after the file was read.
        let ended = run(&["demo", "--config", path, "--nodes", "0"], &[]).await;
        let printed = printed(&ended);
        assert!(printed.contains("nodes"), "{printed}");
        assert_eq!(printed.contains("everybody on this machine"), is_told, "{mode:o}: {printed}");
        assert_eq!(printed.contains("--operator-token"), is_told, "{printed}");
        assert!(!printed.contains(SECRET), "{printed}");
    }
}
