use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_report::{Histogram, Outcome, Outcomes};

/// Counts what the readers and writers of one experiment met.
#[derive(Default)]
pub(crate) struct Counters {
    counts: Mutex<Counts>,
}

#[derive(Clone, Default)]
pub(crate) struct Counts {
    pub(crate) outcomes: Outcomes,
    pub(crate) took: Histogram,
    pub(crate) stale_reads: u64,
    pub(crate) leaked: u64,
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    pub(crate) expiry_peak: Option<u64>,
}

impl Counters {
    pub(crate) fn read(&self, outcome: Outcome, took: Duration) {
        let mut counts = self.counts();
        counts.outcomes += one(outcome);
        counts.took.record(took);
    }

    pub(crate) fn stale_read(&self) {
        self.counts().stale_reads += 1;
    }

    pub(crate) fn leaked(&self) {
        self.counts().leaked += 1;
    }

    pub(crate) fn acknowledged(&self) {
        self.counts().acknowledged += 1;
    }

    pub(crate) fn refused(&self) {
        self.counts().refused += 1;
    }

    pub(crate) fn expiry_peak(&self, n_entries: u64) {
        let expiry_peak = &mut self.counts().expiry_peak;
        *expiry_peak = (*expiry_peak).max(Some(n_entries));
    }

    pub(crate) fn so_far(&self) -> Counts {
        self.counts().clone()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn one(outcome: Outcome) -> Outcomes {
    Outcomes::from_counts(Outcome::ALL.map(|each| u64::from(each == outcome)))
}
