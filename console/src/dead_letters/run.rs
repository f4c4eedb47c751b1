use std::sync::Arc;

use strata_report::{DeadLetterJob, DeadLetterMove, DeadLetterResult};

use super::jobs::RunningDeadLetterJob;
use super::operations::{Writer, audit_name, is_shared};
use crate::access::{AuditedAction, JobOwner};
use crate::console::Console;
use crate::error::ConsoleError;
use crate::invalidation::BROKE_OFF;
use crate::nodes::on_behalf_of;

/// A redrive or a drop on its way.
pub(crate) struct DeadLetterRun {
    pub(crate) owner: Arc<JobOwner>,
    pub(crate) writers: Vec<Writer>,
    /// Which are meant, in words.
    pub(crate) target: String,
}

impl DeadLetterRun {
    /// Does it step by step, and writes down how it ended, also where it panics.
    pub(crate) async fn complete(self, console: Console, running: RunningDeadLetterJob) {
        let began = running.now();
        let (owner, target) = (Arc::clone(&self.owner), self.target.clone());
        let stepping = async move {
            self.steps(&running).await;
            running
        };
        let done = tokio::spawn(on_behalf_of(&began.actor, stepping));
        let (result, running) = match done.await {
            Ok(running) => (result(&running.now(), running.is_cancelled()), Some(running)),
            Err(_) => (format!("Failed: {BROKE_OFF}"), None),
        };
        let audited = AuditedAction {
            began_at_ms: Some(began.started_at_ms),
            ..AuditedAction::new(audit_name(began.action), &began.cache, &target)
        };
        // Audited first: whoever waits for the end finds it in the trail.
        owner.record_end(&console, audited, result);
        if let Some(running) = running {
            running.end();
        }
    }

    async fn steps(&self, running: &RunningDeadLetterJob) {
        let is_shared = is_shared(&self.writers);
        let mut left = 0;
        let mut last = None;
        for writer in &self.writers {
            if running.is_cancelled() {
                left += writer.report.aside;
                continue;
            }
            // What lies in Redis is the same for all: another node goes on where one broke off.
            let from = running.now().result.next.filter(|_| is_shared);
            match self.of(writer, from, running).await {
                Ok(node_event) if is_shared => {
                    (left, last) = (node_event, None);
                    break;
                }
                Ok(node_event) => left += node_event,
                Err(error) => {
                    left += if is_shared { 0 } else { writer.report.aside };
                    last = Some(error);
                }
            }
        }
        running.note(|job| {
            job.result.left = left;
            job.failure = last.map(|error| format!("Strata failed to {error}."));
        });
    }

    /// All steps on one node; how many dead letters it has left.
    async fn of(
        &self,
        writer: &Writer,
        from: Option<String>,
        running: &RunningDeadLetterJob,
    ) -> Result<u64, ConsoleError> {
        let job = running.now();
        let DeadLetterJob { cache, action, query, .. } = job;
        let mut step = DeadLetterMove { cache, action, query, from };
        loop {
            let done = writer.node.move_dead_letters(step.clone()).await?;
            let (left, next) = (done.left, done.next.clone());
            running.note(|job| job.result.then(done));
            if next.is_none() || running.is_cancelled() {
                return Ok(left);
            }
            step.from = next;
        }
    }
}

/// How it ended, for the audit trail.
fn result(job: &DeadLetterJob, is_cancelled: bool) -> String {
    let DeadLetterResult { redriven, superseded, dropped, left, .. } = job.result;
    let how = match (&job.failure, is_cancelled) {
        (Some(why), _) => format!("Broke off: {why}"),
        (None, true) => "Stopped.".to_owned(),
        (None, false) => "Done.".to_owned(),
    };
    format!(
        "{how} {redriven} queued again, {superseded} forgotten for newer values, {dropped} dropped, {left} left."
    )
}
