//! Requests to a program, over a connection each.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::support::PATIENCE;

/// What came back, as text.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    /// In small letters.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Sends `line`, which is a method and a path, with more headers and a body.
pub(crate) async fn send(address: &str, line: &str, headers: &str, body: &str) -> Said {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let asked = format!(
        "{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\
         content-type: application/json\r\n{headers}\r\n{body}"
    );
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Said { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// Reads a path of the demo on one of its nodes.
pub(crate) async fn read_on(address: &str, node: u8, path: &str) -> Said {
    send(address, &format!("GET {path}"), &format!("x-strata-node: {node}\r\n"), "").await
}

/// Asks again and again until it holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let all = async {
        while !holds().await {
            sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    // A minute: a set clock is measured anew within one.
    let waited = timeout(PATIENCE * 3, all).await;
    assert!(waited.is_ok(), "{what}: not within a minute");
}
