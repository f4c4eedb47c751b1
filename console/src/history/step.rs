use strata_report::{CacheFrame, Extremes, Histogram, Point, Quantiles, Step, Window};

/// One step as the rings keep it: the latencies as counts, so that steps can be added up.
#[derive(Clone, Debug, Default)]
pub(crate) struct HistoryStep {
    pub(crate) point: Point,
    l1_entries: u64,
    l1_weight_bytes: Option<u64>,
    l2_entries: Option<u64>,
    l2_weight_bytes: Option<u64>,
    loads_failed: u64,
    l1: Sparse,
    l2: Sparse,
    loads: Sparse,
}

/// A histogram with its empty buckets left out.
#[derive(Clone, Debug, Default)]
struct Sparse {
    sum_ns: u64,
    range_ns: Option<Extremes>,
    buckets: Box<[(u8, u64)]>,
}

impl HistoryStep {
    /// What happened to one cache in a tick, and what it holds after it.
    pub(crate) fn new(point: Point, window: &Window, frame: &CacheFrame) -> Self {
        Self {
            point,
            l1_entries: frame.report.l1.entries,
            l1_weight_bytes: frame.report.l1.weight_bytes,
            l2_entries: frame.l2_entries,
            l2_weight_bytes: frame.l2_weight_bytes,
            loads_failed: window.loads_failed,
            l1: Sparse::of(&window.l1_latency),
            l2: Sparse::of(&window.l2_latency),
            loads: Sparse::of(&window.load_latency),
        }
    }

    /// A step of nothing yet.
    pub(crate) fn empty(point: Point) -> Self {
        Self { point, ..Self::default() }
    }

    /// Adds another cache's step of the same instant.
    pub(crate) fn add_cache(&mut self, other: &Self) {
        self.l1_entries += other.l1_entries;
        add(&mut self.l1_weight_bytes, other.l1_weight_bytes);
        add(&mut self.l2_entries, other.l2_entries);
        add(&mut self.l2_weight_bytes, other.l2_weight_bytes);
        self.count(other);
    }

    /// Makes this and the step that follows it one.
    pub(crate) fn append(&mut self, next: &Self) {
        self.count(next);
        self.point.span_ms += next.point.span_ms;
        self.point.at_ms = next.point.at_ms;
        (self.l1_entries, self.l1_weight_bytes) = (next.l1_entries, next.l1_weight_bytes);
        (self.l2_entries, self.l2_weight_bytes) = (next.l2_entries, next.l2_weight_bytes);
    }

    fn count(&mut self, other: &Self) {
        self.point.merge(&other.point);
        self.loads_failed += other.loads_failed;
        self.l1.add(&other.l1);
        self.l2.add(&other.l2);
        self.loads.add(&other.loads);
    }

    /// The step as charts show it.
    pub(crate) fn step(&self) -> Step {
        let loads = self.loads();
        Step {
            point: self.point,
            l1_entries: self.l1_entries,
            l1_weight_bytes: self.l1_weight_bytes,
            l2_entries: self.l2_entries,
            l2_weight_bytes: self.l2_weight_bytes,
            loads: loads.count(),
            loads_failed: self.loads_failed,
            l1_latency: Quantiles::of(&self.l1()),
            l2_latency: Quantiles::of(&self.l2()),
            load_latency: Quantiles::of(&loads),
        }
    }

    pub(crate) fn l1(&self) -> Histogram {
        self.l1.whole()
    }

    pub(crate) fn l2(&self) -> Histogram {
        self.l2.whole()
    }

    pub(crate) fn loads(&self) -> Histogram {
        self.loads.whole()
    }
}

impl Sparse {
    fn of(histogram: &Histogram) -> Self {
        let filled = (0_u8..).zip(histogram.counts().iter().copied()).filter(|(_, n)| *n > 0);
        Self {
            sum_ns: histogram.sum_ns(),
            range_ns: Some(histogram.range_ns()),
            buckets: filled.collect(),
        }
    }

    fn whole(&self) -> Histogram {
        let mut counts = [0; Histogram::N_BUCKETS];
        for (bucket, n) in &self.buckets {
            counts[usize::from(*bucket)] = *n;
        }
        let range_ns = self.range_ns.unwrap_or(Extremes::NONE);
        Histogram::from_parts(counts, self.sum_ns).within(range_ns)
    }

    fn add(&mut self, other: &Self) {
        if other.buckets.is_empty() {
            return;
        }
        let mut sum = self.whole();
        sum.merge(&other.whole());
        *self = Self::of(&sum);
    }
}

fn add(mine: &mut Option<u64>, theirs: Option<u64>) {
    *mine = mine.map(|mine| mine + theirs.unwrap_or(0)).or(theirs);
}
