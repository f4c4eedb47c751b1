use serde::{Deserialize, Serialize};

use crate::{Cause, NodeId, Origin, Scope};

/// Something that happened, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Grows by one with each event that the console keeps; 0 where it is not of the stream.
    pub seq: u64,
    /// When, milliseconds since the epoch. Removals are noticed up to a quarter of a second late.
    pub at_ms: u64,
    /// The node; empty where it is about none.
    pub node: NodeId,
    /// The cache; empty where it is about none.
    pub cache: String,
    /// The key; `None` where it is about none, or where there was no time to write it down.
    pub key: Option<String>,
    /// What.
    pub what: What,
}

/// What happened to one cache on one node after a place in its stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CacheEvents {
    /// The events, oldest first; `seq` counts within this cache and node. Only those whose key
    /// was written down have one.
    pub events: Vec<Event>,
    /// The place to go on from.
    pub last: u64,
    /// Events after the given place that were forgotten or never kept, in all since the start.
    pub dropped: u64,
    /// When the oldest event that is still kept happened, milliseconds since the epoch.
    pub since_ms: Option<u64>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum What {
    /// Loaded from the source into L1.
    Loaded {
        /// How long the load took, microseconds.
        took_us: u64,
    },
    /// Copied from L2 into L1.
    FromL2 {
        /// Since it was loaded from the source, milliseconds.
        age_ms: u64,
    },
    /// Put into L1 by a write.
    Written,
    /// Left L1.
    Removed {
        /// Why.
        cause: Cause,
        /// Since its fill, milliseconds; `None` where that is unknown.
        age_ms: Option<u64>,
    },
    /// Invalidated, whether or not it was there.
    Invalidated {
        /// Key, pattern, tag or all.
        scope: Scope,
        /// Begun on this node, or heard on the bus.
        origin: Origin,
        /// The pattern or the tag; `None` for a key, which stands in the event, or for all.
        pattern: Option<String>,
    },
    /// Marked as stale.
    Softened {
        /// Begun on this node, or heard on the bus.
        origin: Origin,
    },
    /// The node hears the bus.
    BusConnected,
    /// The node no longer hears the bus.
    BusLost,
    /// Messages were or may have been missed, so L1 was emptied.
    BusGap {
        /// How many times since the second before.
        times: u64,
    },
    /// L2 is skipped because it failed.
    BreakerOpened,
    /// L2 is trusted again.
    BreakerClosed,
    /// The node is heard for the first time, or again.
    NodeAppeared,
    /// The node is no longer heard.
    NodeVanished,
    /// The node said goodbye: it was shut down.
    NodeLeft,
    /// The node started anew.
    NodeRestarted,
    /// Somebody did something, or was refused.
    Did {
        /// Who.
        actor: String,
        /// What, for example `invalidate_key`.
        action: String,
        /// The key, the pattern or the job.
        target: String,
        /// How it ended.
        result: String,
    },
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

/// Kinds of events, for filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// Loaded, copied from L2 or written.
    Fill,
    /// Left L1.
    Removal,
    /// Invalidated or marked as stale.
    Invalidation,
    /// The bus.
    Bus,
    /// The breaker.
    Breaker,
    /// Nodes that come, go and restart.
    Node,
    /// What people did.
    Audit,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Fill,
        Self::Removal,
        Self::Invalidation,
        Self::Bus,
        Self::Breaker,
        Self::Node,
        Self::Audit,
    ];

    /// The text of the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fill => "fill",
            Self::Removal => "removal",
            Self::Invalidation => "invalidation",
            Self::Bus => "bus",
            Self::Breaker => "breaker",
            Self::Node => "node",
            Self::Audit => "audit",
        }
    }
}

impl What {
    /// Its kind.
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Loaded { .. } | Self::FromL2 { .. } | Self::Written => EventKind::Fill,
            Self::Removed { .. } => EventKind::Removal,
            Self::Invalidated { .. } | Self::Softened { .. } => EventKind::Invalidation,
            Self::BusConnected | Self::BusLost | Self::BusGap { .. } => EventKind::Bus,
            Self::BreakerOpened | Self::BreakerClosed => EventKind::Breaker,
            Self::NodeAppeared | Self::NodeVanished | Self::NodeLeft | Self::NodeRestarted => {
                EventKind::Node
            }
            Self::Did { .. } => EventKind::Audit,
            Self::Other => EventKind::Node,
        }
    }
}

/// Which events to show. What is empty or `None` lets everything pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActivityFilter {
    /// Of these kinds only; empty is all but fills.
    #[serde(default)]
    pub kinds: Vec<EventKind>,
    /// About this cache only.
    #[serde(default)]
    pub cache: Option<String>,
    /// On this node only.
    #[serde(default)]
    pub node: Option<NodeId>,
    /// Of this cause only, where it is a removal.
    #[serde(default)]
    pub cause: Option<Cause>,
}

impl ActivityFilter {
    /// Whether an event passes.
    pub fn passes(&self, event: &Event) -> bool {
        let kind = event.what.kind();
        let of_kind = match self.kinds.as_slice() {
            [] => kind != EventKind::Fill,
            kinds => kinds.contains(&kind),
        };
        let of_cause = match (&event.what, self.cause) {
            (What::Removed { cause, .. }, Some(wanted)) => *cause == wanted,
            _ => true,
        };
        of_kind
            && of_cause
            && self.cache.as_ref().is_none_or(|cache| *cache == event.cache)
            && self.node.as_ref().is_none_or(|node| *node == event.node)
    }
}

/// The newest events after a place in the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Activity {
    /// Those that pass the filter, oldest first.
    pub events: Vec<Event>,
    /// The place to go on from.
    pub last: u64,
    /// Events after the given place that were already forgotten, whether or not they would pass.
    pub missed: u64,
    /// Events since the start that were never kept, because more came than are kept in a second.
    pub dropped: u64,
}
