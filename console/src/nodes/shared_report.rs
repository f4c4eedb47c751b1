//! A node's report, which ticks and histories share.

use std::ops::Deref;
use std::sync::Arc;

use strata_report::{FleetReport, NodeReport};

/// A node's report as it was taken or heard. Cheap to clone: all clones are the same report.
#[derive(Clone, Debug)]
pub struct SharedReport(Origin);

#[derive(Clone, Debug)]
enum Origin {
    Here(Arc<NodeReport>),
    Elsewhere(Arc<FleetReport>),
}

impl SharedReport {
    /// As it stands in what a node elsewhere has said.
    pub(super) fn of_fleet(report: &Arc<FleetReport>) -> Self {
        Self(Origin::Elsewhere(Arc::clone(report)))
    }
}

impl From<NodeReport> for SharedReport {
    fn from(report: NodeReport) -> Self {
        Self(Origin::Here(Arc::new(report)))
    }
}

impl Deref for SharedReport {
    type Target = NodeReport;

    fn deref(&self) -> &NodeReport {
        match &self.0 {
            Origin::Here(report) => report,
            Origin::Elsewhere(report) => &report.report,
        }
    }
}
