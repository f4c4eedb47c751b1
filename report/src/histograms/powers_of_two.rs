use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::durations::is_zero;
use crate::Extremes;

const N_BUCKETS: usize = 48;

/// Whole numbers counted by powers of two, for what spans many magnitudes: ages and sizes. The
/// field that holds one names the unit.
///
/// On the wire it is sparse: `{"sum": …, "least": …, "most": …, "buckets": [[index, count], …]}`;
/// least and most are left out where they are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogHistogram {
    sum: u64,
    range: Extremes,
    counts: [u64; N_BUCKETS],
}

impl Default for LogHistogram {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl LogHistogram {
    /// Of no value.
    pub(crate) const EMPTY: Self = Self { sum: 0, range: Extremes::NONE, counts: [0; N_BUCKETS] };
}

impl LogHistogram {
    /// The number of buckets, the unbounded last one included.
    pub const N_BUCKETS: usize = N_BUCKETS;

    /// The bucket that counts `value`.
    pub fn bucket_of(value: u64) -> usize {
        let bits = 64 - value.saturating_sub(1).leading_zeros() as usize;
        bits.min(N_BUCKETS - 1)
    }

    /// The largest value of a bucket: 1, 2, 4, 8 …; `None` for the last, which has no end.
    pub fn bound(bucket: usize) -> Option<u64> {
        (bucket < N_BUCKETS - 1).then(|| 1 << bucket)
    }

    /// A histogram from its bucket counts and the sum of all values. Its extremes are not known.
    pub fn from_parts(counts: [u64; N_BUCKETS], sum: u64) -> Self {
        Self { sum, range: Extremes::UNKNOWN, counts }
    }

    /// The same with the least and the most that was counted.
    pub fn within(self, range: Extremes) -> Self {
        Self { range, ..self }
    }

    /// Counts one value.
    pub fn record(&mut self, value: u64) {
        self.counts[Self::bucket_of(value)] += 1;
        self.sum = self.sum.saturating_add(value);
        self.range = self.range.and(Extremes::of(value));
    }

    /// Count per bucket; bucket `i` ends at `LogHistogram::bound(i)`.
    pub fn counts(&self) -> &[u64; N_BUCKETS] {
        &self.counts
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sum of all values.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The `q` quantile (0 to 1), interpolated inside its bucket; `None` when nothing was counted.
    /// Accurate to a factor of two, and never outside of what was counted, where that is known.
    pub fn quantile(&self, q: f64) -> Option<u64> {
        let rank = (q.clamp(0.0, 1.0) * self.count() as f64).max(1.0);
        let mut below = 0;
        for (bucket, n) in self.counts.iter().copied().enumerate() {
            if n > 0 && (below + n) as f64 >= rank {
                let low = bucket.checked_sub(1).and_then(Self::bound).unwrap_or(0);
                let high = Self::bound(bucket).unwrap_or(low);
                let into = (rank - below as f64) / n as f64;
                let value = low + ((high - low) as f64 * into) as u64;
                return Some(self.range.clamp(value));
            }
            below += n;
        }
        None
    }

    /// Adds another histogram to this one.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts) {
            *mine += theirs;
        }
        self.sum = self.sum.saturating_add(other.sum);
        self.range = self.range.and(other.range);
    }

    /// What was counted since `earlier`; saturates, because a restarted node counts from zero.
    pub fn since(&self, earlier: &Self) -> Self {
        let mut out = self.clone();
        for (mine, theirs) in out.counts.iter_mut().zip(earlier.counts) {
            *mine = mine.saturating_sub(theirs);
        }
        out.sum = out.sum.saturating_sub(earlier.sum);
        out
    }
}

#[derive(Serialize, Deserialize)]
struct Sparse {
    sum: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    least: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    most: u64,
    buckets: Vec<(usize, u64)>,
}

impl Serialize for LogHistogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let filled = self.counts.iter().copied().enumerate().filter(|(_, n)| *n > 0);
        let (least, most) = self.range.known();
        Sparse { sum: self.sum, least, most, buckets: filled.collect() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for LogHistogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sparse = Sparse::deserialize(deserializer)?;
        let range = match sparse.buckets.as_slice() {
            [] => Extremes::NONE,
            _ => Extremes::read(sparse.least, sparse.most),
        };
        let mut out = Self { sum: sparse.sum, range, ..Self::default() };
        for (i, n) in sparse.buckets {
            // Of a version with more buckets: more than all that this one knows.
            out.counts[i.min(N_BUCKETS - 1)] += n;
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_ends_at_its_bound() {
        for bucket in 0..LogHistogram::N_BUCKETS - 1 {
            let bound = LogHistogram::bound(bucket).unwrap();
            assert_eq!(LogHistogram::bucket_of(bound), bucket);
            assert_eq!(LogHistogram::bucket_of(bound + 1), bucket + 1);
        }
        assert_eq!(LogHistogram::bucket_of(0), 0);
        assert_eq!(LogHistogram::bucket_of(u64::MAX), LogHistogram::N_BUCKETS - 1);
    }

    #[test]
    fn a_quantile_is_right_within_a_factor_of_two() {
        let mut histogram = LogHistogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        (1..=1_000).for_each(|value| histogram.record(value));
        let p50 = histogram.quantile(0.5).unwrap();
        assert!((256..=512).contains(&p50), "{p50}");
    }

    #[test]
    fn it_survives_the_wire() {
        let mut histogram = LogHistogram::default();
        [0, 1, 1_000, u64::MAX / 2].into_iter().for_each(|value| histogram.record(value));
        let text = serde_json::to_string(&histogram).unwrap();
        assert_eq!(serde_json::from_str::<LogHistogram>(&text).unwrap(), histogram);
    }
}
