use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use strata_report::{Effect, EntryLook, L2Look, NodeReport, RedisState};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::bus::Bus;
use crate::face::CacheFace;
use crate::l2::{L2Census, L2Count, L2Match, LONGEST_CENSUS, Link};
use crate::shared::Shared;
use crate::{BuildError, CacheError, NotReady, Pattern, Structures, started};

/// One running copy of a service: its caches' L1, its way to Redis and its ear on the bus.
///
/// Cheap to clone; all clones are the same node. Its background work ends when the last clone and
/// the last cache and structures built on it are gone, or on [`shutdown`](Node::shutdown).
/// Operations that take a cache's name and a key as text are for consoles; services use their
/// [`Cache`](crate::Cache) directly.
///
/// # What a service must keep to
/// - A node belongs to the Tokio runtime that it was started in, and ends with it. Where that
///   runtime is gone, as between two `#[tokio::test]`s that share a static, nobody hears the bus any
///   more: after a second and a half L2 is no longer read, and entries of L1 count for five seconds
///   after their fill. The log says so once, and so do the report's `bus.silent_because` and its
///   tasks, whose state is lost. Start a node in each runtime.
/// - A process has one node of a namespace, and each node of a namespace an id of its own. Two that
///   live under one id in one process are told in the log: they work, but reports and metrics mix
///   them up.
/// - All nodes of a namespace build a cache of one name with the same settings. On one node a name
///   is taken once, which [`build`](crate::CacheBuilder::build) checks.
///
/// ```no_run
/// # async fn run() -> Result<(), strata_cache::BuildError> {
/// use std::time::Duration;
/// use strata_cache::Node;
///
/// let node = Node::builder("shop")
///     .id("eu-1")
///     .version(env!("CARGO_PKG_VERSION"))
///     .redis_url("redis://127.0.0.1")
///     .l2_timeout(Duration::from_millis(50))
///     .start()
///     .await?;
/// # let _ = node;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Node {
    shared: Arc<Shared>,
    _end: Arc<DropGuard>,
}

/// Settings of a [`Node`].
#[derive(Clone, Debug)]
pub struct NodeBuilder {
    namespace: String,
    id: String,
    version: String,
    redis_url: Option<String>,
    l2_timeout: Duration,
}

/// How far a pattern invalidation has come. Shared with whoever watches or cancels it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Keys looked at in L2, to within one step of SCAN.
    pub scanned: AtomicU64,
    /// Entries removed from L2.
    pub removed: AtomicU64,
    /// Set to stop after the current batch.
    pub cancelled: AtomicBool,
}

impl Node {
    /// The hard timeout of one L2 call.
    pub const DEFAULT_L2_TIMEOUT: Duration = Duration::from_millis(100);

