use crate::node::CacheFace;
use std::hash::Hash;
use std::sync::Arc;

use strata_report::{CacheReport, Origin, Scope};

use super::moka_face::MokaFace;
use super::reading::Reading;
use super::watch::Watch;
use super::watched::Watched;
use crate::recorder::{Label, hash_of};

/// A moka cache whose reads and entries are counted; see [`Observer`](crate::Observer).
///
/// Its methods do what moka's methods of the same name do. What is missing here is reached
/// through [`inner`](Self::inner), uncounted. Cheap to clone; all clones are the same cache. Its
/// report leaves the node with the last clone.
///
/// Every read has one outcome: `l1_hit`; `loaded`, where this call's own `init` ran; `coalesced`,
/// where it got the value of another call's `init`; `missed`, for a `get` that found nothing;
/// `failed`, where `init` failed or the caller went away.
#[derive(Debug)]
pub struct Observed<C: MokaFace> {
    pub(super) moka: C,
    pub(super) watch: Arc<Watch>,
    pub(super) text: Option<fn(&C::Key) -> String>,
    pub(super) watched: Arc<Watched>,
}

impl<C: MokaFace> Observed<C> {
    /// The moka cache itself. Reads through it are not counted, and entries put in through it have
    /// no age.
    pub fn inner(&self) -> &C {
        &self.moka
    }

    /// The numbers of this cache at this instant.
    pub fn report(&self) -> CacheReport {
        self.watched.report()
    }

    pub(super) fn reading(
        &self,
        hash: u64,
        key: impl FnOnce(fn(&C::Key) -> String) -> String,
    ) -> Reading<'_> {
        Reading::begin(&self.watch, hash, || self.text.map(key))
    }

    pub(super) fn inserted(&self, hash: u64) {
        self.watch.put(hash);
        self.watch.recorder.written(Label::ungrouped(hash), self.watch.mean_weight());
    }

    pub(super) fn invalidated(&self, key: &(impl Hash + ?Sized)) {
        self.watch.recorder.forget(hash_of(key));
        self.watch.recorder.invalidation(Scope::Key, Origin::Local);
    }

    pub(super) fn emptied(&self) {
        self.watch.recorder.forget_all();
        self.watch.recorder.invalidation(Scope::All, Origin::Local);
    }
}

impl<C: MokaFace> Clone for Observed<C> {
    fn clone(&self) -> Self {
        let (moka, watch) = (self.moka.clone(), Arc::clone(&self.watch));
        Self { moka, watch, text: self.text, watched: Arc::clone(&self.watched) }
    }
}
