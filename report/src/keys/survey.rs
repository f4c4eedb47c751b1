use serde::{Deserialize, Serialize};

use crate::LogHistogram;

/// When the entries of one L1 expire, and how large they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct L1Survey {
    /// The number of fresh entries that were examined.
    pub entries: u64,
    /// Whether there are more entries.
    pub sampled: bool,
    /// How many expire in each of the next 360 spans of ten seconds.
    pub expiring: Vec<u64>,
    /// Their weights, bytes; `None` if they are not weighed.
    pub bytes: Option<LogHistogram>,
    /// Whether the walk ended before its time, so that there may be more than it found.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_partial: bool,
}

impl L1Survey {
    /// The greatest number of entries that are examined.
    pub const MAX_ENTRIES: usize = 100_000;

    /// How many spans are predicted.
    pub const N_SPANS: usize = 360;

    /// The length of a span, milliseconds.
    pub const SPAN_MS: u64 = 10_000;

    /// Adds the survey of another node's L1.
    pub fn merge(&mut self, other: &Self) {
        self.entries += other.entries;
        self.sampled |= other.sampled;
        self.is_partial |= other.is_partial;
        self.expiring.resize(self.expiring.len().max(other.expiring.len()), 0);
        self.expiring.iter_mut().zip(&other.expiring).for_each(|(mine, theirs)| *mine += theirs);
        match (&mut self.bytes, &other.bytes) {
            (Some(mine), Some(theirs)) => mine.merge(theirs),
            (mine @ None, theirs) => mine.clone_from(theirs),
            (Some(_), None) => {}
        }
    }
}
