use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Extremes;

/// Upper bounds of the buckets in nanoseconds, six a decade from 100 ns to 50 s. Every second
/// bound or so (1, 2, 5) is also a Prometheus bound, so screen and scrape agree.
pub const BOUNDS_NS: [u64; 53] = bounds();

const N_BUCKETS: usize = BOUNDS_NS.len() + 1;

const fn bounds() -> [u64; 53] {
    let steps = [10, 15, 20, 30, 50, 70];
    let mut out = [0; 53];
    let mut scale = 10;
    let mut i = 0;
    while i < out.len() {
        out[i] = steps[i % 6] * scale;
        i += 1;
        if i.is_multiple_of(6) {
            scale *= 10;
        }
    }
    out
}

/// Durations counted in fixed buckets. Two histograms of the same thing can be added, and the
/// difference of two readings is the histogram of what happened between them.
///
/// On the wire it is sparse: `{"sum_ns": …, "least_ns": …, "most_ns": …, "buckets": [[index, count],
/// …]}`; least and most are left out where they are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    sum_ns: u64,
    range_ns: Extremes,
    counts: [u64; N_BUCKETS],
}

impl Default for Histogram {
    fn default() -> Self {
        Self { sum_ns: 0, range_ns: Extremes::NONE, counts: [0; N_BUCKETS] }
    }
}

impl Histogram {
    /// The number of buckets, the unbounded last one included.
    pub const N_BUCKETS: usize = N_BUCKETS;

    /// The bucket that counts `ns`.
    pub fn bucket_of(ns: u64) -> usize {
        BOUNDS_NS.partition_point(|bound| *bound < ns)
    }

    /// A histogram from its bucket counts and the sum of all values. Its extremes are not known.
    pub fn from_parts(counts: [u64; N_BUCKETS], sum_ns: u64) -> Self {
        Self { sum_ns, range_ns: Extremes::UNKNOWN, counts }
    }

    /// The same with the least and the most that was measured, nanoseconds.
    pub fn within(self, range_ns: Extremes) -> Self {
        Self { range_ns, ..self }
    }

    /// The least and the most that was measured, nanoseconds. Of a difference of two readings these
    /// are the later one's.
    pub fn range_ns(&self) -> Extremes {
        self.range_ns
    }

    /// Counts one duration.
    pub fn record(&mut self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.counts[Self::bucket_of(ns)] += 1;
        self.sum_ns = self.sum_ns.saturating_add(ns);
        self.range_ns = self.range_ns.and(Extremes::of(ns));
    }

    /// Count per bucket; bucket `i` ends at `BOUNDS_NS[i]`, the last has no end.
    pub fn counts(&self) -> &[u64; N_BUCKETS] {
        &self.counts
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sum of all durations, nanoseconds.
    pub fn sum_ns(&self) -> u64 {
        self.sum_ns
    }

    /// The `q` quantile (0 to 1) in nanoseconds, interpolated inside its bucket; `None` when
    /// nothing was counted. Accurate to a bucket's width, never above the last bound, and never
    /// outside of what was measured, where that is known.
    pub fn quantile_ns(&self, q: f64) -> Option<u64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = (q.clamp(0.0, 1.0) * count as f64).max(1.0);
        let mut below = 0;
        for (i, n) in self.counts.iter().copied().enumerate() {
            if n > 0 && (below + n) as f64 >= rank {
                let low = if i == 0 { 0 } else { BOUNDS_NS[i - 1] };
                let high = BOUNDS_NS.get(i).copied().unwrap_or(low);
                let into = (rank - below as f64) / n as f64;
                let value = low + ((high - low) as f64 * into) as u64;
                return Some(self.range_ns.clamp(value));
            }
            below += n;
        }
        BOUNDS_NS.last().copied()
    }

    /// Adds another histogram to this one.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts) {
            *mine += theirs;
        }
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
        self.range_ns = self.range_ns.and(other.range_ns);
    }

    /// What was counted since `earlier`; saturates, because a restarted node counts from zero.
    pub fn since(&self, earlier: &Self) -> Self {
        let mut out = self.clone();
        for (mine, theirs) in out.counts.iter_mut().zip(earlier.counts) {
            *mine = mine.saturating_sub(theirs);
        }
        out.sum_ns = out.sum_ns.saturating_sub(earlier.sum_ns);
        out
    }
}

