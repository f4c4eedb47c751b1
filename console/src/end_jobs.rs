use std::time::Duration;

use strata_report::{Job, JobKind, Scope};
use tokio::time::Instant;
use tracing::warn;

use crate::audit::{Deed, entries};
use crate::dead_letters::deed;
use crate::{Actor, Console};

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
            self.tell_given_up(&tracked.now());
        }
        for tracked in self.inner.dead_letter_jobs.running() {
            let job = tracked.now();
            let began_at_ms = Some(job.started_at_ms);
            let given_up = Deed { began_at_ms, ..Deed::new(deed(job.action), &job.cache, "") };
            self.inner.audit.record(&by(&job.actor), given_up, GIVEN_UP.to_owned());
        }
    }

    /// What still runs ends with the program. Whatever it does until then, its line says that its
    /// end is not known.
    fn tell_given_up(&self, job: &Job) {
        let action = match job.kind {
            JobKind::Soften => "soften_key",
            JobKind::Refresh => "refresh_key",
            JobKind::Invalidate if job.scope == Scope::Key => "invalidate_key",
            JobKind::Invalidate => "invalidate_pattern",
        };
        let began_at_ms = Some(job.started_at_ms);
        let deed = Deed { began_at_ms, ..Deed::new(action, &job.cache, &job.target) };
        let removed = entries(job.l2_removed);
        let result = format!("{GIVEN_UP} Until then {removed} were removed from L2.");
        self.inner.audit.record(&by(&job.actor), deed, result);
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

/// Who began a job, as far as the job says.
fn by(name: &str) -> Actor {
    Actor { name: name.to_owned(), ..Actor::nobody() }
}
