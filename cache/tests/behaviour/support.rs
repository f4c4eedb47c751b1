//! Shared parts of the tests: a private Redis, nodes on it, a source that counts.
use std::future::Future;
#[cfg(feature = "redis")]
use std::path::PathBuf;
#[cfg(feature = "redis")]
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
#[cfg(feature = "redis")]
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[cfg(feature = "redis")]
mod commands;
#[cfg(feature = "redis")]
pub(crate) use commands::Commands;
#[cfg(feature = "redis")]
pub(crate) mod log;
#[cfg(feature = "redis")]
pub(crate) mod proxy;
#[cfg(feature = "redis")]
mod replication;
#[cfg(feature = "redis")]
pub(crate) mod ways;

use strata_cache::{Cache, Node};
#[cfg(feature = "redis")]
use tempfile::TempDir;
use tokio::sync::{Notify, Semaphore};

#[cfg(feature = "redis")]
/// A redis-server of the test's own, without persistence, which ends with the test.
pub(crate) struct Redis {
    dir: TempDir,
    child: Option<Child>,
    /// 0 means that it has no port and is reached over its socket.
    port: u16,
}

#[cfg(feature = "redis")]
impl Redis {
    pub(crate) async fn start() -> Self {
        let mut redis = Self::unstarted();
        redis.restart().await;
        redis
    }

    fn unstarted() -> Self {
        Self { dir: TempDir::new().unwrap(), child: None, port: 0 }
    }

    /// Starts it again, empty, on the same socket.
    pub(crate) async fn restart(&mut self) {
        assert!(self.try_to_restart().await, "redis-server ended");
    }

    async fn try_to_restart(&mut self) -> bool {
        self.kill();
        let child = Command::new("redis-server")
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .arg("--unixsocket")
            .arg(self.socket())
            .arg("--dir")
            .arg(self.dir.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let client = redis::Client::open(self.url()).unwrap();
        let child = Mutex::new(child);
        let has_ended = || child.lock().unwrap().try_wait().unwrap().is_some();
        eventually("redis-server answers or ends", async || {
            let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
                return has_ended();
            };
            redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok()
        })
        .await;
        let runs = !has_ended();
        self.child = Some(child.into_inner().unwrap());
        runs
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("redis.sock")
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Freezes it with its connections open, like a machine that hangs.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    pub(crate) async fn node(&self, id: &str) -> Node {
        // A machine that runs many tests at a time may pause for longer than Redis usually takes.
        let node = Node::builder("test").id(id).redis_url(&self.url());
        node.l2_timeout(Duration::from_secs(1)).start().await.unwrap()
    }

    /// A node that hears the bus.
    pub(crate) async fn hearing_node(&self, id: &str) -> Node {
        let node = self.node(id).await;
        hears(&node).await;
        node
    }

    /// The id of the last heartbeat on the bus.
    pub(crate) async fn last_beat(&self) -> String {
        let beats: Vec<(String, Vec<String>)> =
            self.ask(&["XRANGE", "{test}!bus:beat", "-", "+"]).await;
        beats.into_iter().next().map(|(id, _)| id).unwrap_or_default()
    }

    /// Sends a slow command in the background, whether it is answered or refused.
    pub(crate) fn spawn(&self, words: &[&str]) -> tokio::task::JoinHandle<()> {
        let client = redis::Client::open(self.url()).unwrap();
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        tokio::spawn(async move {
            let mut connection = client.get_multiplexed_async_connection().await.unwrap();
            let _: redis::RedisResult<redis::Value> = command.query_async(&mut connection).await;
        })
    }

    /// Whether Redis answers with an error.
    pub(crate) async fn refuses(&self, words: &[&str]) -> bool {
        let client = redis::Client::open(self.url()).unwrap();
        let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
            return true;
        };
        let answer = redis::cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await;
        let answer: redis::RedisResult<redis::Value> = answer;
        answer.is_err()
    }

    /// Asks Redis directly, as an onlooker.
    pub(crate) async fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut connection).await.unwrap()
    }
}

#[cfg(feature = "redis")]
impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) async fn hears(node: &Node) {
    eventually("the node hears the bus", async || node.report().bus.connected).await;
}

pub(crate) async fn lonely_node() -> Node {
    Node::builder("test").start().await.unwrap()
}

pub(crate) fn cache(node: &Node) -> Cache<u64, String> {
    Cache::builder("users").build(node).unwrap()
}

/// The source: one row whose reads are counted, and may be held up.
#[derive(Clone)]
pub(crate) struct Source {
    row: Arc<AtomicU64>,
    loads: Arc<AtomicU64>,
    entered: Arc<Notify>,
    gate: Arc<Semaphore>,
}

impl Source {
    pub(crate) fn new() -> Self {
        let source = Self::closed();
        source.open();
        source
    }

    /// A source whose loads read the row, then wait until it is opened.
    pub(crate) fn closed() -> Self {
        Self {
            row: Arc::default(),
            loads: Arc::default(),
            entered: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
        }
    }

    pub(crate) fn open(&self) {
        self.gate.add_permits(1_000_000);
    }

    pub(crate) fn write(&self, row: u64) {
        self.row.store(row, Ordering::SeqCst);
    }

    pub(crate) fn loads(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }

    /// Waits until a load has read the row.
    pub(crate) async fn entered(&self) {
        self.entered.notified().await;
    }

    pub(crate) async fn load(self) -> Result<Option<String>, std::io::Error> {
        let row = self.row.load(Ordering::SeqCst);
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.entered.notify_one();
        let _permit = self.gate.acquire().await.unwrap();
        Ok(Some(row.to_string()))
    }

    pub(crate) async fn read(
        &self,
        cache: &Cache<u64, String>,
        key: u64,
    ) -> strata_cache::Read<String> {
        let source = self.clone();
        cache.get_or_load(&key, move || source.load()).await.unwrap()
    }

    pub(crate) async fn value(&self, cache: &Cache<u64, String>, key: u64) -> String {
        self.read(cache, key).await.value.unwrap().as_ref().clone()
    }
}

/// Polls until `holds`, for changes in the background. Fails after half a minute, which a busy
/// machine may need.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}: not within 30 seconds");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
