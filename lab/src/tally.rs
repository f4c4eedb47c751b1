use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_report::{Histogram, Outcome, Outcomes};

/// Counts what the readers and writers of one experiment met.
#[derive(Default)]
pub(super) struct Tally {
    counts: Mutex<Counts>,
}

#[derive(Clone, Default)]
pub(super) struct Counts {
    pub(super) outcomes: Outcomes,
    pub(super) took: Histogram,
    pub(super) stale_reads: u64,
    pub(super) leaked: u64,
    pub(super) acknowledged: u64,
    pub(super) refused: u64,
    pub(super) wave: Option<u64>,
}

impl Tally {
    pub(super) fn read(&self, outcome: Outcome, took: Duration) {
        let mut counts = self.counts();
        counts.outcomes += one(outcome);
        counts.took.record(took);
    }

    pub(super) fn stale_read(&self) {
        self.counts().stale_reads += 1;
    }

    pub(super) fn leaked(&self) {
        self.counts().leaked += 1;
    }

    pub(super) fn acknowledged(&self) {
        self.counts().acknowledged += 1;
    }

    pub(super) fn refused(&self) {
        self.counts().refused += 1;
    }

    pub(super) fn wave(&self, n_entries: u64) {
        let wave = &mut self.counts().wave;
        *wave = (*wave).max(Some(n_entries));
    }

    pub(super) fn so_far(&self) -> Counts {
        self.counts().clone()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn one(outcome: Outcome) -> Outcomes {
    Outcomes::from_counts(Outcome::ALL.map(|each| u64::from(each == outcome)))
}
