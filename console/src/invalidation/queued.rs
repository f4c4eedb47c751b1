//! Invalidations that wait for Redis: how they end. When Redis is back, each node replays what
//! waited on it. A node that leaves or starts again before that takes with it what waited.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use strata_report::{Job, NodeReport};
use tokio::time::Instant;

use super::jobs::Settled;
use super::task::{WAITS, action_name};
use crate::access::AuditedAction;
use crate::clock::now_ms;
use crate::console::Console;

/// A node that has not been heard for so long counts as gone.
const GONE_AFTER: Duration = Duration::from_secs(60);

/// Since when nodes are not heard on which invalidations wait.
#[derive(Debug, Default)]
pub(crate) struct SilentNodes {
    since: Mutex<BTreeMap<String, Instant>>,
}

/// How far a node is with an invalidation that waited on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Waits,
    Replayed,
    /// The node has left or started again.
    Lost,
}

impl Console {
    /// Ends the jobs that waited for Redis, as far as the newest reports tell.
    pub(crate) fn settle_queued(&self) {
        let tick = self.tick();
        let attached = tick.attached.iter().map(|attached| &*attached.report);
        // What this console sends to nodes elsewhere waits on its own node.
        let own = self.inner.nodes.observer_report();
        let reports: Vec<_> =
            tick.reports.iter().map(|report| &**report).chain(attached).chain(&own).collect();
        let queued: Vec<_> =
            self.inner.jobs.queued().into_iter().map(|handle| (handle.now(), handle)).collect();
        let nodes = queued.iter().flat_map(|(job, _)| waiting_nodes(job)).map(str::to_owned);
        let gone = self.inner.silent_nodes.gone(&nodes.collect(), &reports);
        for (job, handle) in &queued {
            let progress = |node: &str| progress(node, job, (reports.as_slice(), &gone));
            let Some(settled) = settled(job, progress) else { continue };
            let audited = AuditedAction {
                began_at_ms: Some(job.started_at_ms),
                ..AuditedAction::new(action_name(job.kind, job.scope), &job.cache, &job.target)
            };
            let result = result(&settled);
            handle.settle(settled);
            self.inner.audit.record(handle.owner().actor(), audited, result);
        }
    }
}

impl SilentNodes {
    /// Those of the nodes that have not been heard for too long.
    fn gone(&self, nodes: &BTreeSet<String>, reports: &[&NodeReport]) -> BTreeSet<String> {
        let is_heard = |node: &str| reports.iter().any(|report| report.node == node);
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.retain(|node, _| nodes.contains(node) && !is_heard(node));
        for node in nodes.iter().filter(|node| !is_heard(node)) {
            since.entry(node.clone()).or_insert_with(Instant::now);
        }
        let gone = since.iter().filter(|(_, since)| since.elapsed() >= GONE_AFTER);
        gone.map(|(node, _)| node.clone()).collect()
    }
}

/// The nodes on which a job's invalidation waits.
fn waiting_nodes(job: &Job) -> impl Iterator<Item = &str> {
    let waiting = job.errors.iter().filter(|error| error.what == WAITS);
    waiting.map(|error| error.node.as_str())
}

fn progress(
    node: &str,
    job: &Job,
    (reports, gone): (&[&NodeReport], &BTreeSet<String>),
) -> Progress {
    let Some(report) = reports.iter().find(|report| report.node == node) else {
        return if gone.contains(node) { Progress::Lost } else { Progress::Waits };
    };
    let is_newer = job.ended_at_ms.is_some_and(|ended| report.at_ms > ended);
    let l2 = &report.l2;
    if report.started_at_ms > job.started_at_ms {
        Progress::Lost
    } else if is_newer && !l2.breaker_open && l2.queued_invalidations == 0 {
        Progress::Replayed
    } else {
        Progress::Waits
    }
}

/// How a job has ended; `None` while it waits. What one node has replayed is done for all: they
/// share L2, and hear of it on the bus.
fn settled(job: &Job, progress: impl Fn(&str) -> Progress) -> Option<Settled> {
    let all: Vec<_> = waiting_nodes(job).map(|node| (node, progress(node))).collect();
    if all.is_empty() || all.iter().any(|(_, progress)| *progress == Progress::Waits) {
        return None;
    }
    if all.iter().any(|(_, progress)| *progress == Progress::Replayed) {
        return Some(Settled::Replayed { at_ms: now_ms() });
    }
    Some(Settled::Unknown { nodes: all.into_iter().map(|(node, _)| node.to_owned()).collect() })
}

/// How it ended, for the audit trail.
fn result(settled: &Settled) -> String {
    match settled {
        Settled::Replayed { .. } => {
            "Done: what waited was replayed once Redis was back.".to_owned()
        }
        Settled::Unknown { nodes } => {
            let nodes = nodes.join(", ");
            format!(
                "Not known whether it was carried out: it waited for Redis on {nodes}, and what waits on a node is lost when the node leaves or starts again. Invalidate again."
            )
        }
    }
}
