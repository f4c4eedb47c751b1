use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A redis-server of this test's own, on a socket of its own, which ends with it.
pub(crate) struct PrivateRedis {
    child: Child,
    dir: TempDir,
}

impl PrivateRedis {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(dir.path().join("redis.sock"))
            .arg("--dir")
            .arg(dir.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let redis = Self { child, dir };
        redis.answers().await;
        redis
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.dir.path().join("redis.sock").display())
    }

    /// Asks by redis-cli, so beside every connection of a node.
    pub(crate) async fn ask(&self, words: &[&str]) -> String {
        let socket = self.dir.path().join("redis.sock");
        let mut asked = Command::new("redis-cli");
        asked.arg("-s").arg(socket).args(words);
        let output = tokio::task::spawn_blocking(move || asked.output()).await.unwrap().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    async fn answers(&self) {
        let socket = self.dir.path().join("redis.sock");
        let deadline = Instant::now() + Duration::from_secs(10);
        while tokio::net::UnixStream::connect(&socket).await.is_err() {
            assert!(Instant::now() < deadline, "redis-server did not start");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        self.stop();
    }
}
