use std::time::Duration;

use strata_cache::{BuildError, Cache, LoadError, Node, Read};

use crate::ctx::Freshness;
use crate::reply::WriteNote;
use crate::store::{Post, Store};

/// Posts: bounded by weight, because their bodies differ forty-fold. A change replaces.
#[derive(Clone)]
pub(crate) struct CachedPosts {
    cache: Cache<i64, Post>,
    store: Store,
}

impl CachedPosts {
    pub(crate) const NAME: &'static str = "posts";
    const L1_WEIGHT_BYTES: u64 = 1_024 * 1_024;
    const TIME_TO_LIVE: Duration = Duration::from_secs(240);
    const L2_TIME_TO_LIVE: Duration = Duration::from_secs(900);
    const NEGATIVE_TIME_TO_LIVE: Duration = Duration::from_secs(15);
    // Ids, version, time, visibility and the names of the fields, as JSON.
    const FIXED_BYTES: usize = 120;

    pub(crate) fn build(node: &Node, store: &Store) -> Result<Self, BuildError> {
        let cache = Cache::builder(Self::NAME)
            .l1_weight(Self::L1_WEIGHT_BYTES, |_, post: &Post| weigh(post))
            .time_to_live(Self::TIME_TO_LIVE)
            .l2_time_to_live(Self::L2_TIME_TO_LIVE)
            .negative_time_to_live(Self::NEGATIVE_TIME_TO_LIVE)
            .jitter(0.1)
            .build(node)?;
        Ok(Self { cache, store: store.clone() })
    }

    pub(crate) async fn read(&self, how: Freshness, id: i64) -> Result<Read<Post>, LoadError> {
        let store = self.store.clone();
        let load = move || async move { store.post(id).await };
        match how {
            Freshness::Cached => self.cache.get_or_load(&id, load).await,
            Freshness::Bypass => self.cache.bypass(load()).await,
        }
    }

    /// Puts the committed post in the place of the older one.
    pub(crate) async fn replace(&self, post: Post) -> WriteNote {
        let id = post.id;
        WriteNote::new(Self::NAME, id, self.cache.insert(&id, post).await)
    }

    /// Drops a post that was deleted, or remembered as not found and then made.
    pub(crate) async fn invalidate(&self, id: i64) -> WriteNote {
        WriteNote::new(Self::NAME, id, self.cache.invalidate(&id).await)
    }
}

// About the length of its JSON.
fn weigh(post: &Post) -> u32 {
    let bytes = post.title.len() + post.body.len() + CachedPosts::FIXED_BYTES;
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
