mod sealed {
    pub trait Sealed {}
}

use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

/// Either kind of moka cache. Implemented for `moka::sync::Cache` and, with the feature `future`,
/// for `moka::future::Cache`. It cannot be implemented elsewhere.
pub trait MokaCache: sealed::Sealed + Clone + Send + Sync + 'static {
    /// The type of its keys.
    type Key: Hash + Eq + Send + Sync + 'static;

    #[doc(hidden)]
    fn policy(&self) -> moka::Policy;
    #[doc(hidden)]
    fn entry_count(&self) -> u64;
    #[doc(hidden)]
    fn weighted_size(&self) -> u64;
    /// Runs moka's pending tasks. Blocks, and calls the eviction listener, which may be slow.
    #[doc(hidden)]
    fn run_upkeep(&self);
    #[doc(hidden)]
    fn has(&self, key: &Self::Key) -> bool;
    #[doc(hidden)]
    fn keys(&self) -> impl Iterator<Item = Arc<Self::Key>> + Send;
    #[doc(hidden)]
    fn drop_key(&self, key: &Self::Key) -> impl Future<Output = ()> + Send;
    #[doc(hidden)]
    fn drop_all(&self);
}

impl<K, V, S> sealed::Sealed for moka::sync::Cache<K, V, S> {}

impl<K, V, S> MokaCache for moka::sync::Cache<K, V, S>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    S: BuildHasher + Clone + Send + Sync + 'static,
{
    type Key = K;

    fn policy(&self) -> moka::Policy {
        self.policy()
    }

    fn entry_count(&self) -> u64 {
        self.entry_count()
    }

    fn weighted_size(&self) -> u64 {
        self.weighted_size()
    }

    fn run_upkeep(&self) {
        self.run_pending_tasks();
    }

    fn has(&self, key: &K) -> bool {
        self.contains_key(key)
    }

    fn keys(&self) -> impl Iterator<Item = Arc<K>> + Send {
        self.iter().map(|(key, _)| key)
    }

    async fn drop_key(&self, key: &K) {
        self.invalidate(key);
    }

    fn drop_all(&self) {
        self.invalidate_all();
    }
}

#[cfg(feature = "future")]
impl<K, V, S> sealed::Sealed for moka::future::Cache<K, V, S> {}

#[cfg(feature = "future")]
impl<K, V, S> MokaCache for moka::future::Cache<K, V, S>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    S: BuildHasher + Clone + Send + Sync + 'static,
{
    type Key = K;

    fn policy(&self) -> moka::Policy {
        self.policy()
    }

    fn entry_count(&self) -> u64 {
        self.entry_count()
    }

    fn weighted_size(&self) -> u64 {
        self.weighted_size()
    }

    fn run_upkeep(&self) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.block_on(self.run_pending_tasks());
        }
    }

    fn has(&self, key: &K) -> bool {
        self.contains_key(key)
    }

    fn keys(&self) -> impl Iterator<Item = Arc<K>> + Send {
        self.iter().map(|(key, _)| key)
    }

    async fn drop_key(&self, key: &K) {
        self.invalidate(key).await;
    }

    fn drop_all(&self) {
        self.invalidate_all();
    }
}
