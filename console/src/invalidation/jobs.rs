use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use strata_cache::Progress;
use strata_report::{Job, JobError, JobState};
use tokio::sync::watch;
use tokio::time::timeout;

use super::task::WAITS;
use crate::access::JobOwner;
use crate::clock::now_ms;
use crate::error::ConsoleError;

const KEPT: usize = 100;

/// The error of a node that went before it replayed an invalidation.
const LOST: &str = "The node left or started again while the invalidation waited for Redis.";

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
    jobs: BTreeMap<u64, JobHandle>,
}

/// A job, seen from outside.
#[derive(Clone, Debug)]
pub(crate) struct JobHandle {
    job: watch::Receiver<Job>,
    progress: Arc<Progress>,
    owner: Arc<JobOwner>,
    /// How what waited for Redis ended.
    settled: Arc<OnceLock<Settled>>,
}

/// A job, seen by the task that does it. One that is dropped before its end has failed.
#[derive(Debug)]
pub(crate) struct RunningJob {
    job: watch::Sender<Job>,
    pub(crate) progress: Arc<Progress>,
    owner: Arc<JobOwner>,
    settled: Arc<OnceLock<Settled>>,
}

/// How an invalidation that waited for Redis ended.
#[derive(Clone, Debug)]
pub(crate) enum Settled {
    /// Redis was back, and it was carried out.
    Replayed {
        /// When, milliseconds since the epoch.
        at_ms: u64,
    },
    /// Nobody knows whether it was carried out: every node on which it waited has gone.
    Unknown {
        /// Those nodes.
        nodes: Vec<String>,
    },
}

impl Jobs {
    /// Keeps a new job, whose id is decided here.
    pub(crate) fn begin(&self, job: Job, owner: &Arc<JobOwner>) -> RunningJob {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.n_begun += 1;
        let id = table.n_begun;
        let progress = Arc::new(Progress::default());
        let (sender, _) = watch::channel(Job { id, ..job });
        table.make_room();
        let owner = Arc::clone(owner);
        let running = RunningJob { job: sender, progress, owner, settled: Arc::default() };
        table.jobs.insert(id, running.tracked());
        running
    }

    pub(crate) fn get(&self, id: u64) -> Result<JobHandle, ConsoleError> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.jobs.get(&id).cloned().ok_or(ConsoleError::UnknownJob(id))
    }

    /// Those that have not ended, the oldest first.
    pub(crate) fn running(&self) -> Vec<JobHandle> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.jobs.values().filter(|tracked| !tracked.has_ended()).cloned().collect()
    }

    /// Those that wait for Redis, the oldest first.
    pub(crate) fn queued(&self) -> Vec<JobHandle> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |tracked: &&JobHandle| tracked.now().state == JobState::Queued;
        table.jobs.values().filter(waits).cloned().collect()
    }

    pub(crate) fn newest_first(&self) -> Vec<Job> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.jobs.values().rev().map(JobHandle::now).collect()
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

impl JobHandle {
    /// The job as it stands.
    pub(crate) fn now(&self) -> Job {
        let mut job = self.job.borrow().clone();
        job.cancel_asked = self.progress.cancelled.load(Relaxed);
        if job.state == JobState::Running {
            count(&mut job, &self.progress);
        }
        if job.state == JobState::Queued
            && let Some(settled) = self.settled.get()
        {
            settle(&mut job, settled);
        }
        job
    }

    /// Who began it.
    pub(crate) fn owner(&self) -> &JobOwner {
        &self.owner
    }

    /// Says how what waited for Redis ended; only the first time counts.
    pub(crate) fn settle(&self, settled: Settled) {
        // It is set already, which is what counts.
        let _ = self.settled.set(settled);
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

impl RunningJob {
    pub(crate) fn tracked(&self) -> JobHandle {
        let progress = Arc::clone(&self.progress);
        let settled = Arc::clone(&self.settled);
        let owner = Arc::clone(&self.owner);
        JobHandle { job: self.job.subscribe(), progress, owner, settled }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.progress.cancelled.load(Relaxed)
    }

    /// The job as it stands, to be completed and handed to [`RunningJob::end`].
    pub(crate) fn draft(&self) -> Job {
        self.tracked().now()
    }

    pub(crate) fn end(self, job: Job) {
        self.job.send_replace(Job { ended_at_ms: Some(now_ms()), ..job });
    }
}

impl Drop for RunningJob {
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

fn settle(job: &mut Job, settled: &Settled) {
    match settled {
        Settled::Replayed { at_ms } => {
            job.state = JobState::Done;
            job.replayed_at_ms = Some(*at_ms);
            job.errors.retain(|error| error.what != WAITS);
        }
        Settled::Unknown { .. } => {
            job.state = JobState::Unknown;
            let waiting = job.errors.iter_mut().filter(|error| error.what == WAITS);
            waiting.for_each(|error| LOST.clone_into(&mut error.what));
        }
    }
}

fn count(job: &mut Job, progress: &Progress) {
    job.l2_scanned = progress.scanned.load(Relaxed);
    job.l2_removed = progress.removed.load(Relaxed);
}
