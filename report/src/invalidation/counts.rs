use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

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
    /// A scope that this version does not know.
    #[serde(other)]
    Other,
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
            Self::Other => "other",
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
    /// An origin that this version does not know.
    #[serde(other)]
    Other,
}

impl Origin {
    /// Every origin.
    pub const ALL: [Self; 2] = [Self::Local, Self::Bus];

    /// The label of metrics and of the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Bus => "bus",
            Self::Other => "other",
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
            Scope::Other => 0,
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
