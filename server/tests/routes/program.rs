use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::private_redis::{is_alive, kill};
use crate::support::{PATIENCE, skipped};

/// Where each program finds room of its own.
const ANY_PORT: &str = "127.0.0.1:0";

/// The built program with options that suit a test, in a directory of its own.
pub(crate) fn strata(dir: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strata"));
    command
        .args(["demo", "--listen", ANY_PORT, "--users", "50", "--traffic", "off"])
        .args(options)
        .current_dir(dir)
        // What a killed program leaves behind goes with the directory.
        .env("TMPDIR", dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Waits for the line that says where it listens.
pub(crate) async fn address(child: &mut Child) -> String {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    line.strip_prefix("Strata is at http://").unwrap().to_owned()
}

pub(crate) async fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let asked = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

pub(crate) async fn redis_pid(address: &str) -> u32 {
    let ready = get(address, "/readyz").await;
    let pid = ready.split("\"pid\":").nth(1).unwrap();
    pid.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn it_stops_at_a_signal_and_takes_its_redis_along() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let dir = tempfile::tempdir().unwrap();
        let mut child = strata(dir.path(), &[]).spawn().unwrap();
        let address = address(&mut child).await;
        let redis = redis_pid(&address).await;
        assert!(is_alive(redis));
        // An open stream must not keep it.
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let asked = format!("GET /events HTTP/1.1\r\nhost: {address}\r\n\r\n");
        stream.write_all(asked.as_bytes()).await.unwrap();
        let mut first = [0; 64];
        stream.read_exact(&mut first).await.unwrap();
        kill(signal, child.id().unwrap());
        let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
        assert!(status.success(), "{signal}: {status}");
        assert!(!is_alive(redis), "{signal}");
        let names = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = names.filter(|name| name.to_string_lossy().contains("redis")).collect();
        assert!(left.is_empty(), "{signal}: {left:?}");
    }
}

#[tokio::test]
async fn its_redis_goes_away_even_when_it_is_killed() {
    if !["/usr/bin/setpriv", "/bin/setpriv"].iter().any(|path| Path::new(path).exists()) {
        skipped("setpriv is not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut child = strata(dir.path(), &[]).spawn().unwrap();
    let address = address(&mut child).await;
    let redis = redis_pid(&address).await;
    child.kill().await.unwrap();
    let gone = async {
        while is_alive(redis) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, gone).await.unwrap();
}

#[tokio::test]
async fn without_a_redis_server_it_says_so_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = strata(dir.path(), &[]).env("PATH", dir.path()).spawn().unwrap();
    let address = address(&mut child).await;
    assert!(get(&address, "/demo/users/1").await.starts_with("HTTP/1.1 200"));
    assert!(get(&address, "/readyz").await.contains(r#""state":"off""#));
    child.start_kill().unwrap();
    let said = child.wait_with_output().await.unwrap().stderr;
    let said = String::from_utf8_lossy(&said);
    assert_eq!(said.matches("redis-server").count(), 1, "one line says it: {said}");
}

#[tokio::test]
async fn a_trace_is_replayed_to_its_last_line_and_its_totals_add_up() {
    let dir = tempfile::tempdir().unwrap();
    let keys: Vec<String> = (0..500).map(|i| format!("k{}", i % 120)).collect();
    std::fs::write(dir.path().join("keys"), keys.join("\n") + "\n").unwrap();
    let program = strata(dir.path(), &["--trace", "keys", "--once"]).output();
    let output = timeout(PATIENCE, program).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("500"), "{said}");
}

#[tokio::test]
async fn a_trace_that_cannot_be_read_ends_the_program_with_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let program = strata(dir.path(), &["--trace", "nosuch", "--once", "--redis-url", "off"]);
    let output = timeout(PATIENCE, { program }.output()).await.unwrap().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("failed to"));
}

#[tokio::test]
async fn a_flag_comes_before_its_variable_and_the_variable_before_the_file() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("strata.toml"), "nodes = 2\n").unwrap();
    let cases: [(&[&str], Option<&str>, &str); 3] =
        [(&[], None, "2"), (&[], Some("3"), "3"), (&["--nodes", "1"], Some("3"), "1")];
    for (options, variable, newest) in cases {
        let options = [options, &["--redis-url", "off", "--config", "strata.toml"]].concat();
        let mut command = strata(dir.path(), &options);
        if let Some(variable) = variable {
            command.env("STRATA_NODES", variable);
        }
        let mut child = command.spawn().unwrap();
        let address = address(&mut child).await;
        let nodes = get(&address, "/api/v1/nodes").await;
        let n_nodes = nodes.matches("\"node\":").count();
        assert_eq!(n_nodes.to_string(), newest);
        child.kill().await.unwrap();
    }
}

#[tokio::test]
async fn options_that_make_no_sense_end_it_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let cases: [&[&str]; 5] = [
        &["--nodes", "17"],
        &["--redis-url", "localhost"],
        &["--operator-token", ""],
        &["--once"],
        &["--nosuch"],
    ];
    for options in cases {
        let output =
            timeout(PATIENCE, strata(dir.path(), options).output()).await.unwrap().unwrap();
        assert!(!output.status.success(), "{options:?}");
        assert!(!output.stderr.is_empty(), "{options:?}");
    }
}

