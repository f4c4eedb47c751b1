//! How many loads of one cache run at a time on one node, and who waits for a turn.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::recorder::Counter;

/// So many loads of one cache wait for a turn at most.
const MAX_QUEUED: u64 = 10_000;

/// The turns of a cache's loads, in the order in which they were asked for.
pub(crate) struct LoadLimit {
    permits: Arc<Semaphore>,
    max: usize,
    n_queued: AtomicU64,
    n_refused: Counter,
}

/// No turn came in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

impl LoadLimit {
    pub(crate) fn new(max: usize) -> Self {
        let max = max.clamp(1, Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(max));
        Self { permits, max, n_queued: AtomicU64::new(0), n_refused: Counter::default() }
    }

    pub(crate) fn max(&self) -> usize {
        self.max
    }

    /// How many loads wait for a turn.
    pub(crate) fn queued(&self) -> u64 {
        self.n_queued.load(Relaxed)
    }

    /// How many loads were given up for want of a turn.
    pub(crate) fn refused(&self) -> u64 {
        self.n_refused.get()
    }

    /// A turn at once, if there is one and nobody waits for it.
    pub(crate) fn try_begin(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).try_acquire_owned().ok()
    }

    /// Waits for a turn.
    pub(crate) async fn begin(&self, patience: Duration) -> Result<OwnedSemaphorePermit, Refused> {
        let queued = Queued::among(&self.n_queued);
        let turn = Arc::clone(&self.permits).acquire_owned();
        let turn = match queued {
            Some(_) => timeout(patience, turn).await.ok().and_then(Result::ok),
            None => None,
        };
        if turn.is_none() {
            self.n_refused.add(1);
        }
        turn.ok_or(Refused)
    }
}

/// One that waits; also where its task is dropped it no longer does.
struct Queued<'a>(&'a AtomicU64);

impl<'a> Queued<'a> {
    /// `None` where too many wait already.
    fn among(n_queued: &'a AtomicU64) -> Option<Self> {
        let queued = Self(n_queued);
        (n_queued.fetch_add(1, Relaxed) < MAX_QUEUED).then_some(queued)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
