use serde::{Deserialize, Serialize};

use crate::{L2Report, NodeId};

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
    /// Clients that wait in a blocking command; each node's reader of the bus is one.
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

/// Redis, as the nodes share it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RedisState {
    /// Whether there is a Redis at all.
    pub configured: bool,
    /// Whether it answered last time.
    pub up: bool,
    /// Its version, once it answered.
    pub version: Option<String>,
    /// Memory in use, bytes.
    pub used_memory_bytes: Option<u64>,
    /// The memory limit, bytes; `None` is no limit or unknown.
    pub max_memory_bytes: Option<u64>,
    /// What it does when memory is full.
    pub policy: Option<String>,
    /// When the keys of each cache were last counted, milliseconds since the epoch.
    pub counted_at_ms: Option<u64>,
    /// Where the last count was given up because it took too long, the keys that it had passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub count_given_up_after: Option<u64>,
    /// And about how many there are, where Redis tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub keys: Option<u64>,
}
