use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::NodeId;

/// What an invalidation is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One key.
    #[default]
    Key,
    /// Every key that matches a pattern.
    Pattern,
    /// Every entry that carries a tag.
    Tag,
    /// The whole cache.
    All,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Key, Self::Pattern, Self::Tag, Self::All];

    /// The label of metrics and of the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Pattern => "pattern",
            Self::Tag => "tag",
            Self::All => "all",
        }
    }
}

/// Where an invalidation came from, seen from one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Begun on this node.
    Local,
    /// Heard on the bus.
    Bus,
}

impl Origin {
    /// Every origin.
    pub const ALL: [Self; 2] = [Self::Local, Self::Bus];

    /// The label of metrics and of the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Bus => "bus",
        }
    }
}

/// Invalidations counted by scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
#[expect(missing_docs, reason = "each field counts the scope of its name")]
pub struct ScopeCounts {
    pub key: u64,
    pub pattern: u64,
    pub tag: u64,
    pub all: u64,
}

impl ScopeCounts {
    /// The count of one scope.
    pub fn get(&self, scope: Scope) -> u64 {
        match scope {
            Scope::Key => self.key,
            Scope::Pattern => self.pattern,
            Scope::Tag => self.tag,
            Scope::All => self.all,
        }
    }
}

impl AddAssign for ScopeCounts {
    fn add_assign(&mut self, other: Self) {
        self.key += other.key;
        self.pattern += other.pattern;
        self.tag += other.tag;
        self.all += other.all;
    }
}

/// What an invalidation did to L2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Effect {
    /// Entries were removed and other nodes were told. 0 means that none was there.
    Removed {
        /// How many entries.
        entries: u64,
    },
    /// A tag was raised and other nodes were told. Entries that carry it are found out, and
    /// overwritten, as they are read.
    Marked,
    /// Redis could not be reached; the invalidation waits and is replayed before L2 is trusted.
    Queued,
    /// The cache has no L2.
    Off,
}

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

/// Where a pattern invalidation stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Still removing.
    #[default]
    Running,
    /// Ran to its end.
    Done,
    /// Stopped by an operator; what was removed stays removed.
    Cancelled,
    /// Could not reach L2 to its end; the rest is queued.
    Queued,
    /// Broke off by itself, because the node that ran it went away; what was removed stays removed.
    Failed,
}

/// What a job does to its keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// Removes them.
    #[default]
    Invalidate,
    /// Marks them as stale: the older value is served while one reader loads the new one.
    #[serde(rename = "soften")]
    MarkStale,
    /// Loads them anew; the older value is served meanwhile.
    Refresh,
}

/// Something that went wrong in a job without ending it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobError {
    /// The node on which; empty where it was on none.
    pub node: NodeId,
    /// What, as a sentence.
    pub what: String,
}

/// What a refresh left at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Refreshed {
    /// The node whose L1 it is; empty for L2.
    pub node: NodeId,
    /// What is there.
    pub state: RefreshState,
}

/// What a place holds of a key after a refresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefreshState {
    /// A value that was loaded since.
    Loaded,
    /// The older value was removed: the next read takes the new one.
    Removed,
    /// Nothing was there, and nothing is.
    Absent,
    /// The older value is still there.
    Older,
    /// It could not be asked.
    #[default]
    #[serde(other)]
    Unknown,
}

/// An invalidation that runs, or ran, in the background.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    /// Its id.
    pub id: u64,
    /// The cache it is about.
    pub cache: String,
    /// Key, pattern or all.
    pub scope: Scope,
    /// The key or pattern as typed.
    pub target: String,
    /// Who asked for it.
    pub actor: String,
    /// Where it stands.
    pub state: JobState,
    /// Entries that matched in L1 of each node when it began.
    pub l1: Vec<NodeCount>,
    /// Matching entries still in L1 of some node when it ended; 0 unless a node is deaf.
    pub l1_left: u64,
    /// Keys looked at in L2 so far.
    pub l2_scanned: u64,
    /// Entries removed from L2 so far.
    pub l2_removed: u64,
    /// Whether the cache has an L2.
    pub l2_configured: bool,
    /// When it began, milliseconds since the epoch.
    pub started_at_ms: u64,
    /// When it ended, milliseconds since the epoch.
    pub ended_at_ms: Option<u64>,
    /// What it does.
    #[serde(default)]
    pub kind: JobKind,
    /// What was planned, where it was run from a plan.
    #[serde(default)]
    pub plan: Option<Plan>,
    /// Whether somebody asked it to stop.
    #[serde(default)]
    pub cancel_asked: bool,
    /// Of `l1_left`, what is left on which node.
    #[serde(default)]
    pub l1_left_on: Vec<NodeCount>,
    /// What went wrong; at most [`Job::MAX_ERRORS`].
    #[serde(default)]
    pub errors: Vec<JobError>,
    /// What a refresh left in L1 of each node and, last, in L2.
    #[serde(default)]
    pub refreshed: Vec<Refreshed>,
    /// Where it waited for Redis as it ended: when it was replayed, milliseconds since the epoch.
    #[serde(default)]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub replayed_at_ms: Option<u64>,
}

impl Job {
    /// The most errors that are kept.
    pub const MAX_ERRORS: usize = 100;
}
