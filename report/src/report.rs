use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Ages, Evictions, Groups, Histogram, HotKeys, LogHistogram, Origin, Outcomes, ScopeCounts,
    TaskReport, WhatIf, WriteBehindKind, WriteBehindReport,
};

/// A node's id, as in the `node` label of metrics.
pub type NodeId = String;

/// One of the two levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// moka, in the process; every node has its own.
    L1,
    /// Redis, shared by all nodes.
    L2,
}

impl Level {
    /// The label of metrics and of the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::L1 => "l1",
            Self::L2 => "l2",
        }
    }
}

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
}

impl NodeReport {
    /// Whether it keeps in Redis what nobody could load again: unwritten values or structures.
    pub fn keeps_data_in_redis(&self) -> bool {
        let durable = |writes: &WriteBehindReport| writes.kind == WriteBehindKind::Durable;
        !self.structures.is_empty() || self.write_behinds.iter().any(durable)
    }
}

/// One cache of one node at one instant, or of several nodes added up.
///
/// When each counter moves: `outcomes` once a read, as it ends; `l1.gets` and `l2.gets` once a
/// level is asked for a key, so one read may make two; `puts` once a level accepted an entry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
pub struct CacheReport {
    /// The cache's name.
    pub cache: String,
    /// How each read ended.
    pub outcomes: Outcomes,
    /// The level in the process.
    pub l1: L1Report,
    /// Gets of this cache in Redis, by these nodes.
    pub l2_gets: Gets,
    /// Entries written to Redis by these nodes.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub l2_puts: u64,
    /// Fills that Redis refused because an invalidation or another lease had overtaken them.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub l2_refused: u64,
    /// Values in Redis that could not be read back; each counted as a miss.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub l2_unreadable: u64,
    /// Entries that were not kept in L2: key, tags or value above their limits, or a value that
    /// cannot be written in the cache's codec.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub l2_unfit: u64,
    /// Times that code of the keys or values panicked: parsing, printing, weighing, writing. Each
    /// cost one operation.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub panics: u64,
    /// Times that this cache alone emptied its L1 because it may have missed an invalidation.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub gaps: u64,
    /// Tags that were invalidated, as far as is known of them.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub tags: TagsReport,
    /// Loads from the source.
    pub loads: Loads,
    /// Invalidations and what they removed.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub invalidations: InvalidationCounts,
    /// The settings in force.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub settings: Settings,
    /// Sizes of entries made ready for Redis, bytes.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub l2_put_bytes: LogHistogram,
    /// Reads by key group.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub groups: Groups,
    /// The keys that are read most; `None` where keys are not sampled.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub hot_keys: Option<HotKeys>,
    /// The keys that L1 has not when they are read; `None` where keys are not sampled.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub missed_keys: Option<HotKeys>,
    /// The hit ratio of L1 with other capacities; `None` where it is not simulated.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub what_if: Option<WhatIf>,
}

/// How many invalidated tags of a cache are known, and how many were forgotten because there were
/// more. An entry in L2 that is older than all that is known counts as invalidated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct TagsReport {
    /// Tags that this node knows of, those of its entries among them.
    pub known: u64,
    /// Tags that this node has forgotten since its start. It asks Redis instead.
    pub forgotten: u64,
    /// Tags that Redis knows of, as this node's last invalidation of a tag was told.
    pub l2_known: u64,
    /// Tags that Redis has forgotten, likewise.
    pub l2_forgotten: u64,
}

impl TagsReport {
    /// Adds what another node knows. Of Redis, which they share, what is more counts.
    pub fn merge(&mut self, other: &Self) {
        self.known += other.known;
        self.forgotten += other.forgotten;
        self.l2_known = self.l2_known.max(other.l2_known);
        self.l2_forgotten = self.l2_forgotten.max(other.l2_forgotten);
    }
}

/// Gets asked of one level.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
pub struct Gets {
    /// A fresh entry was there.
    pub hit: u64,
    /// None was, or it was out of date.
    pub miss: u64,
    /// How long the gets took.
    pub latency: Histogram,
    /// One get in so many was timed.
    pub sampled_one_in: u32,
}

/// L1 of one cache. Entries and weight are moka's estimates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
pub struct L1Report {
    /// Estimated entries.
    pub entries: u64,
    /// The most entries it may hold, where it is bounded by entries.
    pub entries_max: Option<u64>,
    /// Estimated weight in bytes, where entries are weighed.
    pub weight_bytes: Option<u64>,
    /// The most bytes it may hold, where it is bounded by weight.
    pub weight_max_bytes: Option<u64>,
    /// Gets asked of it.
    pub gets: Gets,
    /// Entries put into it.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub puts: u64,
    /// Fills that the fence rejected because an invalidation had overtaken them.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub fenced: u64,
    /// Entries that left it.
    pub evictions: Evictions,
    /// How old they were.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub ages_ms: Ages,
    /// Weights of entries put into it, bytes; `None` where entries are not weighed.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub put_bytes: Option<LogHistogram>,
}

