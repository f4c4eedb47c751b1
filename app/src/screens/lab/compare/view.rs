use std::sync::Arc;

use strata_demo::trace::{CurveState, StoredTrace, TraceSummary};
use strata_lab::{Comparison, Phase, ReplayedPart, RunState};

/// What the page is drawn from.
pub(super) struct ComparisonView {
    /// What is compared, or will be.
    pub(super) comparison: Comparison,
    pub(super) run: Option<ComparisonRun>,
    /// The recording whose requests are made.
    pub(super) trace: Option<ComparisonTrace>,
    /// What can be picked.
    pub(super) listed: Vec<TraceSummary>,
    /// What makes one run of two presses.
    pub(super) ticket: String,
    /// Why the visitor may not run anything.
    pub(super) refusal: Option<String>,
    /// What is wrong with the address, as sentences.
    pub(super) complaints: Vec<String>,
}

/// A run, as it was when somebody looked.
pub(super) struct ComparisonRun {
    pub(super) id: String,
    pub(super) state: RunState,
}

/// A recording, and how far its curve is.
pub(super) struct ComparisonTrace {
    pub(super) stored: Arc<StoredTrace>,
    pub(super) used: ReplayedPart,
    pub(super) curve: CurveState,
}

impl ComparisonRun {
    pub(super) fn is_running(&self) -> bool {
        self.state.phase == Phase::Running
    }
}
