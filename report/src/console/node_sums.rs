use serde::{Deserialize, Serialize};

use crate::Histogram;

/// All nodes of a service added up, as screens show them each second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
pub struct NodeSums {
    /// How many nodes these numbers are of.
    pub nodes: u64,
    /// Nodes that do not hear of invalidations.
    pub bus_silent: u64,
    /// Nodes that skip L2 because it failed.
    pub breaker_open: u64,
    /// Invalidations that wait for Redis.
    pub queued_invalidations: u64,
    /// Times that messages of the bus were or may have been missed.
    pub gaps: u64,
    /// From a message's sending to a node hearing of it.
    pub bus_lag: Histogram,
}
