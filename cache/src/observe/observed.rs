use crate::node::DynCache;
use std::hash::Hash;
use std::sync::Arc;

use strata_report::{CacheReport, Origin, Scope};

use super::counts::ObservedCounts;
use super::guards::ReadGuard;
use super::moka_cache::MokaCache;
use super::registered::RegisteredCache;
use crate::recorder::{Label, hash_of};

/// A moka cache whose reads and entries are counted; see [`Observer`](crate::Observer).
///
/// Its methods do the same as moka's methods of the same name. Other methods are available through
/// [`inner`](Self::inner), and are not counted. Cheap to clone; all clones are the same cache. Its
/// report leaves the node with the last clone.
///
/// Every read has one outcome: `l1_hit`; `loaded`, if this call's own `init` ran; `coalesced`, if
/// it got the value of another call's `init`; `missed`, for a `get` that found nothing; `failed`,
/// if `init` failed or the caller went away.
#[derive(Debug)]
pub struct Observed<C: MokaCache> {
    pub(super) moka: C,
    pub(super) counts: Arc<ObservedCounts>,
    pub(super) text: Option<fn(&C::Key) -> String>,
    pub(super) registered: Arc<RegisteredCache>,
}

impl<C: MokaCache> Observed<C> {
    /// The moka cache itself. Reads through it are not counted, and entries put in through it have
    /// no known age.
    pub fn inner(&self) -> &C {
        &self.moka
    }

    /// The numbers of this cache at this instant.
    pub fn report(&self) -> CacheReport {
        self.registered.report()
    }

    pub(super) fn reading(
        &self,
        hash: u64,
        key: impl FnOnce(fn(&C::Key) -> String) -> String,
    ) -> ReadGuard<'_> {
        ReadGuard::begin(&self.counts, hash, || self.text.map(key))
    }

    pub(super) fn inserted(&self, hash: u64) {
        self.counts.put(hash);
        self.counts.recorder.written(Label::ungrouped(hash), self.counts.mean_weight());
    }

    pub(super) fn invalidated(&self, key: &(impl Hash + ?Sized)) {
        self.counts.recorder.forget(hash_of(key));
        self.counts.recorder.invalidation(Scope::Key, Origin::Local);
    }

    pub(super) fn emptied(&self) {
        self.counts.recorder.forget_all();
        self.counts.recorder.invalidation(Scope::All, Origin::Local);
    }
}

impl<C: MokaCache> Clone for Observed<C> {
    fn clone(&self) -> Self {
        let (moka, counts) = (self.moka.clone(), Arc::clone(&self.counts));
        Self { moka, counts, text: self.text, registered: Arc::clone(&self.registered) }
    }
}
