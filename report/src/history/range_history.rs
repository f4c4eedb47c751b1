use serde::{Deserialize, Serialize};

use crate::{Evictions, Histogram, Outcomes, Point, Range};

/// What happened over a range: one cache, or all together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Past))]
pub struct RangeHistory {
    /// How far back it looks.
    pub range: Range,
    /// The length of a full step, milliseconds.
    pub step_ms: u64,
    /// When the console began to keep it, milliseconds since the epoch: what came before is
    /// unknown, not zero.
    pub since_ms: u64,
    /// The steps, oldest first. Where two lie further apart than the step, there is a gap.
    pub steps: Vec<Step>,
    /// Latencies over the same time in at most [`RangeHistory::MAX_COLUMNS`] columns, oldest first.
    pub heat: Vec<HeatColumn>,
    /// What operators did in that time, oldest first.
    pub markers: Vec<Marker>,
}

impl RangeHistory {
    /// The most columns of a heat map.
    pub const MAX_COLUMNS: usize = 60;
}

/// One step of a chart. The outcomes add up to the reads that ended in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Step {
    /// Reads and removals.
    pub point: Point,
    /// Entries in L1 at its end, nodes added up; estimated.
    pub l1_entries: u64,
    /// Their weight in bytes, where entries are weighed.
    pub l1_weight_bytes: Option<u64>,
    /// Entries in L2 as last counted; `None` until counted.
    pub l2_entries: Option<u64>,
    /// Their size in bytes, estimated from a sample.
    pub l2_weight_bytes: Option<u64>,
    /// Loads that answered.
    pub loads: u64,
    /// Loads that failed.
    pub loads_failed: u64,
    /// Gets in L1 (sampled); `None` where none was timed.
    pub l1_latency: Option<Quantiles>,
    /// Gets in L2.
    pub l2_latency: Option<Quantiles>,
    /// Loads that answered.
    pub load_latency: Option<Quantiles>,
}

impl Step {
    /// How the reads of this step ended.
    pub fn outcomes(&self) -> Outcomes {
        self.point.outcomes
    }

    /// What left L1 in it.
    pub fn evictions(&self) -> Evictions {
        self.point.evictions
    }
}

/// How long something took, from bucket counts: accurate to a bucket's width.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quantiles {
    /// Half took no longer, nanoseconds.
    pub p50_ns: u64,
    /// 95 in 100 took no longer, nanoseconds.
    pub p95_ns: u64,
    /// 99 in 100 took no longer, nanoseconds.
    pub p99_ns: u64,
}

impl Quantiles {
    /// Of a histogram; `None` where it is empty.
    pub fn of(histogram: &Histogram) -> Option<Self> {
        Some(Self {
            p50_ns: histogram.quantile_ns(0.5)?,
            p95_ns: histogram.quantile_ns(0.95)?,
            p99_ns: histogram.quantile_ns(0.99)?,
        })
    }
}

/// One column of the heat maps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeatColumn {
    /// When its first step began, milliseconds since the epoch.
    pub from_ms: u64,
    /// When its last step ended, milliseconds since the epoch.
    pub to_ms: u64,
    /// Gets in L1 (sampled).
    pub l1: Histogram,
    /// Gets in L2.
    pub l2: Histogram,
    /// Loads that answered.
    pub loads: Histogram,
}

/// Something that an operator did, to be marked on charts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Marker {
    /// When it began, milliseconds since the epoch.
    pub at_ms: u64,
    /// When it had ended, milliseconds since the epoch.
    pub until_ms: u64,
    /// The cache; empty where it was about none.
    pub cache: String,
    /// What, for example `invalidate_pattern`.
    pub action: String,
    /// The key or pattern.
    pub target: String,
    /// Who.
    pub actor: String,
    /// How it ended, as a short sentence with its counts.
    pub result: String,
}
