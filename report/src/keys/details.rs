use serde::{Deserialize, Serialize};

use crate::{CacheFrame, LogHistogram, NodeCache, Saved, WriteBehindReport};

/// Everything about one cache, for its own page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CacheDetails {
    /// When it was taken, milliseconds since the epoch.
    pub at_ms: u64,
    /// The whole report, nodes added up: groups, hot keys, curves and ages included.
    pub frame: CacheFrame,
    /// The same cache on each node.
    pub nodes: Vec<NodeCache>,
    /// The source's time that hits saved since the nodes started.
    pub saved: Option<Saved>,
    /// When entries of L1 will expire, all nodes together.
    pub expiries: Expiries,
    /// Sizes of entries in L1, bytes; `None` where they are not weighed.
    pub l1_bytes: Option<LogHistogram>,
    /// What another size of L1 would do, as a sentence; `None` where too few reads were seen.
    pub advice: Option<String>,
    /// Its write-behind, nodes added up; `None` where it has none.
    #[serde(default)]
    pub write_behind: Option<WriteBehindReport>,
    /// Who did not answer, as a sentence; `None` where all nodes have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub partial: Option<String>,
}

/// When fresh entries of L1 will expire, from a walk over them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Expiries {
    /// Fresh entries that were looked at.
    pub entries: u64,
    /// Whether that was a part of them only, because there were too many.
    pub sampled: bool,
    /// Within a minute.
    pub within_1_min: u64,
    /// Within ten minutes, those above included.
    pub within_10_min: u64,
    /// Within an hour, those above included.
    pub within_1_h: u64,
    /// The most that expire within the same ten seconds of the next hour: a peak of loads.
    pub busiest_10_s: u64,
    /// When those ten seconds begin, seconds from now.
    pub busiest_in_s: Option<u64>,
}
