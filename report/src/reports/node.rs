use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{CacheReport, Histogram, TaskReport, WriteBehindKind, WriteBehindReport};

/// A node's id, as in the `node` label of metrics.
pub type NodeId = String;

/// One node at one instant: itself and every cache that it holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodeReport {
    /// Its id, unique within the namespace.
    pub node: NodeId,
    /// The version of the program that runs it.
    pub version: String,
    /// When it started, milliseconds since the epoch.
    pub started_at_ms: u64,
    /// When this report was taken, milliseconds since the epoch.
    pub at_ms: u64,
    /// How it hears of invalidations.
    pub bus: BusReport,
    /// How it reaches L2.
    pub l2: L2Report,
    /// Its background tasks.
    pub tasks: Vec<TaskReport>,
    /// Its caches, in the order in which they were built.
    pub caches: Vec<CacheReport>,
    /// Its write-behinds, in the order in which they were built.
    pub write_behinds: Vec<WriteBehindReport>,
    /// The names of its structures in Redis, in the order of the alphabet.
    pub structures: Vec<String>,
    /// Random, made at each of its starts, where the node is elsewhere; empty otherwise.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub run: String,
}

impl NodeReport {
    /// Whether both are of one run of one node, so that counters only grew in between.
    pub fn is_of_run(&self, other: &Self) -> bool {
        self.started_at_ms == other.started_at_ms && self.run == other.run
    }

    /// Whether it keeps in Redis what nobody could load again: unwritten values or structures.
    pub fn keeps_data_in_redis(&self) -> bool {
        let durable = |writes: &WriteBehindReport| writes.kind == WriteBehindKind::Durable;
        !self.structures.is_empty() || self.write_behinds.iter().any(durable)
    }
}

/// How a node hears of invalidations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct BusReport {
    /// Whether there is a bus at all; without Redis there is none.
    pub configured: bool,
    /// Whether it is being heard now.
    pub connected: bool,
    /// When Redis last answered on it, milliseconds since the epoch.
    pub heard_at_ms: Option<u64>,
    /// Messages heard.
    pub received: u64,
    /// Messages sent by this node.
    pub sent: u64,
    /// Times that messages were or may have been missed; each empties L1 of the caches that they may
    /// have been about.
    pub gaps: u64,
    /// Times that the connection was lost.
    pub disconnects: u64,
    /// From the stream's clock to this node hearing of it.
    pub lag: Histogram,
    /// Since when it is not heard, or no heartbeat shows that invalidations can be written,
    /// milliseconds since the epoch; `None` while all is well. Until it is heard again, entries of
    /// L1 count for a short time after their fill, and L2 is not read.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub silent_since_ms: Option<u64>,
    /// Why it is silent, as a fragment that fits after "because"; `None` while all is well.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub silent_because: Option<String>,
}

/// How a node reaches L2.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct L2Report {
    /// Whether the node has an L2 at all.
    pub configured: bool,
    /// Whether L2 is being skipped because it failed.
    pub breaker_open: bool,
    /// Times that the breaker opened.
    pub breaker_opened: u64,
    /// Calls that failed.
    pub errors: u64,
    /// Calls that ran into the hard timeout.
    pub timeouts: u64,
    /// Invalidations waiting for L2 to come back.
    pub queued_invalidations: u64,
    /// Invalidations replayed after L2 came back.
    pub replayed_invalidations: u64,
    /// Times that too many invalidations waited, or too many patterns of one cache, so that a whole
    /// cache was emptied at recovery.
    pub queue_overflows: u64,
    /// Error answers of Redis by their code, for example `OOM`. None of them opens the breaker but
    /// those that say that Redis cannot serve.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub errors_by_code: BTreeMap<String, u64>,
    /// What is the matter at the moment; `None` while all is well.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub last_error: Option<L2Error>,
    /// What answers; `None` before the first connection.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub server: Option<ServerKind>,
    /// What Redis does when its memory is full, its `maxmemory-policy`, as last asked; `None` where
    /// it was not asked yet or does not say. No screen of the browser's own needs it.
    #[cfg(not(target_arch = "wasm32"))]
    pub eviction_policy: Option<String>,
}

#[cfg(not(target_arch = "wasm32"))]
impl L2Report {
    /// Whether Redis may evict keys without a time to live, such as unwritten values and
    /// structures, as far as is known.
    pub fn may_evict_data(&self) -> bool {
        self.eviction_policy.as_deref().is_some_and(may_evict_data)
    }
}

/// Whether a `maxmemory-policy` evicts keys without a time to live too. A policy of `volatile-…`
/// leaves them alone.
pub fn may_evict_data(policy: &str) -> bool {
    policy.starts_with("allkeys-")
}

/// The last error of a node's way to Redis.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct L2Error {
    /// Redis's own code, for example `WRONGPASS`; `TIMEOUT` and `CONNECTION` where none came.
    pub code: String,
    /// The error's own sentence.
    pub message: String,
    /// Since when this code comes, milliseconds since the epoch.
    pub since_ms: u64,
    /// When it came last, milliseconds since the epoch.
    pub at_ms: u64,
    /// How often it came since then.
    pub times: u64,
}

/// Which server answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ServerKind {
    /// What it calls itself, for example `redis` or `valkey`.
    pub server: String,
    /// Its version, for example `7.0.15`.
    pub version: String,
}
