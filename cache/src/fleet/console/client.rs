//! A console's end: it says what it wants, reads what nodes say, and asks them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{RedisResult, cmd, pipe};
use strata_report::{CacheEvents, NodeId, Want};
use tokio::time::{sleep, timeout};
use tokio_util::sync::DropGuard;

use super::asking::{AskError, PendingAsks};
use super::known_node::NodeBytes;
use super::known_nodes::{KnownNodes, NodeListing};
use super::view::FleetView;
use super::watched_keys::WatchedKeys;
use crate::clock::millis;
use crate::connection::{CallError, Link, PipelineReplies, Step};
use crate::fleet::names::FleetNames;
use crate::fleet::presence::ask;
use crate::fleet::scripts::{self, MAX_WANT_BYTES};
use crate::fleet::signature::FleetKey;

/// How often a console says again what it wants, how often at most, and how long that counts.
const RENEWED: Duration = Duration::from_secs(3);
const SOONEST: Duration = Duration::from_secs(1);
const WANTED_FOR: Duration = Duration::from_secs(10);

/// So many nodes are read at once.
const NODES_AT_ONCE: usize = 64;

/// So many nodes are known at most, those that beat last.
pub(super) const MAX_NODES: usize = 10_000;

/// What a console is started with.
pub(crate) struct ClientSettings {
    /// What asks are signed with; `None` is nothing.
    pub(crate) key: Option<FleetKey>,
    /// `None` wants nothing at first.
    pub(crate) interval: Option<Duration>,
}

/// A console's end of a namespace's fleet: which nodes there are, what they report, and their
/// answers to what it asks. Made by [`Node::fleet_client`](crate::Node::fleet_client).
///
/// While it lives, it says every three seconds that it watches, so that the nodes report. Cheap to
/// clone; all clones are the same console. With the last one it ends, and within ten seconds the
/// nodes report no more.
#[derive(Clone)]
pub struct FleetClient {
    pub(super) inner: Arc<Console>,
    _end: Arc<DropGuard>,
}

/// What a console's handles and tasks share.
pub(crate) struct Console {
    pub(super) link: Arc<Link>,
    pub(super) names: FleetNames,
    /// Random.
    pub(super) id: String,
    pub(super) key: Option<FleetKey>,
    /// `None` while it wants nothing.
    interval: Mutex<Option<Duration>>,
    details: Mutex<BTreeSet<String>>,
    known: Mutex<KnownNodes>,
    /// One reads at a time, so that what is known only goes forward.
    polling: tokio::sync::Mutex<()>,
    has_wanted: std::sync::atomic::AtomicBool,
    /// Whether it is closed. Held while it says what it wants, so that nothing is wanted after the
    /// end.
    is_closed: tokio::sync::Mutex<bool>,
    pub(super) pending: PendingAsks,
    pub(super) watched: WatchedKeys,
}

impl Console {
    pub(crate) fn new(link: &Arc<Link>, settings: &ClientSettings) -> Self {
        Self {
            names: FleetNames::new(&link.bus),
            link: Arc::clone(link),
            id: format!("{:016x}", rand::random::<u64>()),
            key: settings.key.clone(),
            interval: Mutex::new(settings.interval),
            details: Mutex::default(),
            known: Mutex::default(),
            polling: tokio::sync::Mutex::default(),
            has_wanted: std::sync::atomic::AtomicBool::new(false),
            is_closed: tokio::sync::Mutex::default(),
            pending: PendingAsks::default(),
            watched: WatchedKeys::default(),
        }
    }

    /// Says again and again what it wants, for ever.
    pub(crate) async fn watch(&self) {
        loop {
            // Where Redis is away, nothing is reported there either.
            let _: Result<(), CallError> = self.want().await;
            sleep(SOONEST).await;
            // Sooner where another key is looked at.
            let _: Result<(), _> = timeout(RENEWED - SOONEST, self.watched.begun.notified()).await;
        }
    }

    async fn want(&self) -> Result<(), CallError> {
        let is_closed = self.is_closed.lock().await;
        let interval = *self.interval.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(interval) = interval.filter(|_| !*is_closed) else { return Ok(()) };
        let json = self.wanted_json(interval);
        let mut script = scripts::WANT.prepare_invoke();
        script.key(self.names.want()).arg(&self.id).arg(json);
        let _: Vec<String> = ask(&self.link, &script).await?;
        self.has_wanted.store(true, std::sync::atomic::Ordering::Release);
        Ok(())
    }

