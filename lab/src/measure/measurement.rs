use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use strata_cache::{BuildError, ErrorChain};
use strata_demo::StoreError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::bench::Bench;
use crate::trace::Level;

/// What a read costs on each level of this machine, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeasurementState {
    /// The newest table.
    pub table: Option<Arc<MeasuredTable>>,
    /// How many lines of the next one are measured, and of how many; `None` while none is running.
    pub running: Option<(usize, usize)>,
    /// Why the last measurement came to nothing; the text fits after "failed to".
    pub failure: Option<String>,
}

/// What reads cost on this machine at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasuredTable {
    /// When it was measured, milliseconds since 1970.
    pub at_ms: u64,
    /// How long that took, milliseconds.
    pub took_ms: u64,
    /// How many processors the program may use.
    pub n_cpus: usize,
    /// By level, then by size.
    pub rows: Vec<MeasuredRow>,
}

/// What reads of one size cost on one level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasuredRow {
    /// The level that answered each read.
    pub level: Level,
    /// The size of a value, bytes.
    pub value_bytes: usize,
    /// One reader, which asks again once it has its answer.
    pub alone: Speed,
    /// Sixteen such readers at once.
    pub crowd: Speed,
}

/// How fast reads were.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// Reads that were timed.
    pub reads: usize,
    /// Half of them took no longer, nanoseconds.
    pub p50_ns: u64,
    /// All but one in a hundred took no longer, nanoseconds.
    pub p99_ns: u64,
    /// Reads a second, of all readers together.
    pub per_s: f64,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MeasureError {
    #[error("go on: the measurement was stopped")]
    Stopped,
    #[error("end in time: the measurement was stopped")]
    TookTooLong,
    #[error("read from {0}: somebody else answered, or nobody")]
    Elsewhere(&'static str),
    #[error("build a cache")]
    Build(#[from] BuildError),
    #[error("read the table")]
    Table(#[from] StoreError),
    #[error("go on: the measurement panicked")]
    Panicked,
}

/// The measurement of a lab: one at a time.
#[derive(Default)]
pub(crate) struct Measurement {
    state: watch::Sender<MeasurementState>,
    stop: Mutex<CancellationToken>,
}

impl Measurement {
    /// Begins to measure unless that is running or there is no `slot`, which is kept to the end.
    /// Says whether a measurement is running now. Must be called within a Tokio runtime.
    pub(crate) fn begin<S: Send + 'static>(
        self: &Arc<Self>,
        slot: Option<S>,
        n_lines: usize,
        bench: impl FnOnce(CancellationToken) -> Bench,
    ) -> bool {
        let begins = self.state.send_if_modified(|measured| {
            let begins = measured.running.is_none() && slot.is_some();
            if begins {
                measured.running = Some((0, n_lines));
                measured.failure = None;
            }
            begins
        });
        if begins {
            let bench = bench(self.renew_stop());
            let measurement = Arc::clone(self);
            tokio::spawn(async move {
                measurement.run(bench).await;
                drop(slot);
            });
        }
        begins || self.state.borrow().running.is_some()
    }

    /// What was measured last, and whether a measurement is running.
    pub(crate) fn so_far(&self) -> MeasurementState {
        self.state.borrow().clone()
    }

    /// Waits until no measurement is running.
    pub(crate) async fn ended(&self) {
        // The sender is ours, so there is always an answer.
        let mut state = self.state.subscribe();
        let _ = state.wait_for(|measured| measured.running.is_none()).await;
    }

    /// Stops a measurement; the table before it stays.
    pub(crate) fn stop(&self) {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner).cancel();
    }

    async fn run(&self, bench: Bench) {
        let (began, at) = (Instant::now(), SystemTime::now());
        let state = self.state.clone();
        let progress = move |done| state.send_modify(|now| now.running = Some(done));
        // In a task of its own, so that a panic leaves no caller waiting.
        let rows = tokio::spawn(bench.run(progress)).await.unwrap_or(Err(MeasureError::Panicked));
        self.state.send_modify(|measured| {
            measured.running = None;
            match rows {
                Ok(rows) => {
                    measured.table = Some(Arc::new(MeasuredTable {
                        at_ms: millis(at.duration_since(UNIX_EPOCH).unwrap_or_default()),
                        took_ms: millis(began.elapsed()),
                        n_cpus: std::thread::available_parallelism().map_or(1, usize::from),
                        rows,
                    }));
                }
                Err(error) => measured.failure = Some(ErrorChain(&error).to_string()),
            }
        });
    }

    fn renew_stop(&self) -> CancellationToken {
        let stop = CancellationToken::new();
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = stop.clone();
        stop
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
