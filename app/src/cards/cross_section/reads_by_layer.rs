use strata_report::{Outcome, Outcomes, Window};

/// What ends below both levels, in the order in which the lowest layer shows it.
pub(super) const BELOW: [Outcome; 6] = [
    Outcome::Loaded,
    Outcome::Coalesced,
    Outcome::Stale,
    Outcome::Bypassed,
    Outcome::Missed,
    Outcome::Failed,
];

/// The reads of a window, by the layer that answered.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ReadsByLayer {
    /// All reads.
    pub(super) reads: u64,
    /// Reads that L1 answered.
    pub(super) l1: u64,
    /// Reads that L2 answered.
    pub(super) l2: u64,
    /// Reads that ended below both.
    pub(super) below: u64,
}

impl ReadsByLayer {
    /// Sorts outcomes by the layer in which they ended.
    pub(super) fn of(outcomes: &Outcomes) -> Self {
        let reads = outcomes.reads();
        let (l1, l2) = (outcomes.l1_hit, outcomes.l2_hit);
        Self { reads, l1, l2, below: reads - l1 - l2 }
    }

    /// Reads that L1 let through.
    pub(super) fn below_l1(&self) -> u64 {
        self.l2 + self.below
    }

    /// The share of all reads that L1 answered.
    pub(super) fn l1_share(&self) -> Option<f64> {
        share(self.l1, self.reads)
    }

    /// The share of the reads below L1 that L2 answered.
    pub(super) fn l2_share(&self) -> Option<f64> {
        share(self.l2, self.below_l1())
    }

    /// The share of all reads that one of the levels answered.
    pub(super) fn levels_share(&self) -> Option<f64> {
        share(self.l1 + self.l2, self.reads)
    }
}

/// A part of a whole; `None` where there is no whole.
pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Database time that the levels saved in each second, nanoseconds: what they answered times
/// what a load took, from its median to its mean. `None` while nothing was loaded.
pub(super) fn saved_ns(window: &Window) -> Option<(u64, u64)> {
    let loads = &window.load_latency;
    let median = loads.quantile_ns(0.5)?;
    let mean = loads.sum_ns() / loads.count().max(1);
    let answered = window.per_second(window.outcomes.l1_hit + window.outcomes.l2_hit)?;
    let saved = |ns: u64| (answered * ns as f64) as u64;
    Some((saved(median.min(mean)), saved(median.max(mean))))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_read_ends_in_one_layer() {
        let outcomes = Outcomes::from_counts([1, 2, 3, 4, 5, 6, 7, 8]);
        let reads_by_layer = ReadsByLayer::of(&outcomes);
        assert_eq!(reads_by_layer.l1 + reads_by_layer.below_l1(), reads_by_layer.reads);
        let below: u64 = BELOW.iter().map(|outcome| outcomes.get(*outcome)).sum();
        assert_eq!(reads_by_layer.below, below);
    }

    #[test]
    fn no_reads_have_no_shares() {
        let reads_by_layer = ReadsByLayer::of(&Outcomes::default());
        assert_eq!(reads_by_layer.l1_share(), None);
        assert_eq!(reads_by_layer.l2_share(), None);
        assert_eq!(reads_by_layer.levels_share(), None);
    }

    #[test]
    fn what_was_saved_is_a_range_from_median_to_mean() {
        let mut window = Window { span_ms: 2000, ..Window::default() };
        assert_eq!(saved_ns(&window), None);
        window.outcomes = Outcomes { l1_hit: 150, l2_hit: 50, ..Outcomes::default() };
        for ms in [1, 1, 1, 9] {
            window.load_latency.record(Duration::from_millis(ms));
        }
        let (low, high) = saved_ns(&window).unwrap();
        assert!((70_000_000..=100_000_000).contains(&low), "{low}");
        assert_eq!(high, 300_000_000);
    }
}