    fn wanted_json(&self, interval: Duration) -> String {
        let now_ms = self.link.bus.clock().now_ms();
        let details = self.details.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut want = Want {
            until_ms: now_ms.saturating_add(millis(WANTED_FOR)),
            interval_ms: millis(interval),
            details: details.into_iter().collect(),
            ..Want::default()
        };
        let mut events = self.watched.wanted();
        if !events.is_empty() {
            want.console.clone_from(&self.id);
        }
        for wanted in &mut events {
            let sign = |key: &FleetKey| key.sign_events(self.names.namespace(), &want, wanted);
            wanted.signature = self.key.as_ref().map(sign).unwrap_or_default();
        }
        loop {
            let whole = Want { events: events.clone(), ..want.clone() };
            let json = serde_json::to_string(&whole).unwrap_or_default();
            // One that is too large would not be heard at all: keys that were looked at last stay.
            if json.len() <= MAX_WANT_BYTES || events.is_empty() {
                return json;
            }
            events.remove(0);
        }
    }

    fn wants_every(&self, interval: Option<Duration>) {
        *self.interval.lock().unwrap_or_else(PoisonError::into_inner) = interval;
    }

    async fn unwant(&self) {
        let mut script = scripts::UNWANT.prepare_invoke();
        script.key(self.names.want()).key(self.names.replies(&self.id)).arg(&self.id);
        let _: Result<u64, CallError> = ask(&self.link, &script).await;
    }

    async fn list(&self) -> Result<NodeListing, CallError> {
        let mut list = pipe();
        list.cmd("TIME");
        list.cmd("ZREVRANGE").arg(self.names.nodes()).arg(0).arg(MAX_NODES - 1).arg("WITHSCORES");
        list.cmd("HEXISTS").arg(self.names.want()).arg(&self.id);
        let listing = |mut connection| async move {
            let mut replies = PipelineReplies::to(&mut list, &mut connection).await?;
            let (seconds, micros): (u64, u64) = replies.next()?;
            // Something else may lie there.
            let beats: RedisResult<Vec<(String, f64)>> = replies.next();
            let has_want: RedisResult<bool> = replies.next();
            let now_ms = seconds * 1_000 + micros / 1_000;
            Ok(NodeListing { now_ms, beats: beats.ok(), has_want: has_want.unwrap_or(false) })
        };
        self.link.operate(Step::Fleet, listing).await
    }

    async fn n_listed(&self) -> Result<u64, CallError> {
        let mut count = cmd("ZCARD");
        count.arg(self.names.nodes());
        let count = &count;
        let counting = |mut connection| async move { count.query_async(&mut connection).await };
        self.link.operate(Step::Fleet, counting).await
    }

    /// Reports of all, and cards of those that are to be read.
    async fn read_some(&self, nodes: &[(String, bool)]) -> Result<Vec<NodeBytes>, CallError> {
        let mut mget = cmd("MGET");
        for (id, _) in nodes {
            mget.arg(self.names.now(id));
        }
        let carded = nodes.iter().filter(|(_, reads_card)| *reads_card);
        for (id, _) in carded {
            mget.arg(self.names.card(id));
        }
        let mget = &mget;
        let reading = |mut connection| async move { mget.query_async(&mut connection).await };
        let mut found: Vec<Option<Vec<u8>>> = self.link.operate(Step::Fleet, reading).await?;
        let mut cards = found.split_off(nodes.len().min(found.len())).into_iter();
        let with_card = |((_, reads_card), report): (&(String, bool), Option<Vec<u8>>)| {
            let card = reads_card.then(|| cards.next().flatten()).flatten();
            (card, report)
        };
        Ok(nodes.iter().zip(found).map(with_card).collect())
    }

    pub(super) fn answering(&self) -> Vec<String> {
        self.known().answering()
    }

    pub(super) fn heard_ms_ago(&self, node: &str) -> Option<u64> {
        self.known().heard_ms_ago(node)
    }

