use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    AlertSummary, BusReport, CacheReport, Evictions, Histogram, L2Report, NodeId, Outcomes,
};

/// What every screen is sent once a second: absolute values, complete in itself, so that a
/// browser may miss any number of frames.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Frame {
    /// Grows by one each tick; starts over when the console restarts.
    pub seq: u64,
    /// When the reports were taken, milliseconds since the epoch.
    pub at_ms: u64,
    /// When the console started, milliseconds since the epoch.
    pub started_at_ms: u64,
    /// Every node of the service.
    pub nodes: Vec<NodeFrame>,
    /// Every cache, its nodes added up; those of attached nodes last.
    pub caches: Vec<CacheFrame>,
    /// Redis.
    pub redis: RedisState,
    /// The last tick of all caches of the service together: the next point of every chart.
    pub point: Point,
    /// How many alerts there are, and how bad the worst is.
    #[serde(default)]
    pub alerts: AlertSummary,
}

impl Frame {
    /// The caches of the service itself: what every sum is made of.
    pub fn own_caches(&self) -> impl Iterator<Item = &CacheFrame> {
        self.caches.iter().filter(|cache| !cache.attached)
    }

    /// The frame without what no screen draws each second: groups, keys, curves and sizes. Whoever
    /// wants those asks for one cache's report.
    pub fn for_screens(&self) -> Self {
        let mut frame = self.clone();
        for cache in &mut frame.caches {
            cache.report.drop_details();
        }
        frame
    }
}

/// One node in a frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeFrame {
    /// Its id.
    pub node: NodeId,
    /// The version of the program that runs it.
    pub version: String,
    /// When it started, milliseconds since the epoch.
    pub started_at_ms: u64,
    /// How it hears of invalidations.
    pub bus: BusReport,
    /// How it reaches L2.
    pub l2: L2Report,
}

/// One cache in a frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CacheFrame {
    /// Since the nodes started, nodes added up.
    pub report: CacheReport,
    /// The last seconds.
    pub recent: Window,
    /// Entries of this cache in L2, shared by all nodes; `None` until counted.
    pub l2_entries: Option<u64>,
    /// Their size in bytes, estimated from a sample; `None` until counted.
    pub l2_weight_bytes: Option<u64>,
    /// Whether it is on attached nodes: nodes beside the service's own that no sum, alert or metric
    /// counts. Left out where it is not.
    #[serde(rename = "guest", default, skip_serializing_if = "std::ops::Not::not")]
    pub attached: bool,
}

/// What happened between two reports.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Window {
    /// How long it was, milliseconds.
    pub span_ms: u64,
    /// How reads ended.
    pub outcomes: Outcomes,
    /// What left L1.
    pub evictions: Evictions,
    /// Gets in L1 (sampled).
    pub l1_latency: Histogram,
    /// Gets in L2.
    pub l2_latency: Histogram,
    /// Loads that answered.
    pub load_latency: Histogram,
    /// Loads that failed.
    pub loads_failed: u64,
}

impl Window {
    /// What happened between two reports of the same cache that lie `span_ms` apart.
    pub fn between(earlier: &CacheReport, later: &CacheReport, span_ms: u64) -> Self {
        Self {
            span_ms,
            outcomes: later.outcomes - earlier.outcomes,
            evictions: later.l1.evictions - earlier.l1.evictions,
            l1_latency: later.l1.gets.latency.since(&earlier.l1.gets.latency),
            l2_latency: later.l2_gets.latency.since(&earlier.l2_gets.latency),
            load_latency: later.loads.success.since(&earlier.loads.success),
            loads_failed: later.loads.failure.count().saturating_sub(earlier.loads.failure.count()),
        }
    }

    /// Adds what happened to another cache in the same span.
    pub fn merge(&mut self, other: &Self) {
        self.span_ms = self.span_ms.max(other.span_ms);
        self.outcomes += other.outcomes;
        self.evictions += other.evictions;
        self.l1_latency.merge(&other.l1_latency);
        self.l2_latency.merge(&other.l2_latency);
        self.load_latency.merge(&other.load_latency);
        self.loads_failed += other.loads_failed;
    }

    /// A count of this window as a rate per second; `None` for a window of no length.
    pub fn per_second(&self, count: u64) -> Option<f64> {
        (self.span_ms > 0).then(|| count as f64 * 1000.0 / self.span_ms as f64)
    }
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

/// One step of a chart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Point {
    /// When the step ended, milliseconds since the epoch.
    pub at_ms: u64,
    /// How long it was, milliseconds.
    pub span_ms: u64,
    /// How reads ended in it.
    #[serde(serialize_with = "outcome_counts", deserialize_with = "to_outcomes")]
    #[cfg_attr(feature = "openapi", schema(value_type = [u64; 8]))]
    pub outcomes: Outcomes,
    /// What left L1 in it.
    #[serde(serialize_with = "eviction_counts", deserialize_with = "to_evictions")]
    #[cfg_attr(feature = "openapi", schema(value_type = [u64; 5]))]
    pub evictions: Evictions,
}

impl Point {
    /// Adds another cache's step of the same instant, or the next step in time.
    pub fn merge(&mut self, other: &Self) {
        self.outcomes += other.outcomes;
        self.evictions += other.evictions;
    }
}

/// Steps of a chart, oldest first. Where two lie further apart than the step, there is a gap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct History {
    /// The length of a full step, milliseconds.
    pub step_ms: u64,
    /// The steps.
    pub points: Vec<Point>,
}

/// The demo's traffic: its settings, and whether it runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TrafficState {
    /// Whether it runs.
    pub running: bool,
    /// Requests per second.
    pub rate_per_s: u32,
    /// The exponent of the Zipf distribution of keys: 0 is uniform, 1 is the web.
    pub skew: f64,
    /// The share of requests that write, between 0 and 1.
    pub write_share: f64,
}

// A chart has hundreds of points, so a point spells its counts without names on the wire.
fn outcome_counts<S: Serializer>(outcomes: &Outcomes, serializer: S) -> Result<S::Ok, S::Error> {
    crate::Outcome::ALL.map(|outcome| outcomes.get(outcome)).serialize(serializer)
}

fn to_outcomes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Outcomes, D::Error> {
    <[u64; 8]>::deserialize(deserializer).map(Outcomes::from_counts)
}

fn eviction_counts<S: Serializer>(evictions: &Evictions, serializer: S) -> Result<S::Ok, S::Error> {
    crate::Cause::ALL.map(|cause| evictions.get(cause)).serialize(serializer)
}

fn to_evictions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Evictions, D::Error> {
    <[u64; 5]>::deserialize(deserializer).map(Evictions::from_counts)
}
