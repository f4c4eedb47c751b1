use serde::{Deserialize, Serialize};

use crate::NodeId;

/// What an invalidation would remove, counted without changing anything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Plan {
    /// The cache it is about.
    pub cache: String,
    /// The pattern, a glob on the key.
    pub pattern: String,
    /// Matching keys in L1 of each node.
    pub l1: Vec<NodeCount>,
    /// Matching keys in L2; `None` where it could not be asked.
    pub l2: Option<u64>,
    /// Whether there may be more in L2: counting all would have taken too long.
    #[serde(default)]
    pub l2_at_least: bool,
    /// Then, keys of all caches that the count passed, to within one step of SCAN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub l2_scanned: Option<u64>,
    /// And about how many there are, where Redis tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub l2_keys: Option<u64>,
    /// Some of the matching keys.
    pub samples: Vec<String>,
    /// When it was counted, milliseconds since the epoch.
    pub at_ms: u64,
    /// Its id, by which it is run; empty where it cannot be.
    #[serde(default)]
    pub id: String,
    /// From then on it is too old to be run, milliseconds since the epoch.
    #[serde(default)]
    pub expires_at_ms: u64,
    /// Whether whoever runs it must type the pattern again.
    #[serde(default)]
    pub type_again: bool,
    /// Why it will be refused, as a sentence: it matches protected keys.
    #[serde(default)]
    pub protected: Option<String>,
    /// The source's time that loading it all again will cost; `None` before the first load.
    #[serde(default)]
    pub reload: Option<Reload>,
    /// Who did not answer, as a sentence; `None` where all nodes have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub partial: Option<String>,
}

impl Plan {
    /// Above so many entries in all, the pattern must be typed again.
    pub const TYPE_AGAIN_ABOVE: u64 = 1_000;

    /// Copies that match, on every level and node.
    pub fn entries(&self) -> u64 {
        self.l1.iter().map(|node| node.entries).sum::<u64>() + self.l2.unwrap_or(0)
    }

    /// Different keys that match: at least so many, since most lie on several levels and nodes.
    pub fn keys_at_least(&self) -> u64 {
        let l1 = self.l1.iter().map(|node| node.entries).max().unwrap_or(0);
        l1.max(self.l2.unwrap_or(0))
    }
}

/// What loading keys again costs the source: a range, from the quartiles of the loads so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reload {
    /// Keys times the 25th percentile of a load, milliseconds.
    pub low_ms: u64,
    /// Keys times the 75th percentile of a load, milliseconds.
    pub high_ms: u64,
}

/// A number of entries in one node's L1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeCount {
    /// The node.
    pub node: NodeId,
    /// Entries.
    pub entries: u64,
}
