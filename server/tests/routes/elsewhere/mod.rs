//! `strata serve` as a process, over real processes of a service and a real Redis.

mod away;
mod bad_input;
mod demo_processes;
mod front;
mod pod;
mod processes;
mod services;
mod several_redis;
mod strange_data;
mod thousand;

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::program::address;

const OPERATOR: &str = "a-token-of-operators";

/// A running program with a dashboard.
struct Dashboard {
    address: String,
    /// Where the paths of the one service begin that a test is about.
    base: &'static str,
    /// Killed with this.
    child: Child,
}

impl Dashboard {
    /// `strata serve`, and the dashboard of the pods' service once there is one, where it is named.
    async fn start(options: &[&str]) -> Self {
        let dashboard = Self { base: "/s/shop", ..Self::start_front(options).await };
        if options.contains(&"--namespace") {
            until("the service is watched", async || {
                dashboard.ask("GET", "/api/v1/session", None).await.0 != 503
            })
            .await;
        }
        dashboard
    }

    /// `strata serve`.
    async fn start_front(options: &[&str]) -> Self {
        let given = std::env::var_os("STRATA_SOAK_PROGRAM");
        let built = || env!("CARGO_BIN_EXE_strata").into();
        let mut command = Command::new(given.unwrap_or_else(built));
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let address = address(&mut child).await;
        // A base path stands after it.
        let address = address.split('/').next().unwrap().to_owned();
        Self { address, base: "", child }
    }

    /// Status and body.
    async fn ask(&self, method: &str, path: &str, token: Option<&str>) -> (u16, String) {
        let token = token.map(|token| format!("authorization: Bearer {token}\r\n"));
        let path = format!("{}{path}", self.base);
        let (head, body) = self.send(method, &path, &token.unwrap_or_default()).await;
        (status_of(&head), body)
    }

    /// Head and body, of a path of the program.
    async fn send(&self, method: &str, path: &str, headers: &str) -> (String, String) {
        self.send_from(Ipv4Addr::LOCALHOST, (method, path), headers).await
    }

    /// The same from another address of this machine.
    async fn send_from(
        &self,
        from: Ipv4Addr,
        (method, path): (&str, &str),
        headers: &str,
    ) -> (String, String) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let mut stream = socket.connect(self.address.parse().unwrap()).await.unwrap();
        let asked = format!(
            "{method} {path} HTTP/1.0\r\nhost: {}\r\n{headers}connection: close\r\n\r\n",
            self.address
        );
        stream.write_all(asked.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_lowercase(), body.to_owned())
    }

    async fn page(&self, path: &str) -> String {
        let (status, body) = self.ask("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.page(path).await).unwrap()
    }

    async fn rows(&self) -> Value {
        self.json("/api/v1/nodes/rows").await
    }

    async fn has_alert(&self, lint: &str) -> bool {
        self.has_alert_that_says(&format!("\"{lint}\"")).await
    }

    async fn has_alert_that_says(&self, what: &str) -> bool {
        self.json("/api/v1/alerts").await.to_string().contains(what)
    }

    /// Until so many nodes are in the sums.
    async fn until_counted(&self, counted: u64, of: u64) {
        until("the sums say of how many they are", async || {
            // Until it knows of the service there is no such path.
            let (status, rows) = self.ask("GET", "/api/v1/nodes/rows", None).await;
            let rows: Value = serde_json::from_str(&rows).unwrap_or_default();
            assert!(matches!(status, 200 | 404), "{status} {rows}");
            (rows["fleet"]["counted"].as_u64(), rows["fleet"]["of"].as_u64())
                == (Some(counted), Some(of))
        })
        .await;
    }
}

fn status_of(head: &str) -> u16 {
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

/// The row of a node; null where there is none.
fn row<'a>(rows: &'a Value, node: &str) -> &'a Value {
    let found = rows["nodes"].as_array().unwrap().iter().find(|row| row["node"] == node);
    found.unwrap_or(&Value::Null)
}

/// Asks again and again until it holds, for a minute.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        sleep(Duration::from_millis(100)).await;
    }
}
