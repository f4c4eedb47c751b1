//! A cache as its node sees it: without its types, keys as text.

use std::collections::HashSet;
use std::sync::Arc;

use strata_report::{CacheReport, Effect, EntryLook, KeyRow, L2Look};

use crate::bus::Message;
use crate::error::CacheError;
use crate::l1::{L1List, L1Survey};
use crate::l2::{Keyspace, Progress};
use crate::pattern::Pattern;
use crate::recorder::CacheEvents;
#[cfg(feature = "fleet")]
use crate::recorder::{EventCursor, NewEvents};
use crate::target::Target;
use crate::user_code::BoxFuture;

/// A cache as its node sees it: without its types, keys as text.
pub(crate) trait DynCache: Send + Sync {
    fn name(&self) -> &str;
    fn report(&self) -> CacheReport;
    /// Updates counts and estimates.
    fn upkeep(self: Arc<Self>) -> BoxFuture<'static, ()>;
    /// Whether enough entries in L1 may have expired or been invalidated for a walk.
    fn has_to_reclaim(&self) -> bool {
        false
    }
    /// Walks L1 and removes entries that no longer count.
    fn reclaim(self: Arc<Self>) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
    /// Acts on another node's invalidation.
    fn on_message(&self, message: &Message);
    /// A queued invalidation of a tag has reached Redis, with this number of the bus.
    fn tag_told(&self, tag: &str, sequence: u64);
    /// Empties L1 in one step.
    fn raise_epoch(&self);
    /// Only this cache may have missed an invalidation.
    fn on_gap(&self) {
        self.raise_epoch();
    }
    fn keyspace(&self) -> Option<&Keyspace>;
    fn look_l1<'a>(&'a self, key: &str) -> Result<BoxFuture<'a, Option<EntryLook>>, CacheError>;
    fn look_l2(
        self: Arc<Self>,
        key: &str,
    ) -> Result<BoxFuture<'static, Option<L2Look>>, CacheError>;
    /// A value as JSON, in the form that people may see. `None` if it is hidden.
    fn shown(&self, value: String) -> Option<String> {
        Some(value)
    }
    /// Fresh entries of L1 that match: their number, and some of them.
    fn match_l1<'a>(
        &'a self,
        pattern: &'a Pattern,
        limit: usize,
    ) -> BoxFuture<'a, (u64, Vec<String>)>;
    /// Fresh entries of L1 that match: their number, and the first ones by name after a key.
    fn list_l1<'a>(&'a self, list: &'a L1List<'_>) -> BoxFuture<'a, (u64, Vec<KeyRow>)>;
    /// Those of the keys that have a fresh entry in L1.
    fn among_l1<'a>(&'a self, keys: &'a HashSet<&str>) -> BoxFuture<'a, Vec<KeyRow>>;
    /// When entries expire and how large they are, measured by a walk over L1.
    fn survey_l1(&self) -> BoxFuture<'_, L1Survey> {
        Box::pin(std::future::ready(L1Survey::default()))
    }
    /// The name of the key's group.
    fn group_of(&self, _key: &str) -> Option<String> {
        None
    }
    fn events_after(&self, _seq: u64) -> CacheEvents {
        CacheEvents::default()
    }
    /// What has happened to some keys since a cursor.
    #[cfg(feature = "fleet")]
    fn events_of_keys(&self, _keys: &[String], _after: Option<EventCursor>) -> NewEvents {
        NewEvents::default()
    }
    fn events_of(&self, _key: &str) -> CacheEvents {
        CacheEvents::default()
    }
    /// Removes the key from this L1 only, and overtakes its fills. Returns whether it was there.
    fn drop_text(&self, _key: &str) -> Result<bool, CacheError> {
        Err(CacheError::OnlyObserved(self.name().to_owned()))
    }
    fn mark_stale_text(
        self: Arc<Self>,
        _key: &str,
    ) -> Result<BoxFuture<'static, Effect>, CacheError> {
        Err(CacheError::OnlyObserved(self.name().to_owned()))
    }
    /// Invalidates it on every level and node. Runs to its end even when the future is dropped,
    /// unless `progress` is cancelled.
    fn invalidate(
        self: Arc<Self>,
        target: Target,
        progress: Arc<Progress>,
    ) -> Result<BoxFuture<'static, Effect>, CacheError>;
}
