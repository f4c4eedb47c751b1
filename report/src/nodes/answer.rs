use serde::{Deserialize, Serialize};

#[cfg(doc)]
use crate::NodeRequest;
use crate::{
    CacheEvents, CacheKey, CacheName, CacheReport, DeadLetterPage, DeadLetterResult, EntryLook,
    KeyRow, L1Survey, L2Look, NodeId,
};

/// What a node answers to a [`NodeRequest`]. On the wire it is the body of a
/// [`Reply`](crate::Reply).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[expect(clippy::large_enum_variant, reason = "one answer at a time is moved, and never kept")]
pub enum NodeAnswer {
    /// One key in L1.
    Entry {
        /// The entry; `None` if there is none.
        #[serde(default)]
        entry: Option<EntryLook>,
    },
    /// One key in L2.
    L2 {
        /// What is there; `None` if L2 is off or cannot be asked.
        #[serde(default)]
        look: Option<L2Look>,
    },
    /// Keys of one L1.
    Keys(L1Keys),
    /// How many keys match.
    Matches(KeyMatch),
    /// The entries of one L1.
    Survey(L1Survey),
    /// What happened.
    Events(CacheEvents),
    /// The name of a group.
    Group {
        /// The group; `None` if the text is no key of the cache.
        #[serde(default)]
        group: Option<String>,
    },
    /// A value as people may see it.
    Value {
        /// As JSON text; `None` if the cache hides it.
        #[serde(default)]
        value: Option<String>,
    },
    /// The cache's report.
    Report(Box<CacheReport>),
    /// A page of dead letters.
    DeadLetters(DeadLetterPage),
    /// What one step has done with dead letters.
    DeadLettersMoved(DeadLetterResult),
    /// It was done.
    Done {
        /// Whether something was there to do it to.
        #[serde(default)]
        changed: bool,
    },
    /// There is no answer.
    Failed {
        /// Why.
        #[serde(default)]
        error: NodeError,
    },
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

/// Keys of one L1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct L1Keys {
    /// How many match in all; at least so many where `is_partial`.
    pub n_keys: u64,
    /// Those that were asked for, by name.
    pub rows: Vec<KeyRow>,
    /// Whether there may be more, because the walk ended before its time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_partial: bool,
}

/// Keys that match a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyMatch {
    /// How many.
    pub n_keys: u64,
    /// Some of them.
    pub samples: Vec<String>,
    /// Whether there may be more, because counting all would have taken too long.
    pub is_partial: bool,
    /// Keys of all caches that a count in L2 passed, to within one step of SCAN.
    pub n_scanned: u64,
}

/// Why a node has no answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum NodeError {
    /// It has no cache of this name.
    UnknownCache(CacheName),
    /// The text is no key of the cache.
    BadKey(CacheKey),
    /// The cache's keys have no text, because it is observed without.
    NoKeyText(CacheName),
    /// The text is no key pattern.
    BadPattern {
        /// The text.
        #[serde(default)]
        pattern: String,
    },
    /// The cache is only observed, so it cannot be changed that way.
    OnlyObserved(CacheName),
    /// The service has not said how keys of the cache are loaded.
    NoLoader(CacheName),
    /// The cache has no write-behind on this node.
    NoWriteBehind(CacheName),
    /// Where the dead letters lie does not answer, or the write-behind has been shut down.
    DeadLettersAway(CacheName),
    /// The source did not answer.
    SourceFailed {
        /// Why, as a fragment that fits after "failed to".
        #[serde(default)]
        why: String,
    },
    /// The node does not answer.
    Gone {
        /// The node.
        #[serde(default)]
        node: NodeId,
    },
    /// The node may not or cannot answer now.
    Refused {
        /// Why, as a fragment that fits after "because".
        #[serde(default)]
        because: String,
    },
    /// The node does not know what was asked, or nobody understands its answer.
    Unsupported {
        /// The version of its `strata-cache`.
        #[serde(default)]
        version: String,
    },
    /// Something that this version does not know.
    #[default]
    #[serde(other)]
    Other,
}
