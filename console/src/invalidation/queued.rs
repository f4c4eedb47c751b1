//! Invalidations that waited for Redis: once they have been replayed, their jobs and the audit
//! trail say so.

use strata_report::{Job, NodeReport};

use super::task::{WAITS, action_name};
use crate::access::AuditedAction;
use crate::clock::now_ms;
use crate::console::Console;

impl Console {
    /// Ends the waiting of jobs that have been replayed, as far as the newest reports tell.
    pub(crate) fn settle_queued(&self) {
        let tick = self.tick();
        let attached = tick.attached.iter().map(|attached| &attached.report);
        let reports: Vec<_> = tick.reports.iter().chain(attached).collect();
        for job in self.inner.jobs.queued() {
            let ended = job.now();
            if is_replayed(&ended, &reports) {
                job.replayed(now_ms());
                let action = action_name(ended.kind, ended.scope);
                let audited = AuditedAction {
                    began_at_ms: Some(ended.started_at_ms),
                    ..AuditedAction::new(action, &ended.cache, &ended.target)
                };
                let result = "Done: what waited was replayed once Redis was back.";
                self.inner.audit.record(job.owner().actor(), audited, result.to_owned());
            }
        }
    }
}

/// Whether nothing waits any more on the nodes on which this job's invalidation waited. A node that
/// started anew since has forgotten it, which nobody calls replayed.
fn is_replayed(job: &Job, reports: &[&NodeReport]) -> bool {
    let waiting = job.errors.iter().filter(|error| error.what == WAITS);
    let mut nodes = waiting.map(|error| error.node.as_str()).peekable();
    let is_done = |node| {
        reports.iter().any(|report| {
            report.node == node
                && report.started_at_ms <= job.started_at_ms
                && job.ended_at_ms.is_some_and(|ended| report.at_ms > ended)
                && !report.l2.breaker_open
                && report.l2.queued_invalidations == 0
        })
    };
    nodes.peek().is_some() && nodes.all(is_done)
}
