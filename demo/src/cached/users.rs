use std::future::ready;
use std::time::Duration;

use strata_cache::{BuildError, Cache, LoadError, Node, Read};

use crate::ctx::Freshness;
use crate::reply::WriteNote;
use crate::store::{Store, StoreError, User};

/// Users: bounded by entries, with a time to live. A change invalidates.
#[derive(Clone)]
pub(crate) struct CachedUsers {
    cache: Cache<i64, User>,
    store: Store,
}

impl CachedUsers {
    pub(crate) const NAME: &'static str = "users";
    const L1_ENTRIES: u64 = 1_500;
    const TIME_TO_LIVE: Duration = Duration::from_secs(120);
    const L2_TIME_TO_LIVE: Duration = Duration::from_secs(600);
    const NEGATIVE_TIME_TO_LIVE: Duration = Duration::from_secs(15);

    pub(crate) fn build(node: &Node, store: &Store) -> Result<Self, BuildError> {
        let cache = Cache::builder(Self::NAME)
            .l1_entries(Self::L1_ENTRIES)
            .time_to_live(Self::TIME_TO_LIVE)
            .l2_time_to_live(Self::L2_TIME_TO_LIVE)
            .negative_time_to_live(Self::NEGATIVE_TIME_TO_LIVE)
            .jitter(0.1)
            .build(node)?;
        Ok(Self { cache, store: store.clone() })
    }

    pub(crate) async fn read(&self, how: Freshness, id: i64) -> Result<Read<User>, LoadError> {
        let store = self.store.clone();
        let load = move || async move { store.user(id).await };
        match how {
            Freshness::Cached => self.cache.get_or_load(&id, load).await,
            Freshness::Bypass => self.cache.bypass(load()).await,
        }
    }

    /// Reads many users with at most one query, in the order of `ids`, duplicates included.
    pub(crate) async fn read_many(
        &self,
        how: Freshness,
        ids: &[i64],
    ) -> Vec<Result<Read<User>, LoadError>> {
        match how {
            Freshness::Cached => {
                let store = self.store.clone();
                self.cache.get_many(ids, move |ids| async move { store.users(&ids).await }).await
            }
            Freshness::Bypass => self.bypass_many(ids).await,
        }
    }

    // One query here too, handed out key by key so that each counts as one bypassed read.
    async fn bypass_many(&self, ids: &[i64]) -> Vec<Result<Read<User>, LoadError>> {
        let users = match self.store.users(ids).await {
            Ok(users) => users,
            Err(error) => return vec![self.cache.bypass(ready(Err(error))).await],
        };
        let mut reads = Vec::with_capacity(ids.len());
        for id in ids {
            let user = Ok::<_, StoreError>(users.get(id).cloned());
            reads.push(self.cache.bypass(ready(user)).await);
        }
        reads
    }

    /// Drops a user that was changed, deleted, or remembered as not found and then made.
    pub(crate) async fn invalidate(&self, id: i64) -> WriteNote {
        WriteNote::new(Self::NAME, id, self.cache.invalidate(&id).await)
    }
}