/// Loads from the source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
pub struct Loads {
    /// Durations of loads that answered ("not found" is an answer).
    pub success: Histogram,
    /// Durations of loads that failed, timed out or panicked.
    pub failure: Histogram,
    /// Loads running now.
    pub in_flight: u64,
    /// Loads that wait for their turn now.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub queued: u64,
    /// Loads given up because as many ran as may run at a time.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub refused: u64,
}

/// Invalidations and the entries they removed, by scope and origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
pub struct InvalidationCounts {
    /// Begun on this node.
    pub local: ScopeCounts,
    /// Heard on the bus.
    pub bus: ScopeCounts,
    /// Entries removed from L1.
    pub l1_removed: u64,
    /// Entries removed from L2 by this node.
    pub l2_removed: u64,
}

impl InvalidationCounts {
    /// The counts of one origin.
    pub fn of(&self, origin: Origin) -> ScopeCounts {
        match origin {
            Origin::Local => self.local,
            Origin::Bus => self.bus,
        }
    }
}

/// The settings of a cache that are in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
pub struct Settings {
    /// Time to live in L1, milliseconds; `None` is for as long as there is room.
    pub l1_time_to_live_ms: Option<u64>,
    /// Time to idle in L1, milliseconds.
    pub l1_time_to_idle_ms: Option<u64>,
    /// Time to live in L2, milliseconds; `None` where the cache has no L2.
    pub l2_time_to_live_ms: Option<u64>,
    /// Time to live of a "not found", milliseconds.
    pub negative_time_to_live_ms: u64,
    /// Deadlines are shortened by a random share up to this, between 0 and 1.
    pub jitter: f64,
    /// A load that takes longer fails, milliseconds.
    pub load_timeout_ms: u64,
    /// A reader that has a stale entry to fall back on waits no longer, milliseconds.
    pub soft_timeout_ms: Option<u64>,
    /// How long after its time to live an entry may stand in for a source that fails, milliseconds.
    pub grace_ms: u64,
    /// How early entries are refreshed before they expire; 0 is never.
    pub refresh_ahead: f64,
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

impl CacheReport {
    pub(crate) fn drop_details(&mut self) {
        self.l2_put_bytes = LogHistogram::default();
        self.groups = Groups::default();
        (self.hot_keys, self.missed_keys, self.what_if) = (None, None, None);
        (self.l1.ages_ms, self.l1.put_bytes) = (Ages::default(), None);
    }

    /// Adds another node's report of the same cache. Settings stay those of the first.
    pub fn merge(&mut self, other: &Self) {
        self.outcomes += other.outcomes;
        self.l1.merge(&other.l1);
        self.l2_gets.merge(&other.l2_gets);
        self.l2_puts += other.l2_puts;
        self.l2_refused += other.l2_refused;
        self.l2_unreadable += other.l2_unreadable;
        self.l2_unfit += other.l2_unfit;
        self.panics += other.panics;
        self.gaps += other.gaps;
        self.tags.merge(&other.tags);
        self.loads.success.merge(&other.loads.success);
        self.loads.failure.merge(&other.loads.failure);
        self.loads.in_flight += other.loads.in_flight;
        self.loads.queued += other.loads.queued;
        self.loads.refused += other.loads.refused;
        self.invalidations.local += other.invalidations.local;
        self.invalidations.bus += other.invalidations.bus;
        self.invalidations.l1_removed += other.invalidations.l1_removed;
        self.invalidations.l2_removed += other.invalidations.l2_removed;
        self.l2_put_bytes.merge(&other.l2_put_bytes);
        self.groups.merge(&other.groups);
        merge(&mut self.hot_keys, other.hot_keys.as_ref(), HotKeys::merge);
        merge(&mut self.missed_keys, other.missed_keys.as_ref(), HotKeys::merge);
        merge(&mut self.what_if, other.what_if.as_ref(), WhatIf::merge);
    }
}

impl Gets {
    fn merge(&mut self, other: &Self) {
        self.hit += other.hit;
        self.miss += other.miss;
        self.latency.merge(&other.latency);
        self.sampled_one_in = self.sampled_one_in.max(other.sampled_one_in);
    }
}

impl L1Report {
    fn merge(&mut self, other: &Self) {
        self.entries += other.entries;
        self.entries_max = add(self.entries_max, other.entries_max);
        self.weight_bytes = add(self.weight_bytes, other.weight_bytes);
        self.weight_max_bytes = add(self.weight_max_bytes, other.weight_max_bytes);
        self.gets.merge(&other.gets);
        self.puts += other.puts;
        self.fenced += other.fenced;
        self.evictions += other.evictions;
        self.ages_ms.merge(&other.ages_ms);
        merge(&mut self.put_bytes, other.put_bytes.as_ref(), LogHistogram::merge);
    }
}

/// Adds what another node has to what this one may have.
fn merge<T: Clone>(mine: &mut Option<T>, theirs: Option<&T>, add: impl Fn(&mut T, &T)) {
    match (mine, theirs) {
        (Some(mine), Some(theirs)) => add(mine, theirs),
        (mine @ None, Some(theirs)) => *mine = Some(theirs.clone()),
        (_, None) => {}
    }
}

fn add(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.map(|a| a + b.unwrap_or(0)).or(b)
}
