use serde::{Deserialize, Serialize};

use crate::{Event, NodeId};

/// One key, looked at in every level and in the source without disturbing the cache.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyLook {
    /// The cache.
    pub cache: String,
    /// The key.
    pub key: String,
    /// L1 of each node.
    pub l1: Vec<L1Look>,
    /// L2; `None` where it is off or could not be asked.
    pub l2: Option<L2Look>,
    /// The source, asked without the cache; `None` where nobody can ask it for this cache.
    #[serde(default)]
    pub source: Option<SourceLook>,
    /// Whether L2's value is another than the source's; `None` where the two cannot be compared.
    #[serde(default)]
    pub l2_differs: Option<bool>,
    /// The key's group; `None` where no node could tell.
    #[serde(default)]
    pub group: Option<String>,
    /// What happened to the key of late, oldest first, all nodes together.
    #[serde(default)]
    pub events: Vec<Event>,
    /// Nothing older than this is remembered for certain, milliseconds since the epoch; `None`
    /// where no node remembers anything.
    #[serde(default)]
    pub events_since_ms: Option<u64>,
    /// Who did not answer, as a sentence; `None` where all nodes have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub partial: Option<String>,
    /// Why it cannot be loaded anew from here, as a sentence; `None` where it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub no_refresh: Option<String>,
    /// Why no values are shown, as a sentence; `None` where they are, or are hidden from who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub no_values: Option<String>,
}

/// One key in L1 of one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct L1Look {
    /// The node.
    pub node: NodeId,
    /// The entry; `None` where there is none.
    pub entry: Option<EntryLook>,
    /// Whether its value is another than the source's; `None` where the two cannot be compared.
    #[serde(default)]
    pub differs: Option<bool>,
    /// Why the node has not answered, so that nobody knows of an entry, as a fragment that fits
    /// after "failed to"; `None` where it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub unknown: Option<String>,
}

/// One key in L2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum L2Look {
    /// Nothing is there.
    Absent,
    /// A node holds the lease and is loading.
    Leased,
    /// An entry.
    Entry(EntryLook),
    /// Bytes that are no entry of this version, which are read as a miss, or a state that only a
    /// later version knows.
    #[serde(other)]
    Unreadable,
}

/// One key in the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum SourceLook {
    /// It has a value.
    Value {
        /// As JSON text.
        value: String,
    },
    /// It has one, which is hidden from who asks.
    Hidden,
    /// It has none: "not found".
    Absent,
    /// It did not answer.
    Failed {
        /// Why, as a fragment that fits after "failed to …".
        why: String,
    },
}

/// One entry, as an inspector sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
pub struct EntryLook {
    /// The value as JSON text; `None` is a remembered "not found", or hidden.
    pub value: Option<String>,
    /// Whether there is a value that is hidden from who asks. Left out where there is none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub value_hidden: bool,
    /// Whether a read would be answered with it now.
    pub fresh: bool,
    /// Whether the next read is answered with it though it is not fresh, and has it loaded anew.
    #[serde(default)]
    pub served_stale: bool,
    /// Since it was loaded, milliseconds.
    pub age_ms: u64,
    /// Until it expires, milliseconds; `None` has no deadline.
    pub expires_in_ms: Option<u64>,
    /// The version of its row; `None` where the source gave none.
    pub version: Option<u64>,
    /// What it was made from besides its key.
    pub tags: Vec<String>,
    /// Its weight in L1 or its size in L2, bytes; `None` where it is not weighed.
    pub bytes: Option<u64>,
}
