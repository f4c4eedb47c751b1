use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use strata_report::DeadLetterJob;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::access::JobOwner;
use crate::clock::now_ms;
use crate::error::ConsoleError;
use crate::invalidation::BROKE_OFF;

/// Caches whose newest run is remembered; those of attached nodes come and go.
const KEPT: usize = 100;

/// The newest redrive or drop of each cache.
#[derive(Debug, Default)]
pub(crate) struct DeadLetterJobs {
    newest: Mutex<BTreeMap<String, DeadLetterJobHandle>>,
}

/// A run, seen from outside.
#[derive(Clone, Debug)]
pub(crate) struct DeadLetterJobHandle {
    job: watch::Receiver<DeadLetterJob>,
    cancelled: Arc<AtomicBool>,
    owner: Arc<JobOwner>,
}

/// A run, seen by the task that does it. One that is dropped before its end has broken off.
#[derive(Debug)]
pub(crate) struct RunningDeadLetterJob {
    job: watch::Sender<DeadLetterJob>,
    cancelled: Arc<AtomicBool>,
    owner: Arc<JobOwner>,
}

impl DeadLetterJobs {
    pub(crate) fn begin(
        &self,
        job: DeadLetterJob,
        owner: &Arc<JobOwner>,
    ) -> Result<RunningDeadLetterJob, ConsoleError> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.get(&job.cache).is_some_and(|tracked| !tracked.has_ended()) {
            return Err(ConsoleError::DeadLettersBusy(job.cache));
        }
        while newest.len() >= KEPT {
            let ended = newest.iter().find(|(_, tracked)| tracked.has_ended());
            let Some(cache) = ended.map(|(cache, _)| cache.clone()) else { break };
            newest.remove(&cache);
        }
        let (cache, cancelled) = (job.cache.clone(), Arc::new(AtomicBool::new(false)));
        let (sender, _) = watch::channel(job);
        let running = RunningDeadLetterJob { job: sender, cancelled, owner: Arc::clone(owner) };
        newest.insert(cache, running.tracked());
        Ok(running)
    }

    /// Those that have not ended.
    pub(crate) fn running(&self) -> Vec<DeadLetterJobHandle> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.values().filter(|tracked| !tracked.has_ended()).cloned().collect()
    }

    pub(crate) fn get(&self, cache: &str) -> Option<DeadLetterJobHandle> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).get(cache).cloned()
    }
}

impl DeadLetterJobHandle {
    pub(crate) fn now(&self) -> DeadLetterJob {
        let cancel_asked = self.cancelled.load(Relaxed);
        DeadLetterJob { cancel_asked, ..self.job.borrow().clone() }
    }

    /// Who began it.
    pub(crate) fn owner(&self) -> &JobOwner {
        &self.owner
    }

    /// Waits until it has ended or `wait` is over; then as it stands.
    pub(crate) async fn ended(&self, wait: Duration) -> DeadLetterJob {
        let mut job = self.job.clone();
        // Both errors leave a job to show: time is up, or its task is gone and said so.
        let _ = timeout(wait, job.wait_for(|job| job.ended_at_ms.is_some())).await;
        self.now()
    }

    /// Asks it to stop; says whether this is the first time, and it had not ended.
    pub(crate) fn cancel(&self) -> bool {
        !self.has_ended() && !self.cancelled.swap(true, Relaxed)
    }

    fn has_ended(&self) -> bool {
        self.job.borrow().ended_at_ms.is_some()
    }
}

impl RunningDeadLetterJob {
    pub(crate) fn tracked(&self) -> DeadLetterJobHandle {
        let (cancelled, owner) = (Arc::clone(&self.cancelled), Arc::clone(&self.owner));
        DeadLetterJobHandle { job: self.job.subscribe(), cancelled, owner }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Relaxed)
    }

    pub(crate) fn now(&self) -> DeadLetterJob {
        self.job.borrow().clone()
    }

    /// Notes how far it is.
    pub(crate) fn note(&self, change: impl FnOnce(&mut DeadLetterJob)) {
        self.job.send_modify(change);
    }

    pub(crate) fn end(self) {
        self.note(|job| job.ended_at_ms = Some(now_ms()));
    }
}

impl Drop for RunningDeadLetterJob {
    fn drop(&mut self) {
        self.job.send_if_modified(|job| {
            let broke_off = job.ended_at_ms.is_none();
            if broke_off {
                job.ended_at_ms = Some(now_ms());
                job.failure = Some(BROKE_OFF.to_owned());
            }
            broke_off
        });
    }
}
