//! Lines of the log, and the ids that requests have in them.

use axum::body::Body;
use axum::http::Method;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::ChildStderr;
use tokio::time::timeout;

use crate::http_client::send;
use crate::program::{address, strata};
use crate::support::{PATIENCE, request, start};

#[tokio::test]
async fn an_answer_carries_the_id_of_its_request_or_a_new_one() {
    let running = start(|_| {}).await;
    let ask = async |id: Option<&str>, path: &str| {
        let asked = request(Method::GET, path);
        let asked = match id {
            Some(id) => asked.header("x-request-id", id),
            None => asked,
        };
        let answer = running.ask(asked.body(Body::empty()).unwrap()).await;
        answer.header("x-request-id").to_owned()
    };
    for path in ["/healthz", "/demo/users/1", "/no/such/path", "/nodes"] {
        assert_eq!(ask(Some("abc-1.2_3"), path).await, "abc-1.2_3", "{path}");
    }
    let (first, second) = (ask(None, "/healthz").await, ask(None, "/healthz").await);
    assert_eq!(first.len(), 16);
    assert_ne!(first, second);
    for odd in ["a b", "\"x\"", &"x".repeat(500)] {
        assert_eq!(ask(Some(odd), "/healthz").await.len(), 16, "{odd}");
    }
}

async fn line_with(lines: &mut Lines<BufReader<ChildStderr>>, text: &str) -> String {
    let found = async {
        loop {
            let line = lines.next_line().await.unwrap().unwrap();
            if line.contains(text) {
                return line;
            }
        }
    };
    timeout(PATIENCE, found).await.unwrap()
}

#[tokio::test]
async fn a_log_for_programs_is_an_object_a_line_with_the_request_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let options = ["--redis-url", "off", "--log-format", "json"];
    let mut program = strata(dir.path(), &options);
    let mut child = program.env("STRATA_LOG", "strata_server=debug").spawn().unwrap();
    let address = address(&mut child).await;
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let asked = format!(
        "GET /demo/users/7?x=secret HTTP/1.1\r\nhost: {address}\r\nx-request-id: id-7\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(asked.as_bytes()).await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
    let line = line_with(&mut lines, "answered").await;
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["span"]["path"], "/demo/users/7", "{line}");
    assert_eq!(line["span"]["id"], "id-7", "{line}");
    assert!(!line.to_string().contains("secret"), "{line}");
}

#[tokio::test]
async fn the_last_words_of_a_program_that_cannot_start_are_an_object_too() {
    let dir = tempfile::tempdir().unwrap();
    let options = ["--once", "--log-format", "json"];
    let output = timeout(PATIENCE, strata(dir.path(), &options).output()).await.unwrap().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    let last: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert!(last["message"].as_str().unwrap().contains("--once"), "{last}");
}

#[tokio::test]
async fn at_no_level_does_the_log_tell_a_query_a_token_or_a_session() {
    let dir = tempfile::tempdir().unwrap();
    let options = ["--redis-url", "off", "--operator-token", "s3same"];
    let mut child = strata(dir.path(), &options).env("STRATA_LOG", "trace").spawn().unwrap();
    let address = address(&mut child).await;
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let reading = tokio::spawn(async move {
        let mut text = Vec::new();
        log.read_to_end(&mut text).await.unwrap();
        String::from_utf8_lossy(&text).into_owned()
    });
    let more = "authorization: Bearer s3same\r\ncookie: strata_session_1=s3same\r\n";
    for line in [
        "GET /login?token=s3same",
        "GET /api/v1/caches/users/keys?pattern=s3same",
        "DELETE /api/v1/caches/users/key?key=7&x=s3same",
        "POST /api/strata/log_in?x=s3same",
    ] {
        send(&address, line, more, "").await;
        send(&address, line, "origin: http://evil.test\r\n", "").await;
    }
    child.start_kill().unwrap();
    let text = timeout(PATIENCE, reading).await.unwrap().unwrap();
    assert!(text.contains("DEBUG") && text.contains("/login"), "{text}");
    let leak = text.lines().find(|line| line.contains("s3same"));
    assert_eq!(leak, None);
}
