use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::{Authority, CertificateFiles, eventually};

/// A redis-server of one test's own: no persistence, a socket in a directory of its own, gone with
/// the value.
pub struct RedisServer {
    dir: TempDir,
    child: Option<Child>,
    /// 0 means that it has no port and is reached over its socket.
    port: u16,
    /// 0 means that it does not speak TLS.
    tls_port: u16,
    folder: PathBuf,
    options: Vec<String>,
}

impl RedisServer {
    /// A server that is reached over its socket. Returns once it answers.
    pub async fn start() -> Self {
        let mut redis = Self::unstarted(Path::new(""), &[]);
        redis.restart().await;
        redis
    }

    /// A server that listens on a free port of this machine too, with more options.
    pub async fn start_on_a_port(options: &[&str]) -> Self {
        Self::start_in("", options).await
    }

    /// The same, with its socket in a folder of this name inside its directory.
    pub async fn start_in(folder: impl AsRef<Path>, options: &[&str]) -> Self {
        loop {
            let mut redis = Self::unstarted(folder.as_ref(), options);
            redis.port = free_port();
            // Another program may have taken the port meanwhile.
            if redis.try_to_restart().await {
                return redis;
            }
        }
    }

    /// A server that speaks TLS on a port and plain Redis on another, with more options.
    pub async fn start_with_tls(
        authority: &Authority,
        files: &CertificateFiles,
        options: &[&str],
    ) -> Self {
        let of_tls = authority.options(files);
        let mut all: Vec<&str> = of_tls.iter().map(String::as_str).collect();
        all.extend(options);
        loop {
            let mut redis = Self::unstarted(Path::new(""), &all);
            (redis.port, redis.tls_port) = (free_port(), free_port());
            if redis.try_to_restart().await {
                return redis;
            }
        }
    }

    fn unstarted(folder: &Path, options: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let folder = dir.path().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Self { dir, child: None, port: 0, tls_port: 0, folder, options }
    }

    /// Starts it again, empty, on the same socket and port.
    pub async fn restart(&mut self) {
        assert!(self.try_to_restart().await, "redis-server ended");
    }

    async fn try_to_restart(&mut self) -> bool {
        self.kill();
        let child = Command::new("redis-server")
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--tls-port", &self.tls_port.to_string()])
            .arg("--unixsocket")
            .arg(self.socket())
            .arg("--dir")
            .arg(self.dir.path())
            .args(&self.options)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let child = Mutex::new(child);
        let has_ended = || child.lock().unwrap().try_wait().unwrap().is_some();
        eventually("redis-server answers or ends", async || {
            has_ended() || self.answers().await.unwrap_or(false)
        })
        .await;
        let runs = !has_ended();
        self.child = Some(child.into_inner().unwrap());
        runs
    }

    /// Whether it answers, be it only that one has to log in first.
    async fn answers(&self) -> std::io::Result<bool> {
        let mut stream = UnixStream::connect(self.socket()).await?;
        stream.write_all(b"PING\r\n").await?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await?;
        Ok(&answer == b"+PONG" || &answer == b"-NOAU")
    }

    /// Where a node finds it: at its socket.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Where a node finds it on this machine's port.
    pub fn tcp_url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where a node finds it by TLS, by this name of the machine.
    pub fn tls_url(&self, host: &str) -> String {
        format!("rediss://{host}:{}", self.tls_port)
    }

    /// The port on which it speaks TLS; 0 where it does not.
    pub fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// Its directory, which goes with it.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("redis.sock")
    }

    /// Its port; 0 where it has none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it at once. Whoever connects from now on is refused.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Freezes it with its connections open, like a machine that hangs.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Asks on a connection of its own, beside every connection of a node.
    pub async fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut connection).await.unwrap()
    }

    /// Asks by redis-cli, whose answers are text.
    pub async fn cli(&self, words: &[&str]) -> String {
        let mut command = tokio::process::Command::new("redis-cli");
        let output = command.arg("-s").arg(self.socket()).args(words).output().await.unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// How many keys it has, all namespaces together.
    pub async fn n_keys(&self) -> u64 {
        self.ask(&["DBSIZE"]).await
    }
}

/// A port that nobody uses now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
