use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use strata_report::{Outcome, Outcomes};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::lines::{Line, Lines};
use super::{End, Totals};
use crate::ctx::{Caller, Ctx};
use crate::site::Site;

const BATCH_LEN: usize = 512;
const BATCHES_AHEAD: usize = 4;

/// Why a trace was not replayed to its end.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be opened.
    #[error("open the trace {}: {why}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The file cannot be read any further.
    #[error("read the trace {} past line {line}: {why}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The last line that was read.
        line: u64,
        /// Why.
        why: io::Error,
    },
    /// At this rate the replay would never end.
    #[error("replay at 0 requests per second")]
    ZeroRate,
}

/// Requests every line of the file at `path`, plain or gzip, through the `objects` cache of `site`:
/// one after the other, `rate` a second (`None`: as fast as it goes), until the end or `shutdown`.
/// Requests that fell behind their time are caught up with. The file is read as it goes and never held in memory.
///
/// # Errors
/// Where the file cannot be opened or read. A request that fails is an outcome.
pub async fn replay(
    path: &Path,
    site: &Site,
    rate: Option<u32>,
    shutdown: CancellationToken,
) -> Result<Totals, TraceError> {
    let step = step_of(rate)?;
    let mut batches = read_ahead(path).await?;
    let mut totals_so_far = RunningTotals::default();
    let started = Instant::now();
    let mut rate = ReplayRate { step, due: started };
    let mut end = End::Complete;
    'trace: while let Some(batch) = batches.recv().await {
        for line in batch {
            let line = line.map_err(|why| {
                let line = totals_so_far.requests + totals_so_far.skipped;
                TraceError::Read { path: path.to_owned(), line, why }
            })?;
            if shutdown.is_cancelled() || !rate.wait(&line, &shutdown).await {
                end = End::Stopped;
                break 'trace;
            }
            totals_so_far.request(site, line).await;
        }
    }
    let RunningTotals { requests, outcomes, skipped } = totals_so_far;
    Ok(Totals { requests, outcomes, skipped, elapsed: started.elapsed(), end })
}

type Batch = Vec<io::Result<Line>>;

// A thread of its own reads and unpacks, at most a few batches ahead.
async fn read_ahead(path: &Path) -> Result<mpsc::Receiver<Batch>, TraceError> {
    let failed = |why| TraceError::Open { path: path.to_owned(), why };
    let owned = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || Lines::open(&owned)).await;
    let mut lines = opened.unwrap_or_else(|error| Err(error.into())).map_err(failed)?;
    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
    tokio::task::spawn_blocking(move || {
        loop {
            // A panic must not look like the end of the trace.
            let batch = catch_unwind(AssertUnwindSafe(|| next_batch(&mut lines)))
                .unwrap_or_else(|_| vec![Err(io::Error::other("its reader panicked"))]);
            let is_last = batch.len() < BATCH_LEN;
            if sender.blocking_send(batch).is_err() || is_last {
                return;
            }
        }
    });
    Ok(receiver)
}

// Shorter than a full batch only where the trace ends, in an error or not.
fn next_batch(lines: &mut impl Iterator<Item = io::Result<Line>>) -> Batch {
    let mut batch = Vec::with_capacity(BATCH_LEN);
    while batch.len() < BATCH_LEN {
        match lines.next() {
            Some(Ok(line)) => batch.push(Ok(line)),
            Some(Err(error)) => {
                batch.push(Err(error));
                break;
            }
            None => break,
        }
    }
    batch
}

#[derive(Default)]
struct RunningTotals {
    requests: u64,
    outcomes: Outcomes,
    skipped: u64,
}

impl RunningTotals {
    async fn request(&mut self, site: &Site, line: Line) {
        let Line::Key(key) = line else {
            self.skipped += 1;
            return;
        };
        let reply = site.object(&Ctx::of(Caller::Guest), &key).await;
        let note = reply.ok().and_then(|reply| reply.reads.into_iter().next());
        self.requests += 1;
        self.outcomes += one(note.map_or(Outcome::Failed, |note| note.outcome));
    }
}

fn one(outcome: Outcome) -> Outcomes {
    Outcomes::from_counts(Outcome::ALL.map(|each| u64::from(each == outcome)))
}

fn step_of(rate: Option<u32>) -> Result<Option<Duration>, TraceError> {
    match rate {
        Some(0) => Err(TraceError::ZeroRate),
        Some(rate) => Ok(Some(Duration::from_secs(1) / rate)),
        None => Ok(None),
    }
}

// Requests are due at even steps from the start, so that a slow one does not lower the rate.
struct ReplayRate {
    step: Option<Duration>,
    due: Instant,
}

impl ReplayRate {
    // False where the replay was stopped meanwhile.
    async fn wait(&mut self, line: &Line, shutdown: &CancellationToken) -> bool {
        let Some(step) = self.step.filter(|_| matches!(line, Line::Key(_))) else {
            return true;
        };
        if self.due > Instant::now()
            && shutdown.run_until_cancelled(sleep_until(self.due)).await.is_none()
        {
            return false;
        }
        self.due += step;
        true
    }
}
