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
    /// A kind that this version does not know.
    #[serde(other)]
    Other,
}

/// What the write-behind of one cache says about itself on one node.
///
/// All but `queued`, `capacity`, `interval_ms`, `aside`, `oldest_age_ms`, `failing` and what
/// follows it are counters that only grow. In memory
/// `accepted + redriven = written + coalesced + set_aside + queued` while no call of the sink is
/// running. Of the durable kind each node counts its own share, and a value that was replaced while
/// it was being sent, or was delivered twice, counts twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct WriteBehindReport {
    /// The cache's name.
    pub cache: String,
    /// Where unwritten values are kept.
    pub kind: WriteBehindKind,
    /// Keys whose newest value the source does not have yet. Of the durable kind those of all
    /// nodes, as seen by the last round.
    pub queued: u64,
    /// Keys that may be unwritten at once, dead letters included.
    pub capacity: u64,
    /// How long a value waits at most where nothing fails, milliseconds.
    pub interval_ms: u64,
    /// How long the oldest of `queued` has waited, milliseconds; `None` where none waits.
    pub oldest_age_ms: Option<u64>,
    /// Dead letters now. Of the durable kind those of all nodes.
    pub aside: u64,
    /// Writes acknowledged.
    pub accepted: u64,
    /// Rows that the sink took.
    pub written: u64,
    /// Rows sent again after a failure.
    pub retried: u64,
    /// Calls of the sink that failed, panicked or ran out of time.
    pub failed: u64,
    /// Rows that became dead letters after their last try.
    pub set_aside: u64,
    /// Dead letters that were queued again.
    pub redriven: u64,
    /// Acknowledged values that a newer one replaced before they were sent.
    pub coalesced: u64,
    /// Writes refused: no room, Redis away, or already overtaken. A `write` that waits for room is
    /// not refused.
    pub refused: u64,
    /// Dead letters that were forgotten: dropped by somebody, or because a newer value of
    /// their key waited when they were to be queued again.
    pub dropped: u64,
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

impl WriteBehindReport {
    /// Adds another node's report of the same cache's write-behind. Of the durable kind the rows in
    /// Redis are those of all nodes already, so the latest that any of them saw count.
    pub fn merge(&mut self, other: &Self) {
        let add = match self.kind {
            WriteBehindKind::Memory | WriteBehindKind::Other => |a: u64, b: u64| a + b,
            WriteBehindKind::Durable => u64::max,
        };
        self.queued = add(self.queued, other.queued);
        self.capacity = add(self.capacity, other.capacity);
        self.aside = add(self.aside, other.aside);
        self.interval_ms = self.interval_ms.max(other.interval_ms);
        self.oldest_age_ms = self.oldest_age_ms.max(other.oldest_age_ms);
        self.accepted += other.accepted;
        self.written += other.written;
        self.retried += other.retried;
        self.failed += other.failed;
        self.set_aside += other.set_aside;
        self.redriven += other.redriven;
        self.coalesced += other.coalesced;
        self.refused += other.refused;
        self.dropped += other.dropped;
        self.claimed += other.claimed;
        self.failing += other.failing;
        self.failing_since_ms =
            [self.failing_since_ms, other.failing_since_ms].into_iter().flatten().min();
        if self.last_error.is_none() {
            self.last_error.clone_from(&other.last_error);
        }
        self.other_schema = add(self.other_schema, other.other_schema);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(kind: WriteBehindKind, queued: u64) -> WriteBehindReport {
        let oldest_age_ms = Some(queued * 10);
        WriteBehindReport {
            kind,
            queued,
            capacity: 100,
            aside: queued,
            oldest_age_ms,
            accepted: 1,
            ..WriteBehindReport::default()
        }
    }

    fn merged(kind: WriteBehindKind) -> WriteBehindReport {
        let mut sum = report(kind, 3);
        sum.merge(&report(kind, 5));
        sum
    }

    #[test]
    fn rows_in_redis_are_not_counted_once_a_node() {
        let sum = merged(WriteBehindKind::Durable);
        assert_eq!((sum.queued, sum.aside, sum.capacity, sum.accepted), (5, 5, 100, 2));
        assert_eq!(sum.oldest_age_ms, Some(50));
    }

    #[test]
    fn rows_in_memory_are_added_up_over_nodes() {
        let sum = merged(WriteBehindKind::Memory);
        assert_eq!((sum.queued, sum.aside, sum.capacity, sum.accepted), (8, 8, 200, 2));
    }

    #[test]
    fn a_report_of_a_node_that_knows_fewer_fields_is_read() {
        let read: WriteBehindReport = serde_json::from_str(r#"{"cache":"users"}"#).unwrap();
        assert_eq!(read, WriteBehindReport { cache: "users".to_owned(), ..read.clone() });
    }
}
