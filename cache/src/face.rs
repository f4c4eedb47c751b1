use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use strata_report::{CacheReport, Effect, EntryLook, L2Look};

use crate::bus::Message;
use crate::l2::Keyspace;
use crate::node::Progress;
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
    fn keyspace(&self) -> Option<&Keyspace>;
    fn look_l1(&self, key: &str) -> Result<Option<EntryLook>, CacheError>;
    fn look_l2(self: Arc<Self>, key: &str) -> Result<Later<Option<L2Look>>, CacheError>;
    fn match_l1(&self, pattern: &Pattern, limit: usize) -> (u64, Vec<String>);
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
