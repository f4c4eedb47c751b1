use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::search;
use crate::program::address;

const TOKEN: &str = "the-soaks-own-token";

/// As many users as there are keys to search through.
const USERS: usize = 2_000;

/// The whole program with a token, so that a request without one is anonymous, and with warm
/// caches. It ends with this.
pub(super) struct Program {
    child: Child,
    pub(super) address: String,
}

/// A connection that is kept.
pub(super) struct Client {
    stream: TcpStream,
    address: String,
}

impl Program {
    /// Starts the program that `STRATA_SOAK_PROGRAM` names, as an absolute path, else the debug build.
    /// Has it do once what it will be asked for again and again: what that takes for
    /// good is no growth.
    pub(super) async fn start(dir: &Path) -> Self {
        let given = std::env::var_os("STRATA_SOAK_PROGRAM");
        let built = || env!("CARGO_BIN_EXE_strata").into();
        let mut command = Command::new(given.unwrap_or_else(built));
        command
            .args(["demo", "--listen", "127.0.0.1:0", "--traffic", "off"])
            .args(["--users", &USERS.to_string(), "--operator-token", TOKEN])
            .current_dir(dir)
            .env("TMPDIR", dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let address = address(&mut child).await;
        let program = Self { child, address };
        let mut client = program.client().await;
        for user in 0..USERS * 2 {
            client.read_user(user).await;
        }
        for n in 0..6 {
            search(program.address.clone(), n).await;
        }
        // What is to be found in the audit trail after the flood.
        let line = "DELETE /api/v1/caches/users/keys/1 HTTP/1.1";
        program.ask(line, &format!("authorization: Bearer {TOKEN}\r\n")).await;
        program
    }

    pub(super) async fn client(&self) -> Client {
        let stream = TcpStream::connect(&self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, address: self.address.clone() }
    }

    pub(super) async fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1"), "").await
    }

    pub(super) async fn get_as_operator(&self, path: &str) -> String {
        let token = format!("authorization: Bearer {TOKEN}\r\n");
        self.ask(&format!("GET {path} HTTP/1.1"), &token).await
    }

    async fn ask(&self, line: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let host = &self.address;
        let asked = format!("{line}\r\nhost: {host}\r\nconnection: close\r\n{headers}\r\n");
        stream.write_all(asked.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// A value of /metrics.
    pub(super) async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await;
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap().parse().unwrap()
    }

    /// Its resident memory, MB, as the kernel counts it.
    pub(super) fn resident(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id().unwrap());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1_024
    }
}

impl Client {
    /// One read of the service.
    pub(super) async fn read_user(&mut self, n: usize) {
        let user = n % USERS + 1;
        let host = &self.address;
        let asked = format!("GET /demo/users/{user} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        self.stream.write_all(asked.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let body_at = loop {
            let mut some = [0; 4_096];
            let n = self.stream.read(&mut some).await.unwrap();
            assert!(n > 0, "the connection was closed");
            answer.extend_from_slice(&some[..n]);
            if let Some(at) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let head = String::from_utf8(answer[..body_at].to_vec()).unwrap().to_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut rest = vec![0; body_at + length.parse::<usize>().unwrap() - answer.len()];
        self.stream.read_exact(&mut rest).await.unwrap();
    }
}