    fn known(&self) -> MutexGuard<'_, KnownNodes> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn poll(&self) -> Result<FleetView, CallError> {
        let _one = self.polling.lock().await;
        if !self.has_wanted.load(std::sync::atomic::Ordering::Acquire) {
            self.want().await?;
        }
        let listed = self.list().await?;
        let to_read = self.known().list(&listed);
        for nodes in to_read.chunks(NODES_AT_ONCE) {
            let bytes = self.read_some(nodes).await?;
            for ((id, _), bytes) in nodes.iter().zip(bytes) {
                self.known().read(id, bytes, listed.now_ms);
            }
        }
        Ok(self.known().view(listed.now_ms))
    }
}

impl FleetClient {
    pub(crate) fn new(console: Arc<Console>, end: DropGuard) -> Self {
        Self { inner: console, _end: Arc::new(end) }
    }

    /// The console's id, under which nodes know it.
    pub fn console(&self) -> &str {
        &self.inner.id
    }

    /// The namespace whose nodes it sees.
    pub fn namespace(&self) -> &str {
        self.inner.names.namespace()
    }

    /// Reads which nodes there are and what they report. One read at a time; others wait. A node's
    /// report is of its last beat, a second ago at most while it is up, unless the interval is set.
    ///
    /// # Errors
    /// Where Redis is away or refuses. Nothing is known of the nodes then: they are not lost.
    pub async fn poll(&self) -> Result<FleetView, AskError> {
        self.inner.poll().await.map_err(AskError::from)
    }

    /// How many nodes have beaten within ten minutes, without reading any of them.
    ///
    /// # Errors
    /// Where Redis is away or refuses.
    pub async fn n_listed(&self) -> Result<u64, AskError> {
        self.inner.n_listed().await.map_err(AskError::from)
    }

    /// How many nodes should answer as of the last [`poll`](Self::poll): they are up or late.
    pub fn n_answering(&self) -> usize {
        self.inner.known().n_answering()
    }

    /// Says whose caches' details the nodes should report from now on: groups, hot and missed keys,
    /// other capacities, ages. Nodes hear of it with their next beat.
    pub async fn want_details(&self, caches: impl IntoIterator<Item = String>) {
        let caches: BTreeSet<String> = caches.into_iter().collect();
        *self.inner.details.lock().unwrap_or_else(PoisonError::into_inner) = caches;
        // Said again in three seconds where it fails.
        let _: Result<(), CallError> = self.inner.want().await;
    }

    /// Has nodes tell for `span` from now on what happens to a key: 16 of them at most, and of the 8
    /// keys that were watched last. It is said within a second, nodes begin with their next beat, and
    /// stop by themselves. Those that let nobody look tell nothing. A key of more than 1 024 bytes is
    /// not watched, and none for longer than a day.
    pub fn watch_key(&self, (cache, key): (&str, &str), nodes: &[NodeId], span: Duration) {
        self.inner.watched.watch((cache, key), nodes, span);
        self.inner.pending.begun.notify_one();
    }

    /// What a node has told of a cache's watched keys after a place, counted by this console over all
    /// runs of the node. What is about many keys has no key. Never waits for a network.
    pub fn events_after(&self, (node, cache): (&str, &str), seq: u64) -> CacheEvents {
        self.inner.watched.after((node, cache), seq)
    }

    /// Says how often the nodes should report from now on. They hear of it with their next beat, and
    /// take 1 s to 60 s.
    pub async fn report_every(&self, interval: Duration) {
        self.inner.wants_every(Some(interval));
        // Said again in three seconds where it fails.
        let _: Result<(), CallError> = self.inner.want().await;
    }

    /// Wants nothing until [`report_every`](Self::report_every) is called again: the nodes report no
    /// more than others want. Where Redis is away, what was wanted ends by itself.
    pub async fn rest(&self) {
        self.inner.wants_every(None);
        // What is being said has been said then.
        let _said = self.inner.is_closed.lock().await;
        self.inner.unwant().await;
    }

    /// Ends it at once, for all clones: the nodes report no more than others want. Where Redis is
    /// away, what was wanted ends by itself. A clone can still poll, and sees nodes without new
    /// reports; nobody answers what it asks.
    pub async fn close(self) {
        // What is being said has been said then, and nothing follows.
        *self.inner.is_closed.lock().await = true;
        self.inner.unwant().await;
    }
}

impl std::fmt::Debug for FleetClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FleetClient").field("console", &self.inner.id).finish_non_exhaustive()
    }
}
