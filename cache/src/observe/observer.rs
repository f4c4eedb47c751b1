use std::hash::Hash;
use std::sync::{Arc, OnceLock, Weak};

use moka::notification::RemovalCause;

use super::counts::ObservedCounts;
use super::moka_access::{WithKeyText, WithoutKeyText};
use super::moka_cache::MokaCache;
use super::observed::Observed;
use super::registered::RegisteredCache;
use crate::error::BuildError;
use crate::key::Key;
use crate::node::{DynCache, Node, Shared, check_name};
use crate::recorder::hash_of;
use crate::user_code::contained;

/// Records statistics of a moka cache, with three lines of code. Its report then appears among
/// those of the node's caches: outcomes, latencies, loads, evictions with refusals counted
/// separately, ages at removal, hot keys, and the hit ratio with other capacities.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use strata_cache::{Node, Observer, Target};
/// # let node = Node::builder("shop").start().await?;
/// let observer = Observer::new(&node, "prices")?;
/// let listener = observer.listener();
/// let moka = moka::sync::Cache::builder().max_capacity(1_000);
/// let prices = observer.observe_keys(moka.eviction_listener(listener).build());
///
/// assert_eq!(prices.get_with("tea".to_owned(), || 3), 3);
/// assert_eq!(prices.get("tea"), Some(3));
/// let outcomes = prices.report().outcomes;
/// assert_eq!((outcomes.loaded, outcomes.l1_hit), (1, 1));
/// # Ok(())
/// # }
/// ```
///
/// With the feature `future` (on by default), the same works for the asynchronous kind:
///
/// ```
/// # #[cfg(feature = "future")]
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use strata_cache::{Node, Observer, Target};
/// # let node = Node::builder("shop").start().await?;
/// let observer = Observer::new(&node, "prices")?;
/// let listener = observer.listener();
/// let moka = moka::future::Cache::builder().max_capacity(1_000);
/// let prices = observer.observe_keys(moka.eviction_listener(listener).build());
///
/// assert_eq!(prices.get_with(7_u64, async { 3 }).await, 3);
/// assert_eq!(node.report().caches[0].outcomes.loaded, 1);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "future"))]
/// # fn main() {}
/// ```
pub struct Observer {
    registered: Arc<RegisteredCache>,
    node: Weak<Shared>,
    /// The counters for the listener, once there is a cache.
    counts: Arc<OnceLock<Arc<ObservedCounts>>>,
}

impl Observer {
    /// Reserves a name for the cache on this node.
    ///
    /// # Errors
    /// If the name is already used on this node, or is invalid.
    pub fn new(node: &Node, name: &str) -> Result<Self, BuildError> {
        check_name(name)?;
        let registered = Arc::new(RegisteredCache::new(name));
        node.shared().register(&registered)?;
        Ok(Self { registered, node: Arc::downgrade(node.shared()), counts: Arc::default() })
    }

    /// And it takes part in the bus: what a node of the namespace invalidates of a cache of this
    /// name is dropped here, and what [`Node::invalidate`], [`Node::invalidate_pattern`] and
    /// [`Node::clear`] of this node invalidate is dropped by the others that listen. So one call
    /// clears a moka cache on all pods. Without Redis it changes nothing.
    ///
    /// A key is dropped as its message comes, and all of it likewise; a pattern by a walk that begins
    /// then. What cannot be told apart empties the cache: a tag, since moka keeps none, a key that
    /// does not parse, keys without a text, and messages that may have been missed. What a load
    /// brings that was running meanwhile may stay: moka knows of no fence. Entries live in moka
    /// alone, so a message that comes while this process does not hear the bus empties the cache
    /// once it does; until then what it holds counts.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use strata_cache::{Node, Observer, Target};
    /// # let node = Node::builder("shop").start().await?;
    /// let observer = Observer::new(&node, "prices")?.listen();
    /// let prices = observer.observe_keys(moka::sync::Cache::<String, u32>::new(1_000));
    /// // On this pod and on all others:
    /// node.invalidate("prices", Target::All).await?;
    /// # let _ = prices;
    /// # Ok(())
    /// # }
    /// ```
    pub fn listen(self) -> Self {
        if let Some(node) = self.node.upgrade() {
            self.registered.listen(node.keyspace(self.registered.name(), 0));
        }
        self
    }

    /// The eviction listener to pass to moka's builder. Without it evictions and ages are not
    /// counted. A service's own listener can call it with its own arguments.
    pub fn listener<K: Hash, V>(
        &self,
    ) -> impl Fn(Arc<K>, V, RemovalCause) + Send + Sync + use<K, V> {
        let counts = Arc::clone(&self.counts);
        move |key, value, cause| {
            let counts = counts.get();
            // moka never again calls a listener that has panicked.
            let counted = contained(move || {
                if let Some(counts) = counts {
                    counts.removal(hash_of(&*key), cause);
                }
                drop((key, value));
            });
            if let (None, Some(counts)) = (counted, counts) {
                counts.recorder.panics.add(1);
            }
        }
    }

    /// Observes a cache whose keys have no text. It reports no hot keys, and consoles cannot name
    /// its keys.
    pub fn observe<C: MokaCache>(self, cache: C) -> Observed<C> {
        let counts = self.counts(&cache);
        self.registered.observe(Arc::new(WithoutKeyText::new(cache.clone(), Arc::clone(&counts))));
        Observed { moka: cache, counts, text: None, registered: self.registered }
    }

    /// Observes a cache whose keys have a text. Hot keys are then named, and consoles can find and
    /// invalidate keys.
    pub fn observe_keys<C: MokaCache<Key: Key>>(self, cache: C) -> Observed<C> {
        let counts = self.counts(&cache);
        self.registered.observe(Arc::new(WithKeyText::new(cache.clone(), Arc::clone(&counts))));
        Observed { moka: cache, counts, text: Some(C::Key::to_string), registered: self.registered }
    }

    fn counts(&self, cache: &impl MokaCache) -> Arc<ObservedCounts> {
        let counts = self.counts.get_or_init(|| Arc::new(ObservedCounts::new(&cache.policy())));
        Arc::clone(counts)
    }
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observer").field("cache", &self.registered).finish_non_exhaustive()
    }
}
