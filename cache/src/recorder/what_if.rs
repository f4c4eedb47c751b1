use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use strata_report::{WhatIf, WhatIfPoint};

use super::counters::Counter;
use super::label::{Hashing, Label};

/// A scaled-down L1 without values, with the policy of moka, for a sample of the keys.
pub(super) struct Miniature {
    pub(super) factor: f64,
    cache: moka::sync::Cache<u32, u32, Hashing>,
    pub(super) hits: u64,
}

/// How long entries live in L1.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lifetimes {
    pub(crate) time_to_live: Option<Duration>,
    pub(crate) time_to_idle: Option<Duration>,
}

impl Miniature {
    /// `factor` times the capacity of L1, which is `capacity` when scaled to the sampled keys.
    pub(super) fn new(factor: f64, capacity: f64, lifetimes: Lifetimes) -> Self {
        let capacity = (capacity * factor).round() as u64;
        let weigher = |_: &u32, weight: &u32| *weight;
        let mut builder = moka::sync::Cache::builder().max_capacity(capacity).weigher(weigher);
        if let Some(time_to_live) = lifetimes.time_to_live {
            builder = builder.time_to_live(time_to_live);
        }
        if let Some(time_to_idle) = lifetimes.time_to_idle {
            builder = builder.time_to_idle(time_to_idle);
        }
        Self { factor, cache: builder.build_with_hasher(Hashing::default()), hits: 0 }
    }

    /// Simulates a read of a key, with a weight if L1 would keep it.
    pub(super) fn read(&mut self, key: u32, weight: Option<u32>) {
        if self.cache.get(&key).is_some() {
            self.hits += 1;
        } else if let Some(weight) = weight {
            self.cache.insert(key, weight);
        }
    }

    pub(super) fn write(&self, key: u32, weight: u32) {
        self.cache.insert(key, weight);
    }

    pub(super) fn forget(&self, key: u32) {
        self.cache.invalidate(&key);
    }

    pub(super) fn clear(&self) {
        self.cache.invalidate_all();
    }
}

/// The simulated capacities, in multiples of L1's own.
const FACTORS: [f64; 5] = [0.5, 1.0, 2.0, 4.0, 8.0];

/// Entries in the miniature of L1's own capacity. More are more exact, fewer take less memory.
const N_SIMULATED: f64 = 256.0;

/// Reads that wait for simulation. With an upkeep every 250 ms, this allows four times as many a
/// second.
const MAX_WAITING: usize = 4_096;

/// Reads that are simulated without a pause, which takes well under a millisecond.
const N_AT_A_TIME: usize = 256;

/// The hit ratio that L1 would have had with other capacities.
///
/// Miniatures of L1 simulate the reads of the keys whose hash is below a threshold, and are scaled
/// down in the same ratio (Waldspurger et al., "Cache Modeling and Optimization using Miniature
/// Simulations", USENIX ATC 2017). Readers only leave a note, and upkeep simulates. Excess notes
/// are skipped and counted. If the sample caught or missed a hot key by chance, that is corrected
/// as in SHARDS-adj (Waldspurger et al., "Efficient MRC Construction with SHARDS", FAST 2015):
/// reads that the sample lacks are assumed to be hits.
pub(super) struct WhatIfRecorder {
    /// Keys with a smaller sample are simulated; 0 until it is known how many should be.
    threshold: AtomicU32,
    capacity: u64,
    lifetimes: Lifetimes,
    notes: SyncSender<SimulatedAccess>,
    skipped: Counter,
    simulation: Mutex<Simulation>,
}

enum SimulatedAccess {
    Read { key: u32, weight: Option<u32> },
    Write { key: u32, weight: u32 },
    Forget(u32),
    Clear,
}

struct Simulation {
    notes: Receiver<SimulatedAccess>,
    miniatures: Vec<Miniature>,
    sampled_one_in: f64,
    reads_before: u64,
    sampled_reads: u64,
}

impl WhatIfRecorder {
    /// For an L1 of `capacity`, in entries or bytes. `None` if L1 keeps nothing.
    pub(super) fn new(capacity: u64, lifetimes: Lifetimes) -> Option<Self> {
        if capacity == 0 || lifetimes.time_to_live.is_some_and(|time| time.is_zero()) {
            return None;
        }
        let (notes, waiting) = sync_channel(MAX_WAITING);
        Some(Self {
            threshold: AtomicU32::new(0),
            capacity,
            lifetimes,
            notes,
            skipped: Counter::default(),
            simulation: Mutex::new(Simulation {
                notes: waiting,
                miniatures: Vec::new(),
                sampled_one_in: 0.0,
                reads_before: 0,
                sampled_reads: 0,
            }),
        })
    }

