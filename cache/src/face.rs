use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use strata_report::{CacheReport, Effect, EntryLook, KeyRow, L2Look};

use crate::bus::Message;
use crate::l2::Keyspace;
use crate::node::Progress;
use crate::recorder::CacheEvents;
use crate::walk::{L1List, L1Survey};
use crate::{CacheError, Pattern};

pub(crate) type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A cache as its node sees it: without its types, keys as text.
pub(crate) trait CacheFace: Send + Sync {
    fn name(&self) -> &str;
    fn report(&self) -> CacheReport;
    fn upkeep(&self);
    /// Whether enough in L1 may have expired for a walk.
    fn sweep_is_due(&self) -> bool {
        false
    }
    /// Walks L1 and removes what has expired.
    fn sweep(&self) {}
    /// Acts on another node's invalidation.
    fn hear(&self, message: &Message);
    /// A tag's invalidation that had waited has reached Redis, at this number of the bus.
    fn tag_told(&self, tag: &str, sequence: u64);
    /// Empties L1 in one step.
    fn raise_epoch(&self);
    /// This cache alone may have missed an invalidation.
    fn gap(&self) {
        self.raise_epoch();
    }
    fn keyspace(&self) -> Option<&Keyspace>;
    fn look_l1(&self, key: &str) -> Result<Option<EntryLook>, CacheError>;
    fn look_l2(self: Arc<Self>, key: &str) -> Result<Later<Option<L2Look>>, CacheError>;
    fn match_l1(&self, pattern: &Pattern, limit: usize) -> (u64, Vec<String>);
    /// Fresh entries of L1 that match: how many, and the first by name after a key.
    fn list_l1(&self, list: &L1List<'_>) -> (u64, Vec<KeyRow>) {
        let (n_keys, keys) = self.match_l1(list.pattern, usize::MAX);
        let mut keys: Vec<_> = keys.into_iter().filter(|key| list.is_after(key)).collect();
        keys.sort_unstable();
        keys.truncate(list.limit);
        let row = |key| KeyRow { key, ..KeyRow::default() };
        (n_keys, keys.into_iter().map(row).collect())
    }
    /// Those of the keys that lie, fresh, in L1.
    fn among_l1(&self, keys: &HashSet<&str>) -> Vec<KeyRow> {
        let (_, held) =
            Pattern::parse("*").map_or((0, Vec::new()), |all| self.match_l1(&all, usize::MAX));
        let held = held.into_iter().filter(|key| keys.contains(key.as_str()));
        held.map(|key| KeyRow { key, ..KeyRow::default() }).collect()
    }
    /// When entries expire and how large they are, from a walk over L1.
    fn survey_l1(&self) -> L1Survey {
        L1Survey::default()
    }
    /// The name of the key's group.
    fn group_of(&self, _key: &str) -> Option<String> {
        None
    }
    fn events_after(&self, _seq: u64) -> CacheEvents {
        CacheEvents::default()
    }
    fn events_of(&self, _key: &str) -> CacheEvents {
        CacheEvents::default()
    }
    fn soften_text(self: Arc<Self>, _key: &str) -> Result<Later<Effect>, CacheError> {
        Err(CacheError::OnlyObserved(self.name().to_owned()))
    }
    fn invalidate_text(self: Arc<Self>, key: &str) -> Result<Later<Effect>, CacheError>;
    fn invalidate_matching(
        self: Arc<Self>,
        pattern: Pattern,
        progress: Arc<Progress>,
    ) -> Later<Effect>;
}

/// What else must know of the bus: a cache's write-behind.
pub(crate) trait Ear: Send + Sync {
    fn cache(&self) -> &str;
    fn hear(&self, message: &Message);
    /// Messages were or may have been missed.
    fn gap(&self);
}
