use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
/// On the wire it is sparse: `{"sum_ns": …, "buckets": [[index, count], …]}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    sum_ns: u64,
    counts: [u64; N_BUCKETS],
}

impl Default for Histogram {
    fn default() -> Self {
        Self { sum_ns: 0, counts: [0; N_BUCKETS] }
    }
}

impl Histogram {
    /// The number of buckets, the unbounded last one included.
    pub const N_BUCKETS: usize = N_BUCKETS;

    /// The bucket that counts `ns`.
    pub fn bucket_of(ns: u64) -> usize {
        BOUNDS_NS.partition_point(|bound| *bound < ns)
    }

    /// A histogram from its bucket counts and the sum of all values.
    pub fn from_parts(counts: [u64; N_BUCKETS], sum_ns: u64) -> Self {
        Self { sum_ns, counts }
    }

    /// Counts one duration.
    pub fn record(&mut self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.counts[Self::bucket_of(ns)] += 1;
        self.sum_ns = self.sum_ns.saturating_add(ns);
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
    /// nothing was counted. Accurate to a bucket's width, and never above the last bound.
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
                return Some(low + ((high - low) as f64 * into) as u64);
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

#[derive(Serialize, Deserialize)]
struct Sparse {
    sum_ns: u64,
    buckets: Vec<(usize, u64)>,
}

impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let filled = self.counts.iter().copied().enumerate().filter(|(_, n)| *n > 0);
        Sparse { sum_ns: self.sum_ns, buckets: filled.collect() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sparse = Sparse::deserialize(deserializer)?;
        let mut out = Self { sum_ns: sparse.sum_ns, ..Self::default() };
        for (i, n) in sparse.buckets {
            *out.counts.get_mut(i).ok_or_else(|| serde::de::Error::custom("no such bucket"))? = n;
        }
        Ok(out)
    }
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
    fn the_difference_of_two_readings_is_what_came_between() {
        let earlier = of_micros([1, 10, 100]);
        let mut later = earlier.clone();
        later.merge(&of_micros([7, 7]));
        assert_eq!(later.since(&earlier), of_micros([7, 7]));
    }

    #[test]
    fn a_histogram_survives_the_wire() {
        let histogram = of_micros([1, 5, 5, 90_000_000]);
        let text = serde_json::to_string(&histogram).unwrap();
        assert_eq!(serde_json::from_str::<Histogram>(&text).unwrap(), histogram);
        assert!(serde_json::from_str::<Histogram>(r#"{"sum_ns":0,"buckets":[[99,1]]}"#).is_err());
    }
}
