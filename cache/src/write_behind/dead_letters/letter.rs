use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::node::DeadLetterFields;

/// A write that was acknowledged and then became a dead letter: the sink refused it as often as
/// allowed, or it cannot be read. It is not in effect, so readers see the source's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter<V> {
    /// Identifies it in [`DeadLetterFilter::id`](crate::DeadLetterFilter::id).
    pub id: String,
    /// The text of its key.
    pub key: String,
    /// The value; `None` if it cannot be read.
    pub value: Option<V>,
    /// Its row version.
    pub version: u64,
    /// How often it was sent.
    pub tries: u32,
    /// Why it became a dead letter: the sink's last error.
    pub reason: String,
    /// When it became a dead letter; for the durable kind by Redis's clock.
    pub since: SystemTime,
}

/// One page of dead letters, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetters<V> {
    /// The matching dead letters.
    pub letters: Vec<DeadLetter<V>>,
    /// The cursor of the next page; `None` at the end.
    pub next: Option<String>,
    /// The number of all dead letters, whether they match or not.
    pub total: u64,
}

/// A dead letter as it is stored.
pub(in crate::write_behind) struct StoredLetter<V> {
    pub(in crate::write_behind) id: String,
    pub(in crate::write_behind) key: String,
    pub(in crate::write_behind) value: LetterValue<V>,
    pub(in crate::write_behind) version: u64,
    pub(in crate::write_behind) tries: u32,
    pub(in crate::write_behind) reason: String,
    pub(in crate::write_behind) since_ms: u64,
}

pub(in crate::write_behind) enum LetterValue<V> {
    /// As stored in Redis; empty if it was not requested.
    Stored(String),
    Here(Arc<V>),
}

/// Whether values are read too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::write_behind) enum Values {
    With,
    Without,
}

/// The result of one look at a store.
pub(in crate::write_behind) struct LetterScan<V> {
    /// Oldest first, whether they match or not.
    pub(in crate::write_behind) letters: Vec<StoredLetter<V>>,
    /// Whether there are more before the cursor's end.
    pub(in crate::write_behind) has_more: bool,
    /// The end of a cursor that began with this look.
    pub(in crate::write_behind) until: u64,
    /// The time of the look, milliseconds since the epoch, by the clock of the letters' `since_ms`.
    pub(in crate::write_behind) until_ms: Option<u64>,
    pub(in crate::write_behind) total: u64,
}

/// The result of moving some of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::write_behind) struct MoveCounts {
    pub(in crate::write_behind) redriven: u64,
    pub(in crate::write_behind) superseded: u64,
    pub(in crate::write_behind) dropped: u64,
    pub(in crate::write_behind) left: u64,
}

impl<V> StoredLetter<V> {
    /// The fields that a filter compares.
    pub(super) fn fields(&self) -> DeadLetterFields<'_> {
        let Self { id, key, reason, since_ms, .. } = self;
        DeadLetterFields { id, key, reason, since_ms: *since_ms }
    }

    pub(super) fn since(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.since_ms)
    }
}
