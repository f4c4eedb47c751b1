use serde::{Deserialize, Serialize};

use crate::{BusReport, Evictions, L2Report, NodeId, Outcomes, Quantiles, RedisState, TaskReport};

/// Every node, side by side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodesReport {
    /// When it was taken, milliseconds since the epoch.
    pub at_ms: u64,
    /// The nodes.
    pub nodes: Vec<NodeRow>,
    /// The background tasks of the program that shows them.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub tasks: Vec<TaskReport>,
    /// Where nodes differ that should not.
    pub disagreements: Vec<Disagreement>,
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
    /// The cache; empty where it is about the node.
    pub cache: String,
    /// What each node says.
    pub says: Vec<NodeSays>,
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
    /// Keys that were compared: held, fresh, by at least two nodes, or by one and L2.
    pub compared: u64,
    /// Whether the time was over before all that were to be compared had been.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Those whose copies differ. A write on its way over the bus shows here for a moment.
    pub differing: Vec<String>,
}

/// Redis, as it and the nodes see it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RedisReport {
    /// The state that is in every frame too.
    pub state: RedisState,
    /// What Redis counts; `None` where it is off or away.
    pub server: Option<RedisServer>,
    /// What each cache keeps there, as last counted.
    pub shares: Vec<RedisShare>,
    /// Each node's own way to it.
    pub nodes: Vec<NodeL2>,
}

/// What Redis counts about itself. Counters since its start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RedisServer {
    /// When it was asked, milliseconds since the epoch.
    pub at_ms: u64,
    /// How long one PING took from here and back, microseconds.
    pub ping_us: u64,
    /// How long it has run, seconds.
    pub uptime_s: u64,
    /// Its peak memory, bytes.
    pub used_memory_peak_bytes: Option<u64>,
    /// Keys that it evicted because memory was full.
    pub evicted_keys: u64,
    /// Keys whose time ran out.
    pub expired_keys: u64,
    /// Commands a second, as it measures them.
    pub ops_per_s: u64,
    /// Clients connected.
    pub clients: u64,
    /// Clients that wait in a blocking command; each node's ear on the bus is one.
    pub blocked_clients: u64,
    /// Keys of all databases.
    pub keys: u64,
    /// Bytes that came in and went out a second, as it measures them.
    pub input_bytes_per_s: u64,
    /// Bytes that went out a second.
    pub output_bytes_per_s: u64,
    /// The newest slow commands about keys of this namespace.
    pub slow_log: Vec<SlowCommand>,
    /// Slow commands beside these: of others who share this Redis, and those that name no key.
    #[serde(default)]
    pub slow_log_others: u64,
    /// Why INFO was refused, so that the figures taken from it are unknown; `None` where it was
    /// answered.
    #[serde(default)]
    pub info_refused: Option<String>,
    /// Why the slow log was refused; `None` where it was answered.
    #[serde(default)]
    pub slow_log_refused: Option<String>,
}

/// One slow command. Arguments after the key are left out: they may be values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SlowCommand {
    /// When, milliseconds since the epoch; exact to a second.
    pub at_ms: u64,
    /// How long it took, microseconds.
    pub took_us: u64,
    /// The command and its first argument; of a script of the caches its name.
    pub command: String,
    /// Whether it is Strata's own looking: a step of a search, a plan or a count.
    #[serde(default)]
    pub looking: bool,
}

/// What one cache keeps in Redis.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RedisShare {
    /// The cache.
    pub cache: String,
    /// Its keys.
    pub entries: u64,
    /// Their size in bytes, estimated from a sample.
    pub weight_bytes: u64,
}

/// How one node reaches L2.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeL2 {
    /// The node.
    pub node: NodeId,
    /// How it reaches L2.
    pub l2: L2Report,
}
