use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use tempfile::TempDir;

use super::RedisServer;
use super::eventually;
use super::redis_server::free_port;

/// A Sentinel that watches one master, alone. Gone with the value.
pub struct Sentinel {
    _dir: TempDir,
    child: Child,
    port: u16,
}

/// The name by which it knows the master.
pub const MASTER: &str = "main";

impl Sentinel {
    /// Watches this server, and calls it lost after half a second. More lines of its file may follow.
    /// Returns once it knows `n_replicas`.
    pub async fn watching(master: &RedisServer, n_replicas: usize, lines: &[&str]) -> Self {
        loop {
            let port = free_port();
            if let Some(sentinel) = Self::try_to_start(master, port, lines).await {
                sentinel.knows(n_replicas).await;
                return sentinel;
            }
        }
    }

    async fn try_to_start(master: &RedisServer, port: u16, lines: &[&str]) -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let watched = master.port();
        let text = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor {MASTER} 127.0.0.1 {watched} 1\n\
             sentinel down-after-milliseconds {MASTER} 500\n\
             sentinel failover-timeout {MASTER} 5000\n{}\n",
            lines.join("\n")
        );
        let file = dir.path().join("sentinel.conf");
        std::fs::write(&file, text).unwrap();
        let child = Command::new("redis-server")
            .arg(&file)
            .arg("--sentinel")
            .args(["--dir", &dir.path().display().to_string()])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let child = Mutex::new(child);
        let has_ended = || child.lock().unwrap().try_wait().unwrap().is_some();
        eventually("the Sentinel listens or ends", async || {
            has_ended() || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()
        })
        .await;
        let ended = has_ended();
        let child = child.into_inner().unwrap();
        (!ended).then_some(Self { _dir: dir, child, port })
    }

    /// Waits until it knows so many replicas of its master.
    async fn knows(&self, n_replicas: usize) {
        eventually("the Sentinel knows the replicas", async || {
            let replicas = self.cli(&["SENTINEL", "REPLICAS", MASTER]).await;
            replicas.matches("runid").count() >= n_replicas || replicas.contains("NOAUTH")
        })
        .await;
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Asks by redis-cli.
    pub async fn cli(&self, words: &[&str]) -> String {
        let mut command = tokio::process::Command::new("redis-cli");
        command.args(["-p", &self.port.to_string()]).args(words);
        String::from_utf8(command.output().await.unwrap().stdout).unwrap().trim().to_owned()
    }

    /// Where a node finds the master of this name.
    pub fn url(&self, master: &str) -> String {
        format!("redis+sentinel://127.0.0.1:{}/{master}", self.port)
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
