use strata_report::WriteBehindReport;

use crate::LogLimit;
use crate::recorder::Counter;

/// The counters behind a [`WriteBehindReport`].
#[derive(Default)]
pub(super) struct Counts {
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
    /// Rows that were set aside are told once a minute.
    pub(super) set_aside_told: LogLimit,
}

impl Counts {
    pub(super) fn read(&self) -> WriteBehindReport {
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
            ..WriteBehindReport::default()
        }
    }
}
