use serde::{Deserialize, Serialize};

use crate::{NodeCount, NodeId};

/// In which level to search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum LevelChoice {
    /// In both; a key that lies in both is one row.
    #[default]
    Any,
    /// In L1 of each node.
    L1,
    /// In L2.
    L2,
}

/// What to search for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyQuery {
    /// A glob on the key.
    pub pattern: String,
    /// In which level.
    #[serde(default)]
    pub level: LevelChoice,
    /// The most rows, 1 to [`KeyQuery::MAX_LIMIT`].
    pub limit: u32,
    /// Where the page before ended; `None` begins.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl KeyQuery {
    /// Rows where nothing else is said.
    pub const DEFAULT_LIMIT: u32 = 100;
    /// The most rows of one page.
    pub const MAX_LIMIT: u32 = 1_000;
}

/// One page of keys that match. A key that comes or goes between two pages may be missing or come
/// twice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyPage {
    /// The cache.
    pub cache: String,
    /// The keys: those in L1 first, by name, then those in L2 alone, in Redis's own order.
    pub rows: Vec<KeyRow>,
    /// All matching keys in L1 of each node at this moment. Empty where L1 was not searched.
    pub l1_found: Vec<NodeCount>,
    /// Matching keys that this page found in L2; `None` where L2 was not searched or is away.
    pub l2_found: Option<u64>,
    /// Keys of all caches that this page looked at in L2, to within one step of SCAN.
    pub l2_scanned: Option<u64>,
    /// About how many there are to look at; `None` where all were, or where Redis does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l2_keys: Option<u64>,
    /// Whether L2 should have been searched and could not.
    pub l2_away: bool,
    /// Whether there is more: the row limit, or the time for one page, cut it.
    pub cut: bool,
    /// The cursor of the next page; `None` at the end.
    pub next: Option<String>,
    /// Who did not answer, as a sentence; `None` where all nodes have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub partial: Option<String>,
}

/// One key that matches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
pub struct KeyRow {
    /// The key.
    pub key: String,
    /// The nodes that hold it, fresh, in L1.
    pub l1: Vec<NodeId>,
    /// Whether it lies in L2; `None` where L2 is off or could not be asked.
    pub l2: Option<bool>,
    /// Its group.
    pub group: Option<String>,
    /// Since its newest copy was loaded, milliseconds.
    pub age_ms: Option<u64>,
    /// Until its last copy expires, milliseconds.
    pub expires_in_ms: Option<u64>,
    /// Its size in L2, else its weight in L1 where entries are weighed, bytes.
    pub bytes: Option<u64>,
    /// Whether something else than an entry lies at it in L2, such as another type of value. Left
    /// out where it does not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub l2_something_else: bool,
}
