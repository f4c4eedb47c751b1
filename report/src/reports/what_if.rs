use serde::{Deserialize, Serialize};

/// What the hit ratio of L1 would have been with less or more capacity: an estimate from small
/// copies of L1 that see the reads of a sample of the keys.
///
/// Counts grow while the node lives; the difference of two readings is the curve of what came
/// between.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
pub struct WhatIf {
    /// One key in so many takes part, chosen by its hash.
    pub sampled_one_in: f64,
    /// Reads since the simulation began, of all keys.
    pub reads: u64,
    /// Reads that it looked at.
    pub sampled_reads: u64,
    /// Reads of sampled keys that it left out because there were too many at once.
    pub skipped_reads: u64,
    /// The curve, smallest capacity first.
    pub points: Vec<WhatIfPoint>,
}

/// One point of the curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
pub struct WhatIfPoint {
    /// The capacity, in multiples of what L1 has.
    pub capacity_factor: f64,
    /// Of all `reads`, so many would have hit, estimated.
    pub hits: u64,
}

impl WhatIf {
    /// Fewer sampled reads than this say nothing.
    pub const MIN_SAMPLED_READS: u64 = 1_000;

    /// The estimated hit ratio at so many times the capacity, between 0 and 1; `None` where that
    /// was not simulated or too few reads were seen.
    pub fn hit_ratio(&self, capacity_factor: f64) -> Option<f64> {
        let point = self.points.iter().find(|point| point.capacity_factor == capacity_factor)?;
        let enough = self.sampled_reads >= Self::MIN_SAMPLED_READS && self.reads > 0;
        enough.then(|| (point.hits as f64 / self.reads as f64).clamp(0.0, 1.0))
    }

    /// What came after `earlier`; saturates, because a restarted node counts from zero.
    pub fn since(&self, earlier: &Self) -> Self {
        let mut out = self.clone();
        out.reads = out.reads.saturating_sub(earlier.reads);
        out.sampled_reads = out.sampled_reads.saturating_sub(earlier.sampled_reads);
        out.skipped_reads = out.skipped_reads.saturating_sub(earlier.skipped_reads);
        for (mine, theirs) in out.points.iter_mut().zip(&earlier.points) {
            mine.hits = mine.hits.saturating_sub(theirs.hits);
        }
        out
    }

    /// Adds another node's curve of the same cache.
    pub fn merge(&mut self, other: &Self) {
        self.sampled_one_in = self.sampled_one_in.max(other.sampled_one_in);
        self.reads += other.reads;
        self.sampled_reads += other.sampled_reads;
        self.skipped_reads += other.skipped_reads;
        for theirs in &other.points {
            let same = |mine: &&mut WhatIfPoint| mine.capacity_factor == theirs.capacity_factor;
            match self.points.iter_mut().find(same) {
                Some(mine) => mine.hits += theirs.hits,
                None => self.points.push(*theirs),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(sampled_reads: u64, hits: u64) -> WhatIf {
        let points = vec![WhatIfPoint { capacity_factor: 2.0, hits }];
        WhatIf { sampled_one_in: 10.0, reads: 10_000, sampled_reads, skipped_reads: 0, points }
    }

    #[test]
    fn too_few_reads_give_no_ratio() {
        assert_eq!(curve(999, 5_000).hit_ratio(2.0), None);
        assert_eq!(curve(1_000, 5_000).hit_ratio(2.0), Some(0.5));
        assert_eq!(curve(1_000, 5_000).hit_ratio(4.0), None, "not simulated");
    }

    #[test]
    fn curves_of_two_nodes_are_added_by_capacity() {
        let mut both = curve(1_000, 5_000);
        both.merge(&curve(1_000, 9_000));
        assert_eq!(both.hit_ratio(2.0), Some(0.7));
        assert_eq!(both.since(&curve(1_000, 9_000)), curve(1_000, 5_000));
    }
}
