use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::NodeId;

/// What an invalidation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One key.
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The cache it is about.
    pub cache: String,
    /// The pattern, a glob on the key.
    pub pattern: String,
    /// Matching keys in L1 of each node.
    pub l1: Vec<NodeCount>,
    /// Matching keys in L2; `None` where it could not be asked.
    pub l2: Option<u64>,
    /// Some of the matching keys.
    pub samples: Vec<String>,
    /// When it was counted, milliseconds since the epoch.
    pub at_ms: u64,
}

/// A number of entries in one node's L1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeCount {
    /// The node.
    pub node: NodeId,
    /// Entries.
    pub entries: u64,
}

/// Where a pattern invalidation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Still removing.
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

/// An invalidation that runs, or ran, in the background.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
}

/// One key, looked at in every level without disturbing the cache.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyLook {
    /// The cache.
    pub cache: String,
    /// The key.
    pub key: String,
    /// L1 of each node.
    pub l1: Vec<L1Look>,
    /// L2; `None` where it is off or could not be asked.
    pub l2: Option<L2Look>,
}

/// One key in L1 of one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct L1Look {
    /// The node.
    pub node: NodeId,
    /// The entry; `None` where there is none.
    pub entry: Option<EntryLook>,
}

/// One key in L2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum L2Look {
    /// Nothing is there.
    Absent,
    /// A node holds the lease and is loading.
    Leased,
    /// Bytes that are no entry of this version; read as a miss.
    Unreadable,
    /// An entry.
    Entry(EntryLook),
}

/// One entry, as an inspector sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntryLook {
    /// The value as JSON text; `None` is a remembered "not found".
    pub value: Option<String>,
    /// Whether a read would be answered with it now.
    pub fresh: bool,
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
