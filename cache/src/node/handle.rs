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
use crate::target::Target;

/// One running copy of a service: its caches' L1, its connection to Redis and its reader of the
/// bus.
///
/// Cheap to clone; all clones are the same node. Its background work ends when the last clone and
/// the last cache and structures built on it are gone, or on [`shutdown`](Node::shutdown).
/// Operations that take a cache's name and a key as text are for consoles. Services use their
/// [`Cache`](crate::Cache) directly.
///
/// # What a service must keep to
/// - A node belongs to the Tokio runtime that it was started in, and ends with it. Once that
///   runtime is gone, as between two `#[tokio::test]`s that share a static, the node no longer
///   hears the bus: after a second and a half it no longer reads L2, and entries of L1 count for
///   five seconds after their fill. The log says so once. The report shows it in
///   `bus.silent_because` and as tasks whose state is lost. Start a node in each runtime.
/// - A process has one node of a namespace, and each node of a namespace has an id of its own,
///   as by default. If two nodes in one process have the same id, the log says so: both work, but
///   reports and metrics mix them up.
/// - All nodes of a namespace build a cache of one name with the same settings. On one node a name
///   can be used once, which [`build`](crate::CacheBuilder::build) checks.
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
    /// Whether it reaches caches that it does not have.
    pub(super) reaches_all: bool,
    pub(super) _end: Arc<DropGuard>,
}

impl Node {
    /// The node's id.
    pub fn id(&self) -> &str {
        self.shared.id()
    }

    /// The namespace that it shares with other nodes.
    pub fn namespace(&self) -> &str {
        self.shared.namespace()
    }

    /// The address of its Redis, without user and password; `None` without Redis. Nodes of one
    /// namespace share their caches only where they use the same Redis.
    pub fn redis_address(&self) -> Option<String> {
        self.shared.link().map(|link| link.connector.place())
    }

    /// The same node as a console uses it for caches of other nodes: what is done in Redis is done by
    /// the name of any cache of the namespace, as on an
    /// [`observer`](crate::NodeBuilder::observer). It shows no values of these.
    #[must_use]
    pub fn reaching_all_caches(&self) -> Self {
        Self { reaches_all: true, ..self.clone() }
    }

    /// The names of the node's caches, in the order in which they were built.
    pub fn cache_names(&self) -> Vec<String> {
        self.shared.caches().iter().map(|cache| cache.name().to_owned()).collect()
    }

    /// The state of the node and all its caches at this instant. Counts of entries in L1 and of
    /// entries that left it are as of the last upkeep, at most a quarter of a second ago. Does no
    /// other work and sends nothing to Redis.
    pub fn report(&self) -> NodeReport {
        self.shared.report()
    }

    /// Invalidates a key, a pattern, a tag or the whole cache, on every level and node. Runs to its
    /// end even if the caller drops the future.
    ///
    /// # Errors
    /// If there is no such cache, the text is not a key of it, or a tag is named and the cache is
    /// only observed.
    pub async fn invalidate(&self, cache: &str, target: Target) -> Result<Effect, CacheError> {
        self.invalidate_with_progress(cache, target, Arc::default()).await
    }

    /// As [`invalidate`](Self::invalidate). A pattern and the whole cache are walked, which
    /// `progress` shows and can stop. Entries removed before that stay removed.
    ///
    /// # Errors
    /// As [`invalidate`](Self::invalidate).
    pub async fn invalidate_with_progress(
        &self,
        cache: &str,
        target: Target,
        progress: Arc<Progress>,
    ) -> Result<Effect, CacheError> {
        Ok(self.cache(cache)?.invalidate(target, progress)?.await)
    }

    /// The number of the last message on the bus, from any node. `None` if Redis is off or cannot
    /// be asked.
    pub async fn bus_sequence(&self) -> Option<u64> {
        self.shared.bus_sequence().await
    }

    /// Waits until this node has acted on every message of the bus up to `sequence`. After that its
    /// readers see no value older than those invalidations. Returns `false` if `wait` ends first.
    pub async fn has_heard(&self, sequence: u64, wait: Duration) -> bool {
        tokio::time::timeout(wait, self.shared.bus_reader().acted_on(sequence)).await.is_ok()
    }

    /// Removes everything in this node's namespace from Redis: entries, structures, the bus, and
    /// waiting writes. It is meant for temporary namespaces of tests and experiments; shut their
    /// nodes down first. Returns how many keys it removed, or `None` if L2 is off or cannot be
    /// asked.
    pub async fn erase_namespace(&self) -> Option<u64> {
        let link = self.shared.link()?;
        if self.shared.has_ended() {
            // What its tasks had begun to write is removed as well.
            Shutdown::of(&self.shared).await;
        }
        let erased = link.erase(self.shared.namespace()).await.ok();
        #[cfg(feature = "fleet")]
        crate::fleet::forget_namespace(link).await;
        erased
    }

    /// Checks whether Redis accepts this node's invalidations at this moment. Use it before the
    /// source commits, if the service should fail rather than let other nodes read an older value.
    /// If none of this node's invalidations succeeded within the last second, it writes a heartbeat
    /// to find out. That takes one round trip and never longer than the node's L2 timeout. It
    /// cannot foresee a failure between the answer and the invalidation. Without Redis it returns
    /// `Ok` at once.
    ///
    /// [`Cache::invalidate`](crate::Cache::invalidate) itself never refuses;
    /// [`Cache::try_write_through`](crate::Cache::try_write_through) asks this first.
    ///
    /// # Errors
    /// If Redis is away, invalidations of this node wait to be replayed, or Redis refuses.
    pub async fn ready_to_invalidate(&self) -> Result<(), NotReady> {
        self.shared.ready_to_invalidate().await
    }

    /// Ends the background work of the node. It no longer listens to the bus for its caches: L2 is
    /// no longer read from then on, and L1 entries count for only five seconds after their fill.
    /// Consoles elsewhere see that it has left.
    ///
    /// All this happens without waiting. If the process ends next, await what this returns, so that
    /// the goodbye reaches Redis: that takes a few round trips, and three seconds at most.
    pub fn shutdown(&self) -> Shutdown {
        self.shared.end();
        Shutdown::of(&self.shared)
    }

    /// The node's background tasks.
    #[cfg(feature = "holds")]
    #[doc(hidden)]
    pub fn tasks(&self) -> &super::tasks::Tasks {
        self.shared.tasks()
    }

    /// Holds this node up between two steps. There are no such steps without Redis.
    #[cfg(feature = "holds")]
    #[doc(hidden)]
    pub fn holds(&self) -> crate::connection::holds::Holds {
        self.shared.link().map(|link| link.holds.clone()).unwrap_or_default()
    }

    /// Runs the upkeep at once that would otherwise run within a quarter of a second.
    #[cfg(feature = "holds")]
    #[doc(hidden)]
    pub async fn upkeep(&self) {
        self.shared.upkeep_now().await;
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn cache(&self, name: &str) -> Result<Arc<dyn DynCache>, CacheError> {
        let by_name = || self.shared.cache_by_name(name).filter(|_| self.reaches_all);
        let cache = self.shared.cache(name).or_else(by_name);
        cache.ok_or_else(|| CacheError::UnknownCache(name.to_owned()))
    }
}
