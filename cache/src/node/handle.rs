//! The handle of a node.

use std::sync::Arc;
use std::time::Duration;

use strata_report::{Effect, NodeReport};
use tokio_util::sync::DropGuard;

use super::dyn_cache::DynCache;
use super::shared::Shared;
use super::shutdown::Shutdown;
use crate::error::{CacheError, NotReady};
use crate::l2::Progress;
use crate::pattern::Pattern;

/// One running copy of a service: its caches' L1, its connection to Redis and its reader of the bus.
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
/// - A process has one node of a namespace, and each node of a namespace an id of its own, as the
///   default is. Two that
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
    pub(super) shared: Arc<Shared>,
    pub(super) _end: Arc<DropGuard>,
}

impl Node {
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

    /// Invalidates every entry that carries a tag, on every level and node. Runs to its end even
    /// when the caller goes away.
    ///
    /// # Errors
    /// When there is no such cache, or it is only observed.
    pub async fn invalidate_tag(&self, cache: &str, tag: &str) -> Result<Effect, CacheError> {
        Ok(self.cache(cache)?.invalidate_tagged(tag.to_owned())?.await)
    }

    /// Removes every entry of a cache, on every level and node. Runs to its end even when the
    /// caller goes away, unless `progress` is cancelled; what is removed by then stays removed.
    ///
    /// # Errors
    /// When there is no such cache.
    pub async fn clear(&self, cache: &str, progress: Arc<Progress>) -> Result<Effect, CacheError> {
        Ok(self.cache(cache)?.clear(progress).await)
    }

    /// The number of the last message on the bus, whoever sent it; `None` where Redis is off or
    /// cannot be asked.
    pub async fn bus_sequence(&self) -> Option<u64> {
        self.shared.bus_sequence().await
    }

    /// Waits until this node has acted on every message of the bus up to `sequence`, so that its
    /// readers see no value older than those invalidations; `false` if it has not within `wait`.
    pub async fn has_heard(&self, sequence: u64, wait: Duration) -> bool {
        tokio::time::timeout(wait, self.shared.bus_reader().acted_on(sequence)).await.is_ok()
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
    /// Consoles elsewhere see that it has left.
    ///
    /// All that happens without anybody waiting. Where the process ends next, await what this
    /// returns, so that the goodbye is said: that takes one round trip, and two seconds at most.
    #[expect(clippy::must_use_candidate, reason = "it is done whether or not anybody waits")]
    pub fn shutdown(&self) -> Shutdown {
        self.shared.end();
        Shutdown::of(&self.shared)
    }

    /// Its background tasks.
    #[cfg(feature = "holds")]
    #[doc(hidden)]
    pub fn tasks(&self) -> &super::tasks::Tasks {
        self.shared.tasks()
    }

    /// Holds up what this node does between two steps; without Redis there are none.
    #[cfg(feature = "holds")]
    #[doc(hidden)]
    pub fn holds(&self) -> crate::connection::holds::Holds {
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

    pub(crate) fn cache(&self, name: &str) -> Result<Arc<dyn DynCache>, CacheError> {
        self.shared.cache(name).ok_or_else(|| CacheError::UnknownCache(name.to_owned()))
    }
}
