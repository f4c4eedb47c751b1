use serde::{Deserialize, Serialize};

use crate::{
    AlertSummary, BusReport, CacheReport, Evictions, FleetSums, Histogram, History, L2Report,
    NodeId, NodeSums, Outcomes, Point, RedisState,
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
    /// Every node of the service where there are 32 or fewer. Of more those that something is the
    /// matter with or that changed since the frame before, 32 at most, the worst first.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub nodes: Vec<NodeFrame>,
    /// All nodes of the service added up.
    #[serde(default)]
    pub node_sums: NodeSums,
    /// Every cache, its nodes added up; those of attached nodes last.
    pub caches: Vec<CacheFrame>,
    /// Redis.
    pub redis: RedisState,
    /// The last tick of all caches of the service together: the next point of every chart.
    pub point: Point,
    /// How many alerts there are, and how bad the worst is.
    #[serde(default)]
    pub alerts: AlertSummary,
    /// Where the nodes are elsewhere: how many of them are in the sums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet: Option<FleetSums>,
}

impl Frame {
    /// The caches of the service itself that are heard: what every sum is made of.
    pub fn own_caches(&self) -> impl Iterator<Item = &CacheFrame> {
        self.caches.iter().filter(|cache| !cache.attached && cache.frozen_ms.is_none())
    }

    /// The frame without what no screen draws each second: groups, keys, curves, sizes, each node's
    /// lag, and how long things took since the start. Whoever wants those asks for one
    /// cache's report, or for the nodes.
    pub fn for_screens(&self) -> Self {
        let mut frame = self.clone();
        frame.caches.retain(|cache| cache.frozen_ms.is_none());
        for cache in &mut frame.caches {
            cache.report.drop_details();
            cache.report.drop_latencies();
        }
        for node in &mut frame.nodes {
            node.bus.lag = Histogram::default();
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
    /// Where every node that has it is lost: how long ago one was heard last, milliseconds. Its
    /// numbers stand still, and no sum, alert or metric counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub frozen_ms: Option<u64>,
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

/// The first event of a live stream: everything that a page needs to be up to date.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Snapshot {
    /// The newest frame.
    pub frame: Frame,
    /// The last minutes of all caches together.
    pub history: History,
}
