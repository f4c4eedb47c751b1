use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use strata_report::{Extremes, Gets, Histogram, LogHistogram};

#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that rises and falls. Increments and decrements may be counted out of order, so it can
/// be below zero for a moment, and then reads as zero.
#[derive(Default)]
pub(super) struct Gauge(AtomicU64);

impl Gauge {
    pub(super) fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    pub(super) fn subtract(&self, n: u64) {
        self.0.fetch_sub(n, Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Relaxed).cast_signed().max(0).cast_unsigned()
    }
}

/// Gets of one level.
#[derive(Default)]
pub(crate) struct GetsRecorder {
    pub(crate) hit: Counter,
    pub(crate) miss: Counter,
    pub(crate) latency: HistogramRecorder,
}

impl GetsRecorder {
    pub(crate) fn read(&self, sampled_one_in: u32) -> Gets {
        Gets {
            hit: self.hit.get(),
            miss: self.miss.get(),
            latency: self.latency.read(),
            sampled_one_in,
        }
    }
}

pub(crate) struct HistogramRecorder {
    counts: [AtomicU64; Histogram::N_BUCKETS],
    sum_ns: AtomicU64,
    range_ns: ExtremesRecorder,
}

impl Default for HistogramRecorder {
    fn default() -> Self {
        Self {
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
            sum_ns: AtomicU64::new(0),
            range_ns: ExtremesRecorder::default(),
        }
    }
}

impl HistogramRecorder {
    pub(crate) fn record(&self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.counts[Histogram::bucket_of(ns)].fetch_add(1, Relaxed);
        self.sum_ns.fetch_add(ns, Relaxed);
        self.range_ns.record(ns);
    }

    pub(crate) fn read(&self) -> Histogram {
        let counts = std::array::from_fn(|i| self.counts[i].load(Relaxed));
        Histogram::from_parts(counts, self.sum_ns.load(Relaxed)).within(self.range_ns.read())
    }
}

pub(crate) struct LogHistogramRecorder {
    counts: [AtomicU64; LogHistogram::N_BUCKETS],
    sum: AtomicU64,
    range: ExtremesRecorder,
}

impl Default for LogHistogramRecorder {
    fn default() -> Self {
        Self {
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
            sum: AtomicU64::new(0),
            range: ExtremesRecorder::default(),
        }
    }
}

impl LogHistogramRecorder {
    pub(crate) fn record(&self, value: u64) {
        self.counts[LogHistogram::bucket_of(value)].fetch_add(1, Relaxed);
        self.sum.fetch_add(value, Relaxed);
        self.range.record(value);
    }

    pub(crate) fn read(&self) -> LogHistogram {
        let counts = std::array::from_fn(|i| self.counts[i].load(Relaxed));
        LogHistogram::from_parts(counts, self.sum.load(Relaxed)).within(self.range.read())
    }
}

/// The least and the greatest recorded value.
struct ExtremesRecorder {
    least: AtomicU64,
    most: AtomicU64,
}

impl Default for ExtremesRecorder {
    fn default() -> Self {
        Self { least: AtomicU64::new(u64::MAX), most: AtomicU64::new(0) }
    }
}

impl ExtremesRecorder {
    // Nearly every value lies between them, and then nothing is written.
    fn record(&self, value: u64) {
        if value < self.least.load(Relaxed) {
            self.least.fetch_min(value, Relaxed);
        }
        if value > self.most.load(Relaxed) {
            self.most.fetch_max(value, Relaxed);
        }
    }

    fn read(&self) -> Extremes {
        Extremes::between(self.least.load(Relaxed), self.most.load(Relaxed))
    }
}
