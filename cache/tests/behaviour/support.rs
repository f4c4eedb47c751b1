//! Shared parts of the tests: nodes on a private Redis, a source that counts.

#[cfg(feature = "redis")]
pub(crate) mod log;
#[cfg(feature = "redis")]
mod replication;
#[cfg(feature = "redis")]
pub(crate) mod ways;

#[cfg(feature = "redis")]
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
#[cfg(feature = "redis")]
use std::time::Duration;

use strata_cache::{Cache, Node};
#[cfg(feature = "redis")]
use strata_testing::RedisServer;
pub(crate) use strata_testing::eventually;
use tokio::sync::{Notify, Semaphore};

/// A redis-server of the test's own, and nodes on it.
#[cfg(feature = "redis")]
pub(crate) struct Redis(RedisServer);

#[cfg(feature = "redis")]
impl Redis {
    pub(crate) async fn start() -> Self {
        Self(RedisServer::start().await)
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
}

#[cfg(feature = "redis")]
impl Deref for Redis {
    type Target = RedisServer;

    fn deref(&self) -> &RedisServer {
        &self.0
    }
}

#[cfg(feature = "redis")]
impl DerefMut for Redis {
    fn deref_mut(&mut self) -> &mut RedisServer {
        &mut self.0
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
