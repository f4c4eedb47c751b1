use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use crate::Console;

impl Console {
    /// Waits until every job that has begun has ended, for `patience`. Those that run on are then
    /// asked to stop after their current batch, with a line in the log each, and are waited for as
    /// long again. However a job ends, the audit trail says so.
    pub async fn end_jobs(&self, patience: Duration) {
        self.until_jobs_ended(patience).await;
        for tracked in self.inner.jobs.running() {
            tracked.cancel();
            let job = tracked.now();
            warn!(job = job.id, cache = job.cache, on = job.target, "cancelled by the stop");
        }
        for tracked in self.inner.dead_letter_jobs.running() {
            tracked.cancel();
            let cache = tracked.now().cache;
            warn!(cache, "the run over its dead letters was cancelled by the stop");
        }
        self.until_jobs_ended(patience).await;
    }

    async fn until_jobs_ended(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        for job in self.inner.jobs.running() {
            job.finished(deadline.saturating_duration_since(Instant::now())).await;
        }
        for job in self.inner.dead_letter_jobs.running() {
            job.ended(deadline.saturating_duration_since(Instant::now())).await;
        }
    }

    /// How many jobs run.
    pub fn n_running_jobs(&self) -> usize {
        self.inner.jobs.running().len() + self.inner.dead_letter_jobs.running().len()
    }
}
