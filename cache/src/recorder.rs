use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use strata_report::{
    Cause, Evictions, Gets, Histogram, InvalidationCounts, Loads, Origin, Outcome, Outcomes, Scope,
    ScopeCounts,
};

/// One L1 get in so many is timed: reading the clock twice would cost more than the get.
pub(crate) const L1_SAMPLED_ONE_IN: u32 = 64;

/// Counts what one cache does on one node. Never blocks and never fails; counters only grow.
#[derive(Default)]
pub(crate) struct Recorder {
    outcomes: [AtomicU64; 8],
    pub(crate) l1_latency: HistogramRecorder,
    pub(crate) l2: GetsRecorder,
    pub(crate) l1_puts: Counter,
    pub(crate) l1_fenced: Counter,
    pub(crate) l2_puts: Counter,
    pub(crate) l2_refused: Counter,
    pub(crate) l2_unreadable: Counter,
    evictions: [AtomicU64; 5],
    loads_ok: HistogramRecorder,
    loads_failed: HistogramRecorder,
    loads_in_flight: AtomicU64,
    invalidations: [[AtomicU64; 3]; 2],
    pub(crate) l1_removed: Counter,
    pub(crate) l2_removed: Counter,
}

impl Recorder {
    pub(crate) fn outcome(&self, outcome: Outcome) {
        self.outcomes[outcome as usize].fetch_add(1, Relaxed);
    }

    pub(crate) fn outcomes(&self) -> Outcomes {
        Outcomes::from_counts(std::array::from_fn(|i| self.outcomes[i].load(Relaxed)))
    }

    pub(crate) fn eviction(&self, cause: Cause) {
        self.evictions[cause as usize].fetch_add(1, Relaxed);
    }

    pub(crate) fn evictions(&self) -> Evictions {
        Evictions::from_counts(std::array::from_fn(|i| self.evictions[i].load(Relaxed)))
    }

    pub(crate) fn load_began(&self) {
        self.loads_in_flight.fetch_add(1, Relaxed);
    }

    pub(crate) fn load_ended(&self, took: Duration, ended: LoadEnded) {
        self.loads_in_flight.fetch_sub(1, Relaxed);
        match ended {
            LoadEnded::Answered => self.loads_ok.record(took),
            LoadEnded::Failed => self.loads_failed.record(took),
        }
    }

    pub(crate) fn loads(&self) -> Loads {
        Loads {
            success: self.loads_ok.read(),
            failure: self.loads_failed.read(),
            in_flight: self.loads_in_flight.load(Relaxed),
        }
    }

    pub(crate) fn invalidation(&self, scope: Scope, origin: Origin) {
        self.invalidations[origin as usize][scope as usize].fetch_add(1, Relaxed);
    }

    pub(crate) fn invalidations(&self) -> InvalidationCounts {
        let scopes = |origin: Origin| {
            let of =
                |scope: Scope| self.invalidations[origin as usize][scope as usize].load(Relaxed);
            ScopeCounts { key: of(Scope::Key), pattern: of(Scope::Pattern), all: of(Scope::All) }
        };
        InvalidationCounts {
            local: scopes(Origin::Local),
            bus: scopes(Origin::Bus),
            l1_removed: self.l1_removed.get(),
            l2_removed: self.l2_removed.get(),
        }
    }
}

/// Whether a load answered; "not found" is an answer.
#[derive(Clone, Copy)]
pub(crate) enum LoadEnded {
    Answered,
    Failed,
}

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
}

impl Default for HistogramRecorder {
    fn default() -> Self {
        Self { counts: std::array::from_fn(|_| AtomicU64::new(0)), sum_ns: AtomicU64::new(0) }
    }
}

impl HistogramRecorder {
    pub(crate) fn record(&self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.counts[Histogram::bucket_of(ns)].fetch_add(1, Relaxed);
        self.sum_ns.fetch_add(ns, Relaxed);
    }

    pub(crate) fn read(&self) -> Histogram {
        let counts = std::array::from_fn(|i| self.counts[i].load(Relaxed));
        Histogram::from_parts(counts, self.sum_ns.load(Relaxed))
    }
}

/// Whether this thread should time its next L1 get.
pub(crate) fn sample_l1() -> bool {
    thread_local!(static TURN: Cell<u32> = const { Cell::new(0) });
    TURN.with(|turn| {
        turn.set(turn.get().wrapping_add(1));
        turn.get().is_multiple_of(L1_SAMPLED_ONE_IN)
    })
}