    /// A node in `namespace`: 1 to 64 of `a-z`, `0-9`, `_` and `-`. Nodes with the same namespace
    /// and Redis share L2 and bus; each must be of the same service and environment.
    pub fn builder(namespace: &str) -> NodeBuilder {
        NodeBuilder {
            namespace: namespace.to_owned(),
            id: "1".to_owned(),
            version: String::new(),
            redis_url: None,
            l2_timeout: Self::DEFAULT_L2_TIMEOUT,
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        self.shared.id()
    }

    /// The names of its caches, in the order in which they were built.
    pub fn cache_names(&self) -> Vec<String> {
        self.shared.caches().iter().map(|cache| cache.name().to_owned()).collect()
    }

    /// The node and all its caches at this instant. Counts of what lies in L1 and what has left it
    /// are as of the last upkeep, at most a quarter of a second ago. Does no other work and asks
    /// nothing of Redis.
    pub fn report(&self) -> NodeReport {
        self.shared.report()
    }

    /// One key in this node's L1. Where the cache has a time to idle, this walks L1 in slices up to
    /// the key, so as not to prolong it; elsewhere it counts as one use.
    ///
    /// # Errors
    /// When there is no such cache, or the text is no key of it.
    pub async fn look_l1(&self, cache: &str, key: &str) -> Result<Option<EntryLook>, CacheError> {
        let cache = self.cache(cache)?;
        Ok(cache.look_l1(key)?.await)
    }

    /// A value of a cache, as JSON, as its [`opaque`](crate::CacheBuilder::opaque) and
    /// [`redact`](crate::CacheBuilder::redact) let people see it; `None` where it is hidden.
    ///
    /// # Errors
    /// When there is no such cache.
    pub fn shown(&self, cache: &str, value: String) -> Result<Option<String>, CacheError> {
        Ok(self.cache(cache)?.shown(value))
    }

    /// One key in L2, as this node's schema keeps it; `None` where L2 is off or cannot be asked.
    ///
    /// # Errors
    /// When there is no such cache, or the text is no key of it.
    pub async fn look_l2(&self, cache: &str, key: &str) -> Result<Option<L2Look>, CacheError> {
        Ok(self.cache(cache)?.look_l2(key)?.await)
    }

    /// Keys in this node's L1 that match: how many, and `limit` of them. Walks L1 in slices.
    ///
    /// # Errors
    /// When there is no such cache.
    pub async fn match_l1(
        &self,
        cache: &str,
        pattern: &Pattern,
        limit: usize,
    ) -> Result<(u64, Vec<String>), CacheError> {
        Ok(self.cache(cache)?.match_l1(pattern, limit).await)
    }

    /// Keys in L2 that match, by SCAN: how many, and the first `limit` of them; `None` where L2 is
    /// off or cannot be asked. A key that two schemas keep counts twice and is listed once. SCAN may
    /// count a key twice while Redis resizes.
    ///
    /// # Errors
    /// When there is no such cache.
    pub async fn match_l2(
        &self,
        cache: &str,
        pattern: &Pattern,
        limit: usize,
    ) -> Result<Option<(u64, Vec<String>)>, CacheError> {
        let found = self.match_l2_within(cache, pattern, limit, Duration::MAX).await?;
        Ok(found.map(|found| (found.n_keys, found.keys)))
    }

    /// As [`match_l2`](Self::match_l2), but ends after about this time and says whether it looked
    /// at all keys: Redis may hold millions of others' keys, which SCAN passes one by one.
    ///
    /// # Errors
    /// When there is no such cache.
    pub async fn match_l2_within(
        &self,
        cache: &str,
        pattern: &Pattern,
        limit: usize,
        within: Duration,
    ) -> Result<Option<L2Match>, CacheError> {
        let cache = self.cache(cache)?;
        let Some(keyspace) = cache.keyspace() else {
            return Ok(None);
        };
        Ok(keyspace.matching(pattern, limit, within).await.ok())
    }

    /// Invalidates one key on every level and node. Runs to its end even when the caller goes
    /// away.
    ///
    /// # Errors
    /// When there is no such cache, or the text is no key of it.
    pub async fn invalidate(&self, cache: &str, key: &str) -> Result<Effect, CacheError> {
        Ok(self.cache(cache)?.invalidate_text(key)?.await)
    }

    /// Invalidates every key that matches, on every level and node. Runs to its end even when the
    /// caller goes away, unless `progress` is cancelled; what is removed by then stays removed.
    ///
    /// # Errors
    /// When there is no such cache.
    pub async fn invalidate_pattern(
        &self,
        cache: &str,
        pattern: &Pattern,
        progress: Arc<Progress>,
    ) -> Result<Effect, CacheError> {
        let cache = self.cache(cache)?;
        Ok(cache.invalidate_matching(pattern.clone(), progress).await)
    }

    /// The number of the last message on the bus, whoever sent it; `None` where Redis is off or
    /// cannot be asked.
    pub async fn bus_sequence(&self) -> Option<u64> {
        self.shared.bus_sequence().await
    }

    /// Waits until this node has acted on every message of the bus up to `sequence`, so that its
    /// readers see no value older than those invalidations; `false` if it has not within `wait`.
    pub async fn has_heard(&self, sequence: u64, wait: Duration) -> bool {
        tokio::time::timeout(wait, self.shared.tail().acted_on(sequence)).await.is_ok()
    }

    /// Hashes, lists and counters in Redis under a name: 1 to 64 of `a-z`, `0-9`, `_` and `-`.
    /// May be called again with the same name, on this node and on others. Asks nothing of Redis.
    ///
    /// # Errors
    /// When a cache of this node has the name, or it cannot be one. No cache of this node may
    /// take the name afterwards. Caches of other nodes are not looked at: give structures names
    /// that no cache of the namespace has.
    pub fn structures(&self, name: &str) -> Result<Structures, BuildError> {
        check_name(name)?;
        Structures::new(name, self)
    }

    /// What Redis says of itself. `configured: false` without Redis.
    pub async fn redis_state(&self) -> RedisState {
        match self.shared.link() {
            Some(link) => link.redis_state().await,
            None => RedisState::default(),
        }
    }

    /// Counts the keys of every cache of the namespace in L2 by one paced SCAN, and estimates
    /// their size in bytes from a sample: `(cache, entries, weight_bytes)`. Entries of every schema
    /// count. A cache without keys
    /// is left out, and so are this node's structures. `None` where L2 cannot be asked, or where that
    /// takes longer than a minute.
    pub async fn count_l2(&self) -> Option<Vec<(String, u64, u64)>> {
        let link = self.shared.link()?;
        let within = (None, LONGEST_CENSUS);
        let census = link.census(self.shared.namespace(), within).await.ok()?;
        let mut counts = census.counts;
        if census.given_up_after.is_some() {
            return None;
        }
        counts.retain(|count| !self.shared.has_structures(&count.cache));
        let parts = |count: L2Count| (count.cache, count.entries, count.weight_bytes);
        Some(counts.into_iter().map(parts).collect())
    }

    /// As [`count_l2`](Self::count_l2), but counts only where no other node of the namespace does
    /// or has just done so: else it answers what that one found. For those who ask again and again.
    /// `None` before the first count, and where L2 cannot be asked. A count that takes longer than
    /// a minute is given up, and says how far it came.
    pub async fn census_l2(&self) -> Option<L2Census> {
        self.census_l2_within(LONGEST_CENSUS).await
    }

    /// As [`census_l2`](Self::census_l2), and gives up after this time.
    pub async fn census_l2_within(&self, within: Duration) -> Option<L2Census> {
        let link = self.shared.link()?;
        let mut census = link.census_in_turn(self.shared.bus(), within).await.ok()??;
        census.counts.retain(|count| !self.shared.has_structures(&count.cache));
        Some(census)
    }

    /// Removes everything of this node's namespace from Redis: entries, structures, the bus, and
    /// writes that wait. For namespaces made for a time, by tests and experiments; shut their nodes
    /// down first. Answers how many keys it removed, `None` where L2 is off or cannot be asked.
    pub async fn erase_namespace(&self) -> Option<u64> {
        self.shared.link()?.erase(self.shared.namespace()).await.ok()
    }

    /// Whether Redis takes this node's invalidations at this moment. For services that would rather
    /// fail than let others read an older value: ask before the source commits. Where none of this
    /// node's invalidations has succeeded within the last second, it writes a heartbeat of its own
    /// to know, which takes one round trip and never longer than the node's L2 timeout. What
    /// breaks between the answer and the invalidation it cannot know. `Ok` at once without Redis.
    ///
    /// [`Cache::invalidate`](crate::Cache::invalidate) itself never refuses;
    /// [`Cache::try_write_through`](crate::Cache::try_write_through) asks this first.
    ///
    /// # Errors
    /// When Redis is away, invalidations of this node wait to be replayed, or Redis refuses.
    pub async fn ready_to_invalidate(&self) -> Result<(), NotReady> {
        self.shared.ready_to_invalidate().await
    }

    /// Ends the background work of the node. Nobody listens to the bus for its caches any more: at
    /// once L2 is no longer read, and L1 entries count for five seconds after their fill only.
    pub fn shutdown(&self) {
        self.shared.end();
    }

    /// Its background tasks.
    #[cfg(feature = "holds")]
    #[doc(hidden)]
    pub fn tasks(&self) -> &crate::Tasks {
        self.shared.tasks()
    }

    /// Holds up what this node does between two steps; without Redis there are none.
    #[cfg(feature = "holds")]
    #[doc(hidden)]
    pub fn holds(&self) -> crate::holds::Holds {
        self.shared.link().map(|link| link.holds.clone()).unwrap_or_default()
    }

    /// Runs the upkeep that would run within a quarter of a second.
    #[cfg(feature = "holds")]
    #[doc(hidden)]
    pub async fn upkeep(&self) {
        self.shared.upkeep_now().await;
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn cache(&self, name: &str) -> Result<Arc<dyn CacheFace>, CacheError> {
        let caches = self.shared.caches();
        let found = caches.into_iter().find(|cache| cache.name() == name);
        found.ok_or_else(|| CacheError::UnknownCache(name.to_owned()))
    }
}

impl NodeBuilder {
    /// The node's id, for reports: 1 to 256 bytes, or the node does not start. Default "1". The bus
    /// tells nodes apart by other means.
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    /// The version of the program, for reports.
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// The address of Redis, `redis://…` or `redis+unix://…`. Without it the node has L1 alone.
    pub fn redis_url(mut self, url: &str) -> Self {
        self.redis_url = Some(url.to_owned());
        self
    }

    /// The hard timeout of one L2 call: as long as a read waits for Redis at most. Default
    /// [`Node::DEFAULT_L2_TIMEOUT`]. At least a millisecond, or the node does not start: without an
    /// answer in time no invalidation would ever be known to have arrived. More than a day counts as
    /// a day. Scans and replays have longer ones, which no read waits for.
    pub fn l2_timeout(mut self, timeout: Duration) -> Self {
        self.l2_timeout = timeout;
        self
    }

    /// Starts the node: one attempt to reach Redis, then it goes on without and keeps trying. Must
    /// be called within a Tokio runtime, to which the node belongs from then on: see [`Node`].
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    ///
    /// # Errors
    /// Only where the name, the address or a setting makes no sense, which the error names, or there
    /// is an address and the feature `redis` is off; never because Redis is away.
    pub async fn start(self) -> Result<Node, BuildError> {
        check_name(&self.namespace)?;
        check_id(&self.id)?;
        BuildError::unless_a_millisecond("l2_timeout", self.l2_timeout)?;
        let client = self.redis_url.map(redis::Client::open).transpose();
        let client = client.map_err(BuildError::RedisUrl)?;
        let bus = Bus::new(&self.namespace);
        let link = client.map(|client| Arc::new(Link::new(client, self.l2_timeout, bus.clone())));
        let shutdown = CancellationToken::new();
        let shared = Arc::new(Shared::new((self.id, self.version), link, bus, shutdown.clone()));
        started::take_note(&shared);
        shared.spawn_tasks().await;
        Ok(Node { shared, _end: Arc::new(shutdown.drop_guard()) })
    }
}

/// Ids take part in reports, metric labels and the names of consumers in Redis.
fn check_id(id: &str) -> Result<(), BuildError> {
    if matches!(id.len(), 1..=256) {
        return Ok(());
    }
    let value = format!("a text of {} bytes", id.len());
    Err(BuildError::BadSetting { setting: "id", value, allowed: "1 to 256 bytes" })
}

/// Names take part in Redis keys and metric labels.
pub(crate) fn check_name(name: &str) -> Result<(), BuildError> {
    let fits = matches!(name.len(), 1..=64)
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
    if fits { Ok(()) } else { Err(BuildError::BadName(name.to_owned())) }
}
