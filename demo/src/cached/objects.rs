use std::time::Duration;

use strata_cache::{BuildError, Cache, LoadError, Node, Read};

use crate::ctx::Freshness;
use crate::reply::WriteNote;
use crate::store::{Object, Store, StoreError};

/// Objects: what recorded traces ask for.
#[derive(Clone)]
pub(crate) struct CachedObjects {
    cache: Cache<String, Object>,
    store: Store,
}

impl CachedObjects {
    pub(crate) const NAME: &'static str = "objects";
    const L1_ENTRIES: u64 = 5_000;
    const TIME_TO_LIVE: Duration = Duration::from_secs(600);
    const L2_TIME_TO_LIVE: Duration = Duration::from_secs(1_800);

    pub(crate) fn build(node: &Node, store: &Store) -> Result<Self, BuildError> {
        let cache = Cache::builder(Self::NAME)
            .l1_entries(Self::L1_ENTRIES)
            .time_to_live(Self::TIME_TO_LIVE)
            .l2_time_to_live(Self::L2_TIME_TO_LIVE)
            .jitter(0.1)
            .build(node)?;
        Ok(Self { cache, store: store.clone() })
    }

    pub(crate) async fn read(&self, how: Freshness, key: &str) -> Result<Read<Object>, LoadError> {
        let (store, key) = (self.store.clone(), key.to_owned());
        let wanted = key.clone();
        let load = move || async move { store.object(&wanted).await.map(Some::<Object>) };
        match how {
            Freshness::Cached => self.cache.get_or_load(&key, load).await,
            Freshness::Bypass => self.cache.bypass::<_, StoreError>(load()).await,
        }
    }

    /// Drops an object that was written.
    pub(crate) async fn invalidate(&self, key: &str) -> WriteNote {
        WriteNote::new(Self::NAME, key, self.cache.invalidate(&key.to_owned()).await)
    }
}
