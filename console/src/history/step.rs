use serde::{Deserialize, Serialize};
use strata_report::{CacheFrame, Histogram, Point, Quantiles, SparseHistogram, Step, Window};

/// One step as the rings keep it: the latencies as counts, so that steps can be added up.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HistoryStep {
    pub(crate) point: Point,
    l1_entries: u64,
    l1_weight_bytes: Option<u64>,
    l2_entries: Option<u64>,
    l2_weight_bytes: Option<u64>,
    loads_failed: u64,
    l1: SparseHistogram,
    l2: SparseHistogram,
    loads: SparseHistogram,
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
            l1: SparseHistogram::from(&window.l1_latency),
            l2: SparseHistogram::from(&window.l2_latency),
            loads: SparseHistogram::from(&window.load_latency),
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
        self.l1.merge(&other.l1);
        self.l2.merge(&other.l2);
        self.loads.merge(&other.loads);
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
        Histogram::from(&self.l1)
    }

    pub(crate) fn l2(&self) -> Histogram {
        Histogram::from(&self.l2)
    }

    pub(crate) fn loads(&self) -> Histogram {
        Histogram::from(&self.loads)
    }
}

fn add(mine: &mut Option<u64>, theirs: Option<u64>) {
    *mine = mine.map(|mine| mine + theirs.unwrap_or(0)).or(theirs);
}
