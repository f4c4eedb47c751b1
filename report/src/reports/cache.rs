use serde::{Deserialize, Serialize};

use crate::{
    Ages, Evictions, Groups, Histogram, HotKeys, LogHistogram, Origin, Outcomes, ScopeCounts,
    WhatIf,
};

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
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
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
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
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
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub success: Histogram,
    /// Durations of loads that failed, timed out or panicked.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
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
            Origin::Other => ScopeCounts::default(),
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
    /// How much of its values dashboards may show.
    #[serde(skip_serializing_if = "ShownValues::is_whole")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub values: ShownValues,
}

/// How much of a cache's values dashboards may show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ShownValues {
    /// All of it, to who may read values.
    #[default]
    Whole,
    /// What the application leaves of it.
    Redacted,
    /// Nothing.
    #[serde(other)]
    Hidden,
}

impl ShownValues {
    /// Whether all of a value may be shown.
    pub fn is_whole(&self) -> bool {
        *self == Self::Whole
    }
}

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
