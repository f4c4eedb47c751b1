use serde::{Deserialize, Serialize};

use crate::{
    BusReport, Evictions, FleetSums, L2Report, NodeId, NodePresence, Outcomes, Quantiles,
    TaskReport,
};

/// Every node, side by side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodesReport {
    /// When it was taken, milliseconds since the epoch.
    pub at_ms: u64,
    /// The nodes; of many those of one page.
    pub nodes: Vec<NodeRow>,
    /// How many there are of those that are asked for, on all pages.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub total: u64,
    /// Where to go on; left out at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub next: Option<String>,
    /// The background tasks of the program that shows them.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub tasks: Vec<TaskReport>,
    /// Where nodes differ that should not.
    pub disagreements: Vec<Disagreement>,
    /// Of nodes elsewhere: how many are in the sums. Left out where all are of this program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub fleet: Option<FleetSums>,
}

/// One node beside the others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeRow {
    /// Its id.
    pub node: NodeId,
    /// Whether it is heard. What is below is the last that was heard.
    pub heard: bool,
    /// When its report was taken, milliseconds since the epoch.
    pub at_ms: u64,
    /// The version of the program that runs it.
    pub version: String,
    /// When it started, milliseconds since the epoch.
    pub started_at_ms: u64,
    /// How it hears of invalidations.
    pub bus: BusReport,
    /// From a message's sending to the node hearing of it; `None` before the first.
    pub bus_lag: Option<Quantiles>,
    /// How it reaches L2.
    pub l2: L2Report,
    /// Its background tasks.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub tasks: Vec<TaskReport>,
    /// Its caches.
    pub caches: Vec<NodeCache>,
    /// Of a node elsewhere: its state and what it says of itself. Left out of one of this program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub presence: Option<NodePresence>,
}

/// One cache on one node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeCache {
    /// The node.
    pub node: NodeId,
    /// The cache's name.
    pub cache: String,
    /// How its reads ended here, since the node started.
    pub outcomes: Outcomes,
    /// Estimated entries in L1.
    pub l1_entries: u64,
    /// The most entries L1 may hold, where it is bounded by entries.
    pub l1_entries_max: Option<u64>,
    /// Estimated weight of L1 in bytes, where entries are weighed.
    pub l1_weight_bytes: Option<u64>,
    /// The most bytes L1 may hold, where it is bounded by weight.
    pub l1_weight_max_bytes: Option<u64>,
    /// What left L1.
    pub evictions: Evictions,
    /// Gets in L1 (sampled).
    pub l1_latency: Option<Quantiles>,
}

/// Something in which nodes differ that should not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Disagreement {
    /// What, for example `version` or `settings`.
    pub about: String,
    /// The program whose nodes are compared. Left out where all nodes are, and where they name none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub app: String,
    /// The cache; empty where it is about the node.
    pub cache: String,
    /// What each node says. Of more than 32 nodes those that say what fewest do.
    pub says: Vec<NodeSays>,
    /// What is said, by how many nodes: what most say comes first.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub values: Vec<SaidValue>,
}

/// What several nodes say alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct SaidValue {
    /// What they say, in words.
    pub says: String,
    /// How many of them there are.
    pub count: u64,
    /// The first of them by their ids, 8 at most.
    pub nodes: Vec<NodeId>,
}

/// So many nodes are told one by one, and so many values.
const FEW: usize = 8;

impl Disagreement {
    /// What the nodes say, in one line: each node where there are few, else "998 nodes say A; 2 nodes
    /// say B (pod-7, pod-9)".
    pub fn summary(&self) -> String {
        if self.says.len() <= FEW && self.values.iter().map(|said| said.count).sum::<u64>() <= 8 {
            let says = self.says.iter().map(|node| format!("{}: {}", node.node, node.says));
            return says.collect::<Vec<_>>().join("; ");
        }
        let mut said: Vec<_> = self.values.iter().take(FEW).map(SaidValue::summary).collect();
        if let others @ 1.. = self.values.len().saturating_sub(FEW) {
            said.push(format!("{others} other values"));
        }
        said.join("; ")
    }
}

impl SaidValue {
    /// "2 nodes say B (pod-7, pod-9)"; without their names where there are too many.
    pub fn summary(&self) -> String {
        let say = if self.count == 1 { "node says" } else { "nodes say" };
        let named = self.count as usize <= self.nodes.len();
        let names = if named { format!(" ({})", self.nodes.join(", ")) } else { String::new() };
        format!("{} {say} {}{names}", self.count, self.says)
    }
}

/// What one node says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeSays {
    /// The node.
    pub node: NodeId,
    /// What it says, in words.
    pub says: String,
}

/// Copies of the same keys in L1 of several nodes, compared: a sample.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Agreement {
    /// The cache.
    pub cache: String,
    /// When, milliseconds since the epoch.
    pub at_ms: u64,
    /// How many nodes were asked: of many those of a sample, another one each time.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub nodes: u64,
    /// How many nodes have the cache.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub of_nodes: u64,
    /// Keys that were compared: held, fresh, by at least two nodes, or by one and L2.
    pub compared: u64,
    /// Whether the time was over before all that were to be compared had been.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Keys that could not be compared, because nodes do not show their values. Left out where there
    /// are none.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub hidden: u64,
    /// Those whose copies differ. A write on its way over the bus shows here for a moment.
    pub differing: Vec<String>,
    /// Who did not answer, as a sentence; `None` where all nodes have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub partial: Option<String>,
}

#[cfg_attr(
    not(target_arch = "wasm32"),
    expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")
)]
fn is_zero(n: &u64) -> bool {
    *n == 0
}
