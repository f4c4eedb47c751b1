use serde::{Deserialize, Serialize};

use crate::{NodeCount, NodeId, Plan, Scope};

/// Where a pattern invalidation stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Still removing.
    #[default]
    Running,
    /// Ran to its end.
    Done,
    /// Stopped by an operator; what was removed stays removed.
    Cancelled,
    /// Could not reach L2 to its end; the rest is queued.
    Queued,
    /// Broke off by itself, because the node that ran it went away; what was removed stays removed.
    Failed,
    /// Nobody knows whether it was carried out: it waited for Redis on nodes that have gone. To be
    /// sure, invalidate again. Also a state that only a later version knows.
    #[serde(other)]
    Unknown,
}

/// What a job does to its keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// Removes them.
    #[default]
    Invalidate,
    /// Marks them as stale: the older value is served while one reader loads the new one.
    #[serde(rename = "soften")]
    MarkStale,
    /// Loads them anew; the older value is served meanwhile.
    Refresh,
}

/// Something that went wrong in a job without ending it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobError {
    /// The node on which; empty where it was on none.
    pub node: NodeId,
    /// What, as a sentence.
    pub what: String,
}

/// What a refresh left at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Refreshed {
    /// The node whose L1 it is; empty for L2.
    pub node: NodeId,
    /// What is there.
    pub state: RefreshState,
}

/// What a place holds of a key after a refresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefreshState {
    /// A value that was loaded since.
    Loaded,
    /// The older value was removed: the next read takes the new one.
    Removed,
    /// Nothing was there, and nothing is.
    Absent,
    /// The older value is still there.
    Older,
    /// It could not be asked.
    #[default]
    #[serde(other)]
    Unknown,
}

/// An invalidation that runs, or ran, in the background.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    /// Its id.
    pub id: u64,
    /// The cache it is about.
    pub cache: String,
    /// Key, pattern or all.
    pub scope: Scope,
    /// The key or pattern as typed.
    pub target: String,
    /// Who asked for it.
    pub actor: String,
    /// Where it stands.
    pub state: JobState,
    /// Entries that matched in L1 of each node when it began.
    pub l1: Vec<NodeCount>,
    /// Matching entries still in L1 of some node when it ended; 0 unless a node's bus is silent.
    pub l1_left: u64,
    /// Keys looked at in L2 so far.
    pub l2_scanned: u64,
    /// Entries removed from L2 so far.
    pub l2_removed: u64,
    /// Whether the cache has an L2.
    pub l2_configured: bool,
    /// When it began, milliseconds since the epoch.
    pub started_at_ms: u64,
    /// When it ended, milliseconds since the epoch.
    pub ended_at_ms: Option<u64>,
    /// What it does.
    #[serde(default)]
    pub kind: JobKind,
    /// What was planned, where it was run from a plan.
    #[serde(default)]
    pub plan: Option<Plan>,
    /// Whether somebody asked it to stop.
    #[serde(default)]
    pub cancel_asked: bool,
    /// Of `l1_left`, what is left on which node.
    #[serde(default)]
    pub l1_left_on: Vec<NodeCount>,
    /// What went wrong; at most [`Job::MAX_ERRORS`].
    #[serde(default)]
    pub errors: Vec<JobError>,
    /// What a refresh left in L1 of each node and, last, in L2.
    #[serde(default)]
    pub refreshed: Vec<Refreshed>,
    /// Where it waited for Redis as it ended: when it was replayed, milliseconds since the epoch.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub replayed_at_ms: Option<u64>,
    /// Where nodes are elsewhere: which of them have acted on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub heard: Option<Delivery>,
}

/// Which nodes have acted on an invalidation, by their reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Delivery {
    /// How many nodes have.
    pub nodes: u64,
    /// Of how many that have the cache, or may have it: those that are lost or cannot be understood
    /// are among them.
    pub of: u64,
    /// Within what time the last of them had reported so, milliseconds.
    pub within_ms: u64,
    /// Those that have not.
    pub not_by: Vec<NodeId>,
    /// Whether it is not known, because Redis could not be asked.
    pub unknown: bool,
}

impl Delivery {
    /// So many nodes are named in a sentence.
    const MOST_NAMED: usize = 8;

    /// As a fragment: "heard by 3 of 3 nodes in 40 ms".
    pub fn in_words(&self) -> String {
        if self.unknown {
            return "it is not known yet which nodes have heard it".to_owned();
        }
        let nodes = if self.of == 1 { "node" } else { "nodes" };
        let mut said =
            format!("heard by {} of {} {nodes} in {} ms", self.nodes, self.of, self.within_ms);
        if !self.not_by.is_empty() {
            let named: Vec<_> = self.not_by.iter().take(Self::MOST_NAMED).cloned().collect();
            said.push_str(&format!(", not by {}", named.join(", ")));
            if let more @ 1.. = self.not_by.len().saturating_sub(Self::MOST_NAMED) {
                said.push_str(&format!(" and {more} more"));
            }
        }
        said
    }
}

impl Job {
    /// The most errors that are kept.
    pub const MAX_ERRORS: usize = 100;
}
