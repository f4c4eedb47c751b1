use std::sync::{Mutex, MutexGuard, PoisonError};

use strata_report::WriteBehindReport;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::log::LogLimit;
use crate::recorder::Counter;

/// The signals between a write-behind's handle and its flusher.
#[derive(Default)]
pub(super) struct Control {
    /// Ends the flusher's pause, because a batch is full.
    pub(super) wake: Notify,
    /// No further write is accepted, and the rest is being drained.
    pub(super) closing: CancellationToken,
    /// The flusher stops at once.
    pub(super) killed: CancellationToken,
    /// The flusher has stopped.
    pub(super) ended: CancellationToken,
}

/// The counters behind a [`WriteBehindReport`].
#[derive(Default)]
pub(super) struct WriteBehindCounts {
    pub(super) accepted: Counter,
    pub(super) written: Counter,
    pub(super) retried: Counter,
    pub(super) failed: Counter,
    pub(super) set_aside: Counter,
    pub(super) redriven: Counter,
    pub(super) coalesced: Counter,
    pub(super) refused: Counter,
    pub(super) dropped: Counter,
    pub(super) claimed: Counter,
    /// New dead letters are logged once a minute.
    pub(super) set_aside_told: LogLimit,
    failing: Mutex<Failing>,
}

/// The rows that the sink does not take.
#[derive(Default)]
struct Failing {
    last_error: Option<String>,
    n_rows: u64,
    since_ms: Option<u64>,
}

impl WriteBehindCounts {
    pub(super) fn say_failed(&self, error: &str) {
        self.failing().last_error = Some(error.to_owned());
    }

    /// Sets how many rows wait for their next try, and since when the first of them has failed.
    pub(super) fn say_failing(&self, (n_rows, since_ms): (u64, Option<u64>)) {
        let mut failing = self.failing();
        (failing.n_rows, failing.since_ms) = (n_rows, since_ms);
    }

    fn failing(&self) -> MutexGuard<'_, Failing> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self) -> WriteBehindReport {
        let failing = self.failing();
        WriteBehindReport {
            accepted: self.accepted.get(),
            written: self.written.get(),
            retried: self.retried.get(),
            failed: self.failed.get(),
            set_aside: self.set_aside.get(),
            redriven: self.redriven.get(),
            coalesced: self.coalesced.get(),
            refused: self.refused.get(),
            dropped: self.dropped.get(),
            claimed: self.claimed.get(),
            failing: failing.n_rows,
            failing_since_ms: failing.since_ms,
            last_error: failing.last_error.clone(),
            ..WriteBehindReport::default()
        }
    }
}
