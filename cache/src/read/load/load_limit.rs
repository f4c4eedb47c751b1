//! Limits how many loads of one cache run at a time on one node.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::recorder::Counter;

/// The greatest number of loads of one cache that wait for a permit.
const MAX_QUEUED: u64 = 10_000;

/// The permits of a cache's loads, granted in the order of requests.
pub(crate) struct LoadLimit {
    permits: Arc<Semaphore>,
    max: usize,
    n_queued: AtomicU64,
    n_refused: Counter,
}

/// No permit came in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoPermit;

impl LoadLimit {
    pub(crate) fn new(max: usize) -> Self {
        let max = max.clamp(1, Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(max));
        Self { permits, max, n_queued: AtomicU64::new(0), n_refused: Counter::default() }
    }

    pub(crate) fn max(&self) -> usize {
        self.max
    }

    /// How many loads wait for a permit.
    pub(crate) fn queued(&self) -> u64 {
        self.n_queued.load(Relaxed)
    }

    /// How many loads were given up because they got no permit.
    pub(crate) fn refused(&self) -> u64 {
        self.n_refused.get()
    }

    /// A permit, if one is available and no load waits for it.
    pub(crate) fn try_acquire(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).try_acquire_owned().ok()
    }

    /// Waits for a permit.
    pub(crate) async fn acquire(
        &self,
        patience: Duration,
    ) -> Result<OwnedSemaphorePermit, NoPermit> {
        let queued = QueuedLoad::among(&self.n_queued);
        let permit = Arc::clone(&self.permits).acquire_owned();
        let permit = match queued {
            Some(_) => timeout(patience, permit).await.ok().and_then(Result::ok),
            None => None,
        };
        if permit.is_none() {
            self.n_refused.add(1);
        }
        permit.ok_or(NoPermit)
    }
}

/// A waiting load, counted until it is dropped.
struct QueuedLoad<'a>(&'a AtomicU64);

impl<'a> QueuedLoad<'a> {
    /// `None` if too many loads wait already.
    fn among(n_queued: &'a AtomicU64) -> Option<Self> {
        let queued = Self(n_queued);
        (n_queued.fetch_add(1, Relaxed) < MAX_QUEUED).then_some(queued)
    }
}

impl Drop for QueuedLoad<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
