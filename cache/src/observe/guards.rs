//! One read or load of an observed cache, counted when it is dropped.

use std::time::Instant;

use strata_report::Outcome;

use super::counts::ObservedCounts;
use crate::recorder::{Label, LoadEnded, is_sampled};

/// One read. Its outcome is counted when this is dropped. If the caller goes away or the load
/// panics, the read counts as failed.
pub(super) struct ReadGuard<'a> {
    counts: &'a ObservedCounts,
    hash: u64,
    text: Option<String>,
    sampled_at: Option<Instant>,
    outcome: Outcome,
}

impl<'a> ReadGuard<'a> {
    /// Begins a read. `text` is called only for sampled reads.
    pub(super) fn begin(
        counts: &'a ObservedCounts,
        hash: u64,
        text: impl FnOnce() -> Option<String>,
    ) -> Self {
        let sampled = is_sampled();
        Self {
            counts,
            hash,
            text: if sampled { counts.recorder.contain(text).flatten() } else { None },
            sampled_at: sampled.then(Instant::now),
            outcome: Outcome::Failed,
        }
    }

    pub(super) fn ended(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }

    /// Ends the read after its own load, whose value moka has by now.
    pub(super) fn loaded(self) {
        self.counts.put(self.hash);
        self.ended(Outcome::Loaded);
    }
}

impl Drop for ReadGuard<'_> {
    fn drop(&mut self) {
        let recorder = &self.counts.recorder;
        if let Some(began) = self.sampled_at
            && matches!(self.outcome, Outcome::L1Hit | Outcome::Missed)
        {
            recorder.l1_latency.record(began.elapsed());
        }
        if let Some(text) = self.text.take() {
            if self.outcome != Outcome::L1Hit {
                recorder.missed_sampled(self.hash, || text.clone());
            }
            recorder.sampled(self.hash, || text);
        }
        let answered = !matches!(self.outcome, Outcome::Missed | Outcome::Failed);
        let weight = answered.then(|| self.counts.mean_weight());
        recorder.outcome(Label::ungrouped(self.hash), self.outcome, weight);
    }
}

/// One running load.
pub(super) struct LoadGuard<'a> {
    counts: &'a ObservedCounts,
    began: Instant,
    ended: Option<LoadEnded>,
}

impl<'a> LoadGuard<'a> {
    pub(super) fn begin(counts: &'a ObservedCounts) -> Self {
        counts.recorder.load_began();
        Self { counts, began: Instant::now(), ended: None }
    }

    pub(super) fn ended(mut self, ended: LoadEnded) {
        self.ended = Some(ended);
    }
}

impl Drop for LoadGuard<'_> {
    fn drop(&mut self) {
        let (recorder, took) = (&self.counts.recorder, self.began.elapsed());
        match self.ended {
            // A panic is a failure. A load whose caller went away is not.
            None if std::thread::panicking() => recorder.load_ended(took, LoadEnded::Failed),
            None => recorder.load_dropped(),
            Some(ended) => {
                recorder.load_ended(took, ended);
                if let LoadEnded::Answered = ended {
                    recorder.load_of(std::iter::once(Label::KEYLESS), took);
                }
            }
        }
    }
}
