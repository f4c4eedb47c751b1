use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use strata_cache::Progress;
use strata_report::{Job, JobError, JobState};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::ConsoleError;
use crate::clock::now_ms;
use crate::doer::Doer;
use crate::errand::WAITS;

const KEPT: usize = 100;

/// What became of a job whose task panicked.
pub(crate) const BROKE_OFF: &str = "It broke off before its end; the log says why.";

/// The newest invalidations, running and ended.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    n_begun: u64,
    jobs: BTreeMap<u64, Tracked>,
}

/// A job, seen from outside.
#[derive(Clone, Debug)]
pub(crate) struct Tracked {
    job: watch::Receiver<Job>,
    progress: Arc<Progress>,
    doer: Arc<Doer>,
    /// When what waited was replayed, milliseconds since the epoch; 0 before.
    replayed_at_ms: Arc<AtomicU64>,
}

/// A job, seen by the task that does it. One that is dropped before its end has failed.
#[derive(Debug)]
pub(crate) struct Running {
    job: watch::Sender<Job>,
    pub(crate) progress: Arc<Progress>,
    doer: Arc<Doer>,
    replayed_at_ms: Arc<AtomicU64>,
}

impl Jobs {
    /// Keeps a new job, whose id is decided here.
    pub(crate) fn begin(&self, job: Job, doer: &Arc<Doer>) -> Running {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.n_begun += 1;
        let id = table.n_begun;
        let progress = Arc::new(Progress::default());
        let (sender, _) = watch::channel(Job { id, ..job });
        table.make_room();
        let doer = Arc::clone(doer);
        let running = Running { job: sender, progress, doer, replayed_at_ms: Arc::default() };
        table.jobs.insert(id, running.tracked());
        running
    }

    pub(crate) fn get(&self, id: u64) -> Result<Tracked, ConsoleError> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.jobs.get(&id).cloned().ok_or(ConsoleError::UnknownJob(id))
    }

    /// Those that have not ended, the oldest first.
    pub(crate) fn running(&self) -> Vec<Tracked> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.jobs.values().filter(|tracked| !tracked.has_ended()).cloned().collect()
    }

    /// Those that wait for Redis, the oldest first.
    pub(crate) fn queued(&self) -> Vec<Tracked> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |tracked: &&Tracked| tracked.now().state == JobState::Queued;
        table.jobs.values().filter(waits).cloned().collect()
    }

    pub(crate) fn newest_first(&self) -> Vec<Job> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.jobs.values().rev().map(Tracked::now).collect()
    }
}

impl Table {
    // Ended jobs are forgotten before running ones, which somebody may still want to cancel.
    fn make_room(&mut self) {
        while self.jobs.len() >= KEPT {
            let ended = self.jobs.iter().find(|(_, tracked)| tracked.has_ended());
            let Some(id) = ended.or(self.jobs.iter().next()).map(|(id, _)| *id) else {
                return;
            };
            self.jobs.remove(&id);
        }
    }
}

impl Tracked {
    /// The job as it stands.
    pub(crate) fn now(&self) -> Job {
        let mut job = self.job.borrow().clone();
        job.cancel_asked = self.progress.cancelled.load(Relaxed);
        if job.state == JobState::Running {
            count(&mut job, &self.progress);
        }
        let replayed_at_ms = self.replayed_at_ms.load(Relaxed);
        if job.state == JobState::Queued && replayed_at_ms > 0 {
            job.state = JobState::Done;
            job.replayed_at_ms = Some(replayed_at_ms);
            job.errors.retain(|error| error.what != WAITS);
        }
        job
    }

    /// Whose it is.
    pub(crate) fn doer(&self) -> &Doer {
        &self.doer
    }

    /// Says that what waited was replayed.
    pub(crate) fn replayed(&self, at_ms: u64) {
        self.replayed_at_ms.store(at_ms, Relaxed);
    }

    /// Waits until the job has ended or `wait` is over; then the job as it stands.
    pub(crate) async fn finished(&self, wait: Duration) -> Job {
        let mut job = self.job.clone();
        // Both errors leave a job to show: time is up, or its task is gone and said so.
        let _ = timeout(wait, job.wait_for(|job| job.state != JobState::Running)).await;
        self.now()
    }

    /// Asks the job to stop after its current batch; says whether this is the first time. Has no
    /// effect on one that has ended.
    pub(crate) fn cancel(&self) -> bool {
        !self.progress.cancelled.swap(true, Relaxed)
    }

    fn has_ended(&self) -> bool {
        self.job.borrow().state != JobState::Running
    }
}

impl Running {
    pub(crate) fn tracked(&self) -> Tracked {
        let progress = Arc::clone(&self.progress);
        let replayed_at_ms = Arc::clone(&self.replayed_at_ms);
        let doer = Arc::clone(&self.doer);
        Tracked { job: self.job.subscribe(), progress, doer, replayed_at_ms }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.progress.cancelled.load(Relaxed)
    }

    /// The job as it stands, to be completed and handed to [`Running::end`].
    pub(crate) fn draft(&self) -> Job {
        self.tracked().now()
    }

    pub(crate) fn end(self, job: Job) {
        self.job.send_replace(Job { ended_at_ms: Some(now_ms()), ..job });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.job.send_if_modified(|job| {
            let broke_off = job.state == JobState::Running;
            if broke_off {
                count(job, &self.progress);
                job.state = JobState::Failed;
                job.errors.push(JobError { node: String::new(), what: BROKE_OFF.to_owned() });
                job.ended_at_ms = Some(now_ms());
            }
            broke_off
        });
    }
}

fn count(job: &mut Job, progress: &Progress) {
    job.l2_scanned = progress.scanned.load(Relaxed);
    job.l2_removed = progress.removed.load(Relaxed);
}