/// A histogram without its empty buckets: its form on the wire and in long histories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparseHistogram {
    sum_ns: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    least_ns: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    most_ns: u64,
    /// Buckets by number, and their counts.
    buckets: Vec<(usize, u64)>,
}

impl SparseHistogram {
    /// Adds another histogram to this one.
    pub fn merge(&mut self, other: &Self) {
        if !other.buckets.is_empty() {
            let mut sum = Histogram::from(&*self);
            sum.merge(&Histogram::from(other));
            *self = Self::from(&sum);
        }
    }
}

impl From<&Histogram> for SparseHistogram {
    fn from(histogram: &Histogram) -> Self {
        let filled = histogram.counts.iter().copied().enumerate().filter(|(_, n)| *n > 0);
        let (least_ns, most_ns) = histogram.range_ns.known();
        Self { sum_ns: histogram.sum_ns, least_ns, most_ns, buckets: filled.collect() }
    }
}

impl From<&SparseHistogram> for Histogram {
    fn from(sparse: &SparseHistogram) -> Self {
        let range_ns = match sparse.buckets.as_slice() {
            [] => Extremes::NONE,
            _ => Extremes::read(sparse.least_ns, sparse.most_ns),
        };
        let mut out = Self { sum_ns: sparse.sum_ns, range_ns, ..Self::default() };
        for (i, n) in &sparse.buckets {
            // Of a version with more buckets: longer than all that this one knows.
            out.counts[(*i).min(N_BUCKETS - 1)] += n;
        }
        out
    }
}

impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SparseHistogram::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(&SparseHistogram::deserialize(deserializer)?))
    }
}

pub(crate) fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_micros(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        for us in values {
            histogram.record(Duration::from_micros(us));
        }
        histogram
    }

    #[test]
    fn bounds_grow_from_100_ns_to_50_s() {
        assert!(BOUNDS_NS.is_sorted());
        assert_eq!(BOUNDS_NS[0], 100);
        assert_eq!(BOUNDS_NS[52], 50_000_000_000);
    }

    #[test]
    fn a_quantile_lies_within_its_bucket() {
        let histogram = of_micros(1..=1000);
        let p50 = histogram.quantile_ns(0.5).unwrap();
        assert!((450_000..=550_000).contains(&p50), "{p50}");
        let p99 = histogram.quantile_ns(0.99).unwrap();
        assert!((900_000..=1_000_000).contains(&p99), "{p99}");
    }

    #[test]
    fn a_quantile_of_nothing_is_unknown() {
        assert_eq!(Histogram::default().quantile_ns(0.5), None);
    }

    #[test]
    fn a_quantile_is_never_outside_of_what_was_measured() {
        let histogram = of_micros([101, 102, 103]);
        for q in [0.0, 0.1, 0.5, 0.99, 1.0] {
            let ns = histogram.quantile_ns(q).unwrap();
            assert!((101_000..=103_000).contains(&ns), "{q}: {ns}");
        }
        let mut sum = histogram.clone();
        sum.merge(&of_micros([140]));
        assert_eq!(sum.quantile_ns(1.0), Some(140_000));
        assert!(sum.since(&histogram).quantile_ns(0.5).unwrap() <= 140_000);
    }

    #[test]
    fn the_difference_of_two_readings_is_what_came_between() {
        let earlier = of_micros([1, 10, 100]);
        let mut later = earlier.clone();
        later.merge(&of_micros([7, 7]));
        let between = later.since(&earlier);
        assert_eq!((between.counts, between.sum_ns), (of_micros([7, 7]).counts, 14_000));
    }

    #[test]
    fn a_histogram_survives_the_wire() {
        let histogram = of_micros([1, 5, 5, 90_000_000]);
        let text = serde_json::to_string(&histogram).unwrap();
        assert_eq!(serde_json::from_str::<Histogram>(&text).unwrap(), histogram);
        let empty = Histogram::default();
        let text = serde_json::to_string(&empty).unwrap();
        assert_eq!(serde_json::from_str::<Histogram>(&text).unwrap(), empty);
        let older = r#"{"sum_ns":7,"buckets":[[0,1]]}"#;
        assert_eq!(serde_json::from_str::<Histogram>(older).unwrap().quantile_ns(1.0), Some(100));
        let newer = r#"{"sum_ns":0,"buckets":[[98,1],[99,1]]}"#;
        assert_eq!(serde_json::from_str::<Histogram>(newer).unwrap().counts[N_BUCKETS - 1], 2);
    }
}
