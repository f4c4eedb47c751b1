use serde::{Deserialize, Serialize};

/// Where a write-behind keeps what the source does not have yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum WriteBehindKind {
    /// In the process: lost with it.
    #[default]
    Memory,
    /// In Redis: as durable as that.
    Durable,
}

/// What the write-behind of one cache says about itself on one node.
///
/// All but `queued`, `capacity`, `aside`, `oldest_age_ms`, `failing` and what follows it are counters
/// that only grow. In memory
/// `accepted + redriven = written + coalesced + set_aside + queued` while no call of the sink is
/// running. Of the durable kind each node counts its own share, and a value that was replaced while
/// it was being sent, or was delivered twice, counts twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WriteBehindReport {
    /// The cache's name.
    pub cache: String,
    /// Where unwritten values are kept.
    pub kind: WriteBehindKind,
    /// Keys whose newest value the source does not have yet. Of the durable kind those of all
    /// nodes, as seen by the last round.
    pub queued: u64,
    /// Keys that may be unwritten at once, those set aside included.
    pub capacity: u64,
    /// How long the oldest of `queued` has waited, milliseconds; `None` where none waits.
    pub oldest_age_ms: Option<u64>,
    /// Rows that stand aside now. Of the durable kind those of all nodes.
    pub aside: u64,
    /// Writes acknowledged.
    pub accepted: u64,
    /// Rows that the sink took.
    pub written: u64,
    /// Rows sent again after a failure.
    pub retried: u64,
    /// Calls of the sink that failed, panicked or ran out of time.
    pub failed: u64,
    /// Rows set aside after their last try.
    pub set_aside: u64,
    /// Rows that stood aside and were queued again.
    pub redriven: u64,
    /// Acknowledged values that a newer one replaced before they were sent.
    pub coalesced: u64,
    /// Writes refused: no room, Redis away, or already overtaken. A `write` that waits for room is
    /// not refused.
    pub refused: u64,
    /// Rows taken over from a consumer that no longer answers. Durable kind only.
    pub claimed: u64,
    /// Rows that the sink did not take and that this node will send again.
    #[serde(default)]
    pub failing: u64,
    /// Since when the first of `failing` has failed, Unix milliseconds; `None` where there are none.
    #[serde(default)]
    pub failing_since_ms: Option<u64>,
    /// What the sink said when it last failed; `None` where it never did.
    #[serde(default)]
    pub last_error: Option<String>,
    /// Those of `queued` that only a node with another schema of the cache can read, as far as
    /// anybody has looked at them. Durable kind only.
    #[serde(default)]
    pub other_schema: u64,
}
