use serde::{Deserialize, Serialize};

/// What one console wants of a namespace's nodes. It renews it again and again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Want {
    /// Until when, milliseconds since the epoch by Redis's clock.
    #[serde(rename = "until")]
    pub until_ms: u64,
    /// How often each node should report, milliseconds: 1 000 to 60 000.
    pub interval_ms: u64,
    /// The caches whose details it wants.
    pub details: Vec<String>,
    /// The events that it wants.
    pub events: Vec<EventsWanted>,
}

/// Events of one cache's keys, wanted of a few nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct EventsWanted {
    /// The cache.
    pub cache: String,
    /// The nodes, 16 at most.
    pub nodes: Vec<String>,
}
