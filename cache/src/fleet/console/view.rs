//! The nodes of a namespace as a console shows them.

use std::sync::Arc;

use strata_report::{FleetReport, NodeCard, NodeId, PresenceState};

use crate::fleet::form::FormError;

/// The nodes of a namespace at one instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FleetView {
    /// When, milliseconds since the epoch by Redis's clock.
    pub now_ms: u64,
    /// The nodes by their ids. One that is forgotten is in one view as such, and in none after.
    pub nodes: Vec<FleetNode>,
}

impl FleetView {
    /// How many nodes are in a state.
    pub fn count(&self, state: PresenceState) -> usize {
        self.nodes.iter().filter(|node| node.state == state).count()
    }

    /// The node of an id.
    pub fn node(&self, id: &str) -> Option<&FleetNode> {
        self.nodes.iter().find(|node| node.id == id)
    }
}

/// One node as a console sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FleetNode {
    /// Its id.
    pub id: NodeId,
    /// Whether it beats.
    pub state: PresenceState,
    /// Since its last beat, milliseconds by Redis's clock.
    pub heard_ms_ago: u64,
    /// What it says of itself; `None` where that was never read.
    pub card: Option<Arc<NodeCard>>,
    /// Its newest report; `None` where it was never read. It stays where the node is heard no more:
    /// its numbers are of that time. Views share it, and two of them are the same one until the node
    /// beats again.
    pub report: Option<Arc<FleetReport>>,
    /// Why its card or report cannot be read at the moment.
    pub unreadable: Option<FormError>,
    /// Whether two processes call themselves by its id: their runs were seen in turns.
    pub is_two_processes: bool,
}
