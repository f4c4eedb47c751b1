//! How the program ends, and where it finds its private Redis.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use strata_testing::RedisServer;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::private_redis::kill;
use crate::program::{address, get, strata};
use crate::support::PATIENCE;

/// Waits until the program's log says so.
async fn until_logged(child: &mut Child, text: &str) {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = async { while !lines.next_line().await.unwrap().unwrap().contains(text) {} };
    timeout(PATIENCE, said).await.unwrap();
}

/// A request that has begun and does not go on by itself.
async fn begun_request(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/v1/caches/users/plans HTTP/1.1\r\nhost: {address}\r\n\
         content-type: application/json\r\ncontent-length: 15\r\nexpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");
    stream
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    for (first, second) in [("-TERM", "-INT"), ("-HUP", "-HUP")] {
        let dir = tempfile::tempdir().unwrap();
        let mut child = strata(dir.path(), &["--redis-url", "off"]).spawn().unwrap();
        let address = address(&mut child).await;
        let _begun = begun_request(&address).await;
        let pid = child.id().unwrap();
        kill(first, pid);
        until_logged(&mut child, "stopping").await;
        kill(second, pid);
        let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(130), "{first} {second}");
    }
}

#[tokio::test]
async fn a_hangup_that_is_ignored_a_broken_pipe_and_a_file_that_may_not_grow_end_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let program = strata(dir.path(), &["--redis-url", "off"]);
    // As `nohup` does.
    let mut child = Command::new("sh")
        .args(["-c", r#"trap "" HUP; exec "$0" "$@""#])
        .arg(program.as_std().get_program())
        .args(program.as_std().get_args())
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let address = address(&mut child).await;
    for signal in ["-HUP", "-PIPE", "-XFSZ"] {
        kill(signal, child.id().unwrap());
        assert!(get(&address, "/readyz").await.starts_with("HTTP/1.1 200"), "{signal}");
    }
    kill("-TERM", child.id().unwrap());
    let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
}

async fn redis_is_up(address: &str) -> bool {
    get(address, "/readyz").await.contains(r#""private":true,"pid":"#)
}

#[tokio::test]
async fn a_long_or_odd_place_for_temporary_files_does_not_cost_redis() {
    for name in ["x".repeat(90), "a#b".to_owned(), "feature%2Fx".to_owned()] {
        let dir = tempfile::tempdir().unwrap();
        let odd = dir.path().join(&name);
        std::fs::create_dir(&odd).unwrap();
        let mut child = strata(dir.path(), &[]).env("TMPDIR", &odd).spawn().unwrap();
        let address = address(&mut child).await;
        let up = async {
            while !get(&address, "/readyz").await.contains(r#""state":"up""#) {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, up).await.unwrap();
        kill("-TERM", child.id().unwrap());
        timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    }
}

/// A program of this name that stands first on the PATH.
fn fake(dir: &Path, name: &str, script: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", dir.display(), std::env::var("PATH").unwrap())
}

#[tokio::test]
async fn a_setpriv_that_cannot_end_redis_with_the_program_is_done_without() {
    let dir = tempfile::tempdir().unwrap();
    let path = fake(dir.path(), "setpriv", "echo unrecognized option >&2; exit 1");
    let mut child = strata(dir.path(), &[]).env("PATH", path).spawn().unwrap();
    let address = address(&mut child).await;
    assert!(redis_is_up(&address).await);
    kill("-TERM", child.id().unwrap());
    timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_redis_that_ends_at_once_is_told_with_its_own_words() {
    let dir = tempfile::tempdir().unwrap();
    let path = fake(dir.path(), "redis-server", "echo no such directive >&2; exit 3");
    let mut child = strata(dir.path(), &[]).env("PATH", path).spawn().unwrap();
    let address = address(&mut child).await;
    assert!(get(&address, "/demo/users/1").await.starts_with("HTTP/1.1 200"));
    child.start_kill().unwrap();
    let said = child.wait_with_output().await.unwrap().stderr;
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("no such directive") && said.contains("exit status: 3"), "{said}");
}

#[tokio::test]
async fn it_listens_on_localhost_and_on_a_port_alone() {
    let dir = tempfile::tempdir().unwrap();
    for listen in ["localhost:0", ":0", "0"] {
        let options = ["--redis-url", "off"];
        let mut program = strata(dir.path(), &options);
        // The last of an option that is given twice would be an error.
        let arguments: Vec<_> = program.as_std().get_args().map(ToOwned::to_owned).collect();
        let arguments = arguments.into_iter().map(|argument| match argument == "127.0.0.1:0" {
            true => listen.into(),
            false => argument,
        });
        let mut again = Command::new(program.as_std().get_program());
        again.args(arguments).current_dir(dir.path()).stdout(Stdio::piped()).kill_on_drop(true);
        program = again;
        let mut child = program.spawn().unwrap();
        let address = address(&mut child).await;
        assert!(address.starts_with("127.0.0.1:"), "{listen}: {address}");
        assert!(get(&address, "/healthz").await.starts_with("HTTP/1.1 200"), "{listen}");
        child.kill().await.unwrap();
    }
}

#[tokio::test]
async fn a_program_that_is_stopped_while_it_invalidates_has_the_beginning_and_the_end_in_its_trail()
{
    let dir = tempfile::tempdir().unwrap();
    let redis = RedisServer::start().await;
    let url = redis.url();
    let fill = "for n = 1, 300000 do redis.call('SET', '{strata-demo}:users:' .. n, 'x') end";
    redis.cli(&["EVAL", fill, "0"]).await;
    let mut child = strata(dir.path(), &["--redis-url", &url]).spawn().unwrap();
    let address = address(&mut child).await;
    let up = async {
        while !get(&address, "/readyz").await.contains(r#""bus_connected":true"#) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, up).await.unwrap();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let asked = format!(
        "POST /api/v1/caches/users/invalidations HTTP/1.1\r\nhost: {address}\r\n\
         content-type: application/json\r\ncontent-length: 15\r\n\r\n{{\"pattern\":\"*\"}}"
    );
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 202");
    kill("-TERM", child.id().unwrap());
    let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
    let trail = redis.cli(&["XRANGE", "{strata-demo}!journal:audit", "-", "+"]).await;
    let lines: Vec<_> = trail.lines().filter(|line| line.contains("invalidate_pattern")).collect();
    assert_eq!(lines.len(), 2, "{trail}");
    assert!(lines[0].contains("Begun: "), "{trail}");
    let is_end =
        |line: &str| ["Done: ", "Cancelled: ", "Given up: "].iter().any(|e| line.contains(e));
    assert!(is_end(lines[1]), "{trail}");
}
