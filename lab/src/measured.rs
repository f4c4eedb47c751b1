use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use strata_cache::{BuildError, ErrorChain};
use strata_demo::StoreError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::measuring::Bench;
use super::{Lab, LabError, Level};

/// What a read costs on each level of this machine, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// The newest table.
    pub table: Option<Arc<MeasuredTable>>,
    /// How many lines of the next one are measured, and of how many; `None` while nobody measures.
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
    /// Who answered, each time.
    pub level: Level,
    /// The size of a value, bytes.
    pub value_bytes: usize,
    /// One reader, who asks again once it has its answer.
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
pub(super) enum MeasureError {
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
pub(super) struct Measurement {
    state: watch::Sender<Measured>,
    stop: Mutex<CancellationToken>,
}

impl Lab {
    /// Measures what a read costs on each level, in about ten seconds. Where that is being
    /// measured already nothing else begins. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When as many experiments as possible are running.
    pub fn measure(&self) -> Result<(), LabError> {
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        let begins = self.measurement.state.send_if_modified(|measured| {
            let begins = measured.running.is_none() && slot.is_ok();
            if begins {
                measured.running = Some((0, Bench::n_lines(self.has_redis())));
                measured.failure = None;
            }
            begins
        });
        if !begins {
            let is_running = self.measurement.state.borrow().running.is_some();
            return if is_running { Ok(()) } else { Err(LabError::Busy(Self::MAX_RUNS)) };
        }
        let stop = self.measurement.renew_stop();
        let bench = Bench::new(self.place(self.next_number()), stop);
        let measurement = Arc::clone(&self.measurement);
        tokio::spawn(async move {
            let state = &measurement.state;
            let (began, at) = (Instant::now(), SystemTime::now());
            let told = state.clone();
            let told = move |done| told.send_modify(|now| now.running = Some(done));
            // In a task of its own, so that a panic leaves nobody waiting.
            let rows = tokio::spawn(bench.run(told)).await.unwrap_or(Err(MeasureError::Panicked));
            state.send_modify(|measured| {
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
            drop(slot);
        });
        Ok(())
    }

    /// What was measured last, and whether somebody measures now.
    pub fn measured(&self) -> Measured {
        self.measurement.state.borrow().clone()
    }

    /// Waits until nobody measures.
    pub async fn measurement_ended(&self) {
        // The sender is ours, so there is always an answer.
        let mut state = self.measurement.state.subscribe();
        let _ = state.wait_for(|measured| measured.running.is_none()).await;
    }

    /// Stops a measurement; the table before it stays.
    pub fn stop_measuring(&self) {
        self.measurement.stop.lock().unwrap_or_else(PoisonError::into_inner).cancel();
    }
}

impl Measurement {
    fn renew_stop(&self) -> CancellationToken {
        let stop = CancellationToken::new();
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = stop.clone();
        stop
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
