use std::sync::Arc;

use strata_report::{
    DeadLetterJob, DeadLetterMove, DeadLetterQuery, DeadLetterRequest, DeadLetterResult,
};

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
            let uncounted = self.steps(&running).await;
            (running, uncounted)
        };
        let done = tokio::spawn(on_behalf_of(&began.actor, stepping));
        let (result, running) = match done.await {
            Ok((running, uncounted)) => {
                let result = result(&running.now(), running.is_cancelled(), &uncounted);
                (result, Some(running))
            }
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

    /// Names the nodes whose last step may have been done without being counted.
    async fn steps(&self, running: &RunningDeadLetterJob) -> Vec<String> {
        let cache = running.now().cache;
        let mut uncounted = Vec::new();
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
                    if may_have_been_done(writer, &error) {
                        uncounted.push(writer.node.id().to_owned());
                    }
                    let lie_there = left_on(writer, &cache).await;
                    left = if is_shared { lie_there } else { left + lie_there };
                    last = Some(error);
                }
            }
        }
        running.note(|job| {
            job.result.left = left;
            job.failure = last.map(|error| match at_least(&uncounted) {
                Some(at_least) => format!("Strata failed to {error}. {at_least}"),
                None => format!("Strata failed to {error}."),
            });
        });
        uncounted
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

/// Whether a step that brought no result may be done all the same: its node went to its end, and the
/// answer was late or lost.
fn may_have_been_done(writer: &Writer, error: &ConsoleError) -> bool {
    let has_no_answer = matches!(
        error,
        ConsoleError::NodeGone(_)
            | ConsoleError::NodeRefuses { .. }
            | ConsoleError::NotUnderstood(_)
    );
    has_no_answer && writer.node.presence().is_some() && writer.moves()
}

/// How many dead letters lie there now; where nobody says it, how many there were.
async fn left_on(writer: &Writer, cache: &str) -> u64 {
    let (cache, query) = (cache.to_owned(), DeadLetterQuery::default());
    let request = DeadLetterRequest { cache, query, after: None, limit: 1 };
    let page = writer.node.dead_letters(request).await;
    page.map_or(writer.report.aside, |page| page.total)
}

/// That there may be more than what was counted; `None` where all was.
fn at_least(uncounted: &[String]) -> Option<String> {
    let nodes = uncounted.join(", ");
    (!uncounted.is_empty()).then(|| {
        format!("The numbers are at least so many: a step on {nodes} may have been done as well.")
    })
}

/// How it ended, for the audit trail.
fn result(job: &DeadLetterJob, is_cancelled: bool, uncounted: &[String]) -> String {
    let DeadLetterResult { redriven, superseded, dropped, left, .. } = job.result;
    let how = match (&job.failure, is_cancelled) {
        (Some(why), _) => format!("Broke off: {why}"),
        (None, true) => "Stopped.".to_owned(),
        (None, false) => "Done.".to_owned(),
    };
    let about = if uncounted.is_empty() { "" } else { "at least " };
    let mut said = format!(
        "{how} {about}{redriven} queued again, {about}{superseded} forgotten for newer values, {about}{dropped} dropped, {left} left."
    );
    if let (None, Some(at_least)) = (&job.failure, at_least(uncounted)) {
        said = format!("{said} {at_least}");
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trail_counts_at_least_so_many_where_a_step_brought_no_answer() {
        let result_of = DeadLetterResult { dropped: 2, left: 1, ..DeadLetterResult::default() };
        let mut job = DeadLetterJob { result: result_of, ..DeadLetterJob::default() };
        let done = "Done. 0 queued again, 0 forgotten for newer values, 2 dropped, 1 left.";
        assert_eq!(result(&job, false, &[]), done);
        let uncounted = ["pod-1".to_owned()];
        let said = result(&job, false, &uncounted);
        assert!(said.contains("at least 2 dropped, 1 left. The numbers are"), "{said}");
        assert!(said.ends_with("a step on pod-1 may have been done as well."), "{said}");
        job.failure = Some("Strata failed to ask the node.".to_owned());
        let said = result(&job, false, &uncounted);
        assert!(said.starts_with("Broke off: ") && said.contains("at least 2 dropped"), "{said}");
    }
}
