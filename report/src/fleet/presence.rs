use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FleetPolicy, NodeCard, PresenceState};
use crate::NodeId;

/// A node elsewhere as a console sees it: whether it is heard, and what it says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodePresence {
    /// Its id.
    pub node: NodeId,
    /// Whether it is heard, by Redis's clock.
    pub state: PresenceState,
    /// Since its last beat, milliseconds by Redis's clock.
    pub heard_ms_ago: u64,
    /// Random, made at each of its starts.
    pub run: String,
    /// The program that runs it; empty where it has not said.
    pub app: String,
    /// That program's version.
    pub version: String,
    /// The version of its `strata-cache`.
    pub strata: String,
    /// The environment it belongs to; empty where it has not said.
    pub environment: String,
    /// The machine or container it runs on.
    pub host: String,
    /// Its process there.
    pub pid: u32,
    /// What its service says of it.
    pub labels: BTreeMap<String, String>,
    /// What it lets a console do.
    pub policy: FleetPolicy,
    /// Whether it answers signed requests alone.
    pub signed: bool,
    /// Whether two processes call themselves by its id.
    pub is_two_processes: bool,
    /// Why what it says of itself cannot be read at the moment, as a fragment that fits after
    /// "failed to"; `None` while all is well.
    pub unreadable: Option<String>,
    /// How many of its caches were left out of its report, because that was too large.
    pub cut: u64,
}

/// What a node says of itself. Whether it is heard, nobody can say by that.
impl From<NodeCard> for NodePresence {
    fn from(card: NodeCard) -> Self {
        Self {
            node: card.node,
            run: card.run,
            app: card.app,
            version: card.version,
            strata: card.strata,
            environment: card.environment,
            host: card.host,
            pid: card.pid,
            labels: card.labels,
            policy: card.policy,
            signed: card.signed,
            ..Self::default()
        }
    }
}

/// How much of a fleet the sums of a frame are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct FleetSums {
    /// Nodes whose numbers are in the sums: those that are up or late.
    pub counted: u64,
    /// All nodes that should be: those that are lost as well.
    pub of: u64,
    /// Those of the counted ones that are late.
    pub late: u64,
    /// Where the console cannot reach Redis: since it last heard of the nodes, milliseconds. All
    /// numbers are of that time.
    pub unheard_ms: Option<u64>,
    /// Whether it has heard of the nodes since it started.
    pub was_heard: bool,
    /// Whether nodes elsewhere are not read yet, so that the numbers are of those of the console's own
    /// process alone.
    pub is_unread: bool,
}

impl FleetSums {
    /// What the sums are of: "of 2 of 3 nodes". It says where others are not read yet.
    pub fn of_how_many(&self) -> String {
        let nodes = if self.of == 1 { "node" } else { "nodes" };
        let but = if self.is_unread { "; others are not read yet" } else { "" };
        format!("of {} of {} {nodes}{but}", self.counted, self.of)
    }
}
