//! Secrets are printed nowhere: not in the help, errors, logs, pages or answers.

use std::fs;
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
async fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_strata"));
    command.args(arguments).envs(variables.iter().copied()).current_dir(dir.path());
    command.stdin(Stdio::null()).kill_on_drop(true);
    timeout(PATIENCE, command.output()).await.unwrap().unwrap()
}

fn printed(output: &Output) -> String {
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
    for command in ["demo", "purge"] {
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