    /// Notes a read, with the weight of its entry if it was answered.
    pub(super) fn read(&self, label: Label, weight: Option<u32>) {
        if label.sample < self.threshold.load(Relaxed)
            && self.notes.try_send(SimulatedAccess::Read { key: label.sample, weight }).is_err()
        {
            self.skipped.add(1);
        }
    }

    /// Notes an entry that was put into L1 without a read.
    pub(super) fn write(&self, label: Label, weight: u32) {
        if label.sample < self.threshold.load(Relaxed) {
            let _: Result<(), _> =
                self.notes.try_send(SimulatedAccess::Write { key: label.sample, weight });
        }
    }

    /// Notes that a key was invalidated.
    pub(super) fn forget(&self, label: Label) {
        if label.sample < self.threshold.load(Relaxed) {
            // If the queue is full, the note is lost, and the miniatures keep a copy too many.
            let _: Result<(), _> = self.notes.try_send(SimulatedAccess::Forget(label.sample));
        }
    }

    pub(super) fn clear(&self) {
        let _: Result<(), _> = self.notes.try_send(SimulatedAccess::Clear);
    }

    /// Simulates the noted reads in batches. Begins once `mean_weight`, the mean weight of an
    /// entry, is known.
    pub(super) async fn upkeep(&self, reads: u64, mean_weight: Option<f64>) {
        // At most as many as could wait, so that busy readers cannot keep it running.
        for _ in 0..MAX_WAITING / N_AT_A_TIME {
            if !self.simulate_some(reads, mean_weight) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Returns whether there may be more.
    fn simulate_some(&self, reads: u64, mean_weight: Option<f64>) -> bool {
        let Ok(mut simulation) = self.simulation.try_lock() else { return false };
        if simulation.miniatures.is_empty() {
            if let Some(mean_weight) = mean_weight {
                self.begin(&mut simulation, reads, mean_weight);
            }
            return false;
        }
        simulation.run() == N_AT_A_TIME
    }

    fn begin(&self, simulation: &mut Simulation, reads: u64, mean_weight: f64) {
        let n_entries = self.capacity as f64 / mean_weight.max(1.0);
        let share = (N_SIMULATED / n_entries).min(1.0);
        let capacity = self.capacity as f64 * share;
        simulation.miniatures = FACTORS
            .iter()
            .map(|factor| Miniature::new(*factor, capacity, self.lifetimes))
            .collect();
        simulation.sampled_one_in = 1.0 / share;
        simulation.reads_before = reads;
        self.threshold.store((share * f64::from(u32::MAX)) as u32, Relaxed);
    }

    /// The curve as of the last upkeep, given the reads of all keys so far. `None` before the
    /// simulation has begun.
    pub(super) fn curve(&self, reads: u64) -> Option<WhatIf> {
        let simulation = self.simulation.lock().unwrap_or_else(PoisonError::into_inner);
        if simulation.miniatures.is_empty() {
            return None;
        }
        let reads = reads.saturating_sub(simulation.reads_before);
        let skipped = self.skipped.get();
        let sampled = simulation.sampled_reads as f64;
        let expected = (reads as f64 / simulation.sampled_one_in - skipped as f64).max(1.0);
        let lacking = expected - sampled;
        let scaled = |hits: u64| {
            let share = ((hits as f64 + lacking) / expected).clamp(0.0, 1.0);
            (share * reads as f64) as u64
        };
        let point = |mini: &Miniature| WhatIfPoint {
            capacity_factor: mini.factor,
            hits: scaled(mini.hits),
        };
        Some(WhatIf {
            sampled_one_in: simulation.sampled_one_in,
            reads,
            sampled_reads: simulation.sampled_reads,
            skipped_reads: skipped,
            points: simulation.miniatures.iter().map(point).collect(),
        })
    }
}

impl Simulation {
    /// Returns how many notes there were, up to the size of a batch.
    fn run(&mut self) -> usize {
        let mut n = 0;
        for note in self.notes.try_iter().take(N_AT_A_TIME) {
            n += 1;
            match note {
                SimulatedAccess::Read { key, weight } => {
                    self.sampled_reads += 1;
                    self.miniatures.iter_mut().for_each(|mini| mini.read(key, weight));
                }
                SimulatedAccess::Write { key, weight } => {
                    self.miniatures.iter().for_each(|mini| mini.write(key, weight));
                }
                SimulatedAccess::Forget(key) => {
                    self.miniatures.iter().for_each(|mini| mini.forget(key))
                }
                SimulatedAccess::Clear => self.miniatures.iter().for_each(Miniature::clear),
            }
        }
        n
    }
}
