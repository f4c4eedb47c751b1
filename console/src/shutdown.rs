use std::time::Duration;

use strata_report::JobKind;
use tokio::time::Instant;
use tracing::warn;

use crate::access::{AuditedAction, count_of_entries};
use crate::console::Console;
use crate::dead_letters::{audit_name, in_words};
use crate::invalidation::{JobHandle, action_name};

/// Of a job that outlasts the waits.
const GIVEN_UP: &str = "Given up: the program stopped before it ended.";

impl Console {
    /// Waits until every job that has begun has ended, for `patience`. Those that run on are then
    /// asked to stop after their current batch, with a line in the log each, and are waited for as
    /// long again. However a job ends, the audit trail says so, and where it does not, that too.
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
        for tracked in self.inner.jobs.running() {
            self.record_given_up(&tracked);
        }
        for tracked in self.inner.dead_letter_jobs.running() {
            let job = tracked.now();
            let (began_at_ms, target) = (Some(job.started_at_ms), in_words(&job.query));
            let given_up = AuditedAction {
                began_at_ms,
                ..AuditedAction::new(audit_name(job.action), &job.cache, &target)
            };
            tracked.owner().record_end(self, given_up, GIVEN_UP.to_owned());
        }
    }

    /// What still runs ends with the program. Whatever it does until then, its line says that its
    /// end is not known.
    fn record_given_up(&self, tracked: &JobHandle) {
        let job = tracked.now();
        let given_up = AuditedAction {
            began_at_ms: Some(job.started_at_ms),
            ..AuditedAction::new(action_name(job.kind, job.scope), &job.cache, &job.target)
        };
        let result = match job.kind {
            JobKind::Invalidate => {
                let removed = count_of_entries(job.l2_removed);
                format!("{GIVEN_UP} Until then {removed} were removed from L2.")
            }
            JobKind::MarkStale | JobKind::Refresh => GIVEN_UP.to_owned(),
        };
        tracked.owner().record_end(self, given_up, result);
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
