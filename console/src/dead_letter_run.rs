use std::sync::Arc;

use strata_cache::{DeadLetterFilter, DeadLetterStep};
use strata_report::{DeadLetterJob, DeadLetterResult};

use crate::audit::Deed;
use crate::dead_letter_jobs::Running;
use crate::dead_letters::{Writer, deed, is_shared};
use crate::doer::Doer;
use crate::jobs::BROKE_OFF;
use crate::{Console, ConsoleError};

/// A redrive or a drop on its way.
pub(crate) struct DeadLetterRun {
    pub(crate) doer: Arc<Doer>,
    pub(crate) writers: Vec<Writer>,
    pub(crate) filter: DeadLetterFilter,
    /// Which are meant, in words.
    pub(crate) target: String,
}

impl DeadLetterRun {
    /// Does it step by step, and writes down how it ended, also where it panics.
    pub(crate) async fn complete(self, console: Console, running: Running) {
        let began = running.now();
        let (doer, target) = (Arc::clone(&self.doer), self.target.clone());
        let done = tokio::spawn(async move {
            self.steps(&running).await;
            running
        });
        let (result, running) = match done.await {
            Ok(running) => (result(&running.now(), running.is_cancelled()), Some(running)),
            Err(_) => (format!("Failed: {BROKE_OFF}"), None),
        };
        let deed = Deed {
            began_at_ms: Some(began.started_at_ms),
            ..Deed::new(deed(began.action), &began.cache, &target)
        };
        // Audited first: whoever waits for the end finds it in the trail.
        doer.tell_end(&console, deed, result);
        if let Some(running) = running {
            running.end();
        }
    }

    async fn steps(&self, running: &Running) {
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
                Ok(of_node) if is_shared => {
                    (left, last) = (of_node, None);
                    break;
                }
                Ok(of_node) => left += of_node,
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
        running: &Running,
    ) -> Result<u64, ConsoleError> {
        let job = running.now();
        let mut step = DeadLetterStep { action: job.action, filter: self.filter.clone(), from };
        loop {
            let done = writer.node.move_dead_letters(&job.cache, step.clone()).await?;
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
