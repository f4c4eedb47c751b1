use serde::{Deserialize, Serialize};

use crate::{Event, NodeId};

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
    pub events: Vec<EventRequest>,
    /// The console, which is where events go. Left out where it wants none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub console: String,
}

/// Events of one cache's keys, wanted of a few nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct EventRequest {
    /// The cache.
    pub cache: String,
    /// The nodes, 16 at most.
    pub nodes: Vec<String>,
    /// The keys' texts, 8 at most, each of 1 024 bytes at most; none is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// HMAC-SHA-256 in hexadecimal digits; left out where the console has no key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub signature: String,
}

/// What happened to a cache's keys on one node since it was told last, for a console that wants it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodeEvents {
    /// The protocol of the node.
    pub protocol: u32,
    /// The node.
    pub node: NodeId,
    /// Its run.
    pub run: String,
    /// The cache.
    pub cache: String,
    /// The events, oldest first, 200 at most: the newest.
    pub events: Vec<Event>,
    /// The place of the last of them in the cache's stream.
    pub last: u64,
    /// How many more there were.
    pub dropped: u64,
}
