use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

/// How one read ended. Each read has exactly one outcome, so the counts add up to the reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The process's own memory had a fresh entry.
    L1Hit,
    /// Redis had a fresh entry.
    L2Hit,
    /// This read asked the source and was answered.
    Loaded,
    /// This read waited for another read's flight. Not a hit.
    Coalesced,
    /// An entry past its time to live was served because the source failed or a refresh runs.
    Stale,
    /// The caller asked to go around the cache.
    Bypassed,
    /// Nothing was cached and the caller brought no load.
    Missed,
    /// The source failed or timed out and no entry could stand in.
    Failed,
}

impl Outcome {
    /// Every outcome, in the order in which screens stack them.
    pub const ALL: [Self; 8] = [
        Self::L1Hit,
        Self::L2Hit,
        Self::Loaded,
        Self::Coalesced,
        Self::Stale,
        Self::Bypassed,
        Self::Missed,
        Self::Failed,
    ];

    /// The label of metrics and of the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::L1Hit => "l1_hit",
            Self::L2Hit => "l2_hit",
            Self::Loaded => "loaded",
            Self::Coalesced => "coalesced",
            Self::Stale => "stale",
            Self::Bypassed => "bypassed",
            Self::Missed => "missed",
            Self::Failed => "failed",
        }
    }
}

/// Reads counted by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
#[expect(missing_docs, reason = "each field counts the outcome of its name")]
pub struct Outcomes {
    pub l1_hit: u64,
    pub l2_hit: u64,
    pub loaded: u64,
    pub coalesced: u64,
    pub stale: u64,
    pub bypassed: u64,
    pub missed: u64,
    pub failed: u64,
}

impl Outcomes {
    /// Counts in the order of [`Outcome::ALL`].
    pub fn from_counts(counts: [u64; 8]) -> Self {
        let [l1_hit, l2_hit, loaded, coalesced, stale, bypassed, missed, failed] = counts;
        Self { l1_hit, l2_hit, loaded, coalesced, stale, bypassed, missed, failed }
    }

    /// The count of one outcome.
    pub fn get(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::L1Hit => self.l1_hit,
            Outcome::L2Hit => self.l2_hit,
            Outcome::Loaded => self.loaded,
            Outcome::Coalesced => self.coalesced,
            Outcome::Stale => self.stale,
            Outcome::Bypassed => self.bypassed,
            Outcome::Missed => self.missed,
            Outcome::Failed => self.failed,
        }
    }

    /// All reads: the sum of every outcome.
    pub fn reads(&self) -> u64 {
        Outcome::ALL.iter().map(|outcome| self.get(*outcome)).sum()
    }

    /// The share of reads that ended in `outcome`, between 0 and 1; `None` without reads.
    pub fn share(&self, outcome: Outcome) -> Option<f64> {
        let reads = self.reads();
        (reads > 0).then(|| self.get(outcome) as f64 / reads as f64)
    }

    fn zip(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self::from_counts(Outcome::ALL.map(|outcome| f(self.get(outcome), other.get(outcome))))
    }
}

impl Add for Outcomes {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.zip(other, u64::saturating_add)
    }
}

impl AddAssign for Outcomes {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// The difference of two readings; saturates, because a restarted node counts from zero again.
impl Sub for Outcomes {
    type Output = Self;
    fn sub(self, earlier: Self) -> Self {
        self.zip(earlier, u64::saturating_sub)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_add_up_to_the_reads() {
        let outcomes = Outcomes::from_counts([1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(outcomes.reads(), 36);
        assert_eq!(outcomes.failed, 8);
    }

    #[test]
    fn a_share_of_no_reads_is_unknown() {
        assert_eq!(Outcomes::default().share(Outcome::L1Hit), None);
    }

    #[test]
    fn a_restarted_node_never_makes_a_negative_difference() {
        let before = Outcomes { l1_hit: 10, ..Outcomes::default() };
        let after = Outcomes { l1_hit: 3, ..Outcomes::default() };
        assert_eq!((after - before).l1_hit, 0);
    }
}