#[test]
fn the_file_for_leptos_tools_names_the_folder_that_the_build_fills() {
    let file: toml::Table = include_str!("../../../Leptos.toml").parse().unwrap();
    let settings = &file["package"]["metadata"]["leptos"];
    let build = include_str!("../../../xtask/src/assets.rs");
    let named = |key: &str| settings[key].as_str().unwrap();
    for written in [
        format!("folder: {:?}", named("site-root")),
        format!("out_name({:?})", named("output-name")),
        format!(".join({:?})", named("site-pkg-dir")),
    ] {
        assert!(build.contains(&written), "{written}");
    }
}

#[tokio::test]
async fn nothing_is_read_from_the_folder_where_it_was_started() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["Leptos.toml", "strata.toml", "Cargo.toml"] {
        std::fs::write(dir.path().join(name), "[strata]\nnodes = 2\n").unwrap();
    }
    let mut child = strata(dir.path(), &["--redis-url", "off"]).spawn().unwrap();
    let address = address(&mut child).await;
    assert_eq!(get(&address, "/api/v1/nodes").await.matches("\"node\":").count(), 1);
    child.kill().await.unwrap();
}

#[tokio::test]
async fn a_file_of_settings_that_is_missing_or_wrong_ends_it_and_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("wrong.toml"), "users = 5\nnods = 2\n").unwrap();
    for (file, why) in
        [("nosuch.toml", "No such file"), ("wrong.toml", "`nods`"), (".", "directory")]
    {
        let program = strata(dir.path(), &["--config", file]).output();
        let output = timeout(PATIENCE, program).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(file) && said.contains(why), "{said}");
    }
}

#[tokio::test]
async fn a_variable_that_no_option_has_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut program = strata(dir.path(), &["--nodes", "0"]);
    program.env("STRATA_OPERATOR_TOKN", "s3same");
    let output = timeout(PATIENCE, program.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("STRATA_OPERATOR_TOKN") && !said.contains("s3same"), "{said}");
}

#[tokio::test]
async fn alone_in_an_empty_folder_its_pages_have_their_style_and_life() {
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let program = root.path().join("strata");
    // A copy of a debug build would take long.
    std::fs::hard_link(env!("CARGO_BIN_EXE_strata"), &program).unwrap();
    let model =
        strata(root.path(), &["--redis-url", "off", "--data-dir", root.path().to_str().unwrap()]);
    let mut command = Command::new(&program);
    command.args(model.as_std().get_args()).current_dir("/").env("TMPDIR", root.path());
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let address = address(&mut child).await;
    let page = get(&address, "/").await;
    let files: Vec<_> = page
        .split('"')
        // What is read here is text.
        .filter(|text| !text.ends_with(".wasm"))
        .filter(|text| text.starts_with("/pkg/") || text.starts_with("/scripts/"))
        .collect();
    assert!(!files.is_empty(), "{page}");
    assert_eq!(page.contains("/pkg/"), !page.contains("./dev assets"), "{page}");
    for path in files.into_iter().chain(["/favicon.svg"]) {
        let is_there = page.contains("/pkg/") || path.starts_with("/scripts/");
        let file = get(&address, path).await;
        assert!(!is_there || file.starts_with("HTTP/1.1 200"), "{path}: {file}");
    }
    child.kill().await.unwrap();
}

#[tokio::test]
async fn a_base_path_that_is_none_ends_it_at_once_and_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for path in ["cache", "/a//b", "/a?b", "//evil", "", "/keys"] {
        let mut program = strata(dir.path(), &["--base-path", path]);
        let output = timeout(PATIENCE, program.output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && output.stdout.is_empty(), "{said}");
        assert!(said.contains("--base-path") && said.contains(path), "{path}: {said}");
    }
}

/// The program with its outputs as the shell is told.
fn redirected(dir: &Path, redirections: &str, listen: &str) -> Command {
    let program = strata(dir, &["--redis-url", "off"]);
    let arguments = program.as_std().get_args();
    let arguments = arguments.map(|argument| match argument == ANY_PORT {
        true => listen.as_ref(),
        false => argument,
    });
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("exec \"$0\" \"$@\" {redirections}")])
        .arg(program.as_std().get_program())
        .args(arguments)
        .current_dir(dir)
        .env("TMPDIR", dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// It answers, and ends when it is told to.
async fn answers_and_stops(child: &mut Child, address: &str) {
    assert!(get(address, "/demo/users/1").await.starts_with("HTTP/1.1 200"));
    let page = timeout(PATIENCE, get(address, "/nodes")).await.unwrap();
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    kill("-TERM", child.id().unwrap());
    let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn a_log_that_is_closed_or_full_costs_lines_of_log_alone() {
    for redirections in ["2>&-", "2>/dev/full"] {
        let dir = tempfile::tempdir().unwrap();
        let mut child = redirected(dir.path(), redirections, ANY_PORT).spawn().unwrap();
        let address = address(&mut child).await;
        answers_and_stops(&mut child, &address).await;
    }
}

#[tokio::test]
async fn a_log_that_nobody_reads_holds_nobody_up() {
    let dir = tempfile::tempdir().unwrap();
    let mut program = strata(dir.path(), &["--redis-url", "off"]);
    let mut child = program.env("STRATA_LOG", "trace").spawn().unwrap();
    let address = address(&mut child).await;
    // Far more than a pipe holds.
    for _ in 0..200 {
        timeout(PATIENCE, get(&address, "/demo/users/1")).await.unwrap();
    }
    answers_and_stops(&mut child, &address).await;
}

#[tokio::test]
async fn without_any_output_it_runs_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let mut child = redirected(dir.path(), ">&- 2>&-", &address).spawn().unwrap();
    let listening = async {
        while TcpStream::connect(&address).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, listening).await.unwrap();
    answers_and_stops(&mut child, &address).await;
}
