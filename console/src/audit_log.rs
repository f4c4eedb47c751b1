use std::sync::Arc;
use std::time::Duration;

use strata_cache::Journal;
use strata_report::AuditEntry;
use tokio::time::{MissedTickBehavior, interval};

use crate::audit::{Audit, KEPT, REFUSALS_KEPT};
use crate::{Console, NodeFace};

const EVERY: Duration = Duration::from_secs(1);
const BATCH: usize = 200;

// Refusals have a list of their own, so that they never push out what was done.
const DEEDS: Journal<'static> = Journal { name: "audit", max_lines: KEPT };
const REFUSALS: Journal<'static> = Journal { name: "audit-refused", max_lines: REFUSALS_KEPT };

impl Console {
    /// Reads what an earlier run left in Redis, and writes there what is done; tries again while
    /// Redis is away.
    pub(crate) async fn keep_audit(self) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut has_read = false;
        loop {
            ticks.tick().await;
            let Some(node) = self.journal_keeper() else { continue };
            if !has_read && let Some(earlier) = read(node.as_ref()).await {
                self.inner.audit.remember(earlier);
                has_read = true;
            }
            write(&self.inner.audit, node.as_ref()).await;
        }
    }

    /// All nodes share one Redis, so any that has one can keep a journal.
    fn journal_keeper(&self) -> Option<Arc<dyn NodeFace>> {
        let tick = self.tick();
        let able = tick.reports.iter().find(|report| report.l2.configured)?;
        self.inner.nodes.iter().find(|node| node.id() == able.node).cloned()
    }
}

async fn read(node: &dyn NodeFace) -> Option<Vec<AuditEntry>> {
    let mut entries = Vec::new();
    for journal in [DEEDS, REFUSALS] {
        let lines = node.journal(journal).await.ok()??;
        // A line of another version is skipped, not fatal.
        entries.extend(lines.iter().filter_map(|line| serde_json::from_str(line).ok()));
    }
    Some(entries)
}

/// A line that was appended and not acknowledged is appended again: readers know it by its id.
async fn write(audit: &Audit, node: &dyn NodeFace) {
    let unwritten = audit.unwritten();
    for batch in unwritten.chunks(BATCH) {
        for (journal, refused) in [(DEEDS, false), (REFUSALS, true)] {
            let of_journal = batch.iter().filter(|entry| entry.refused == refused);
            let lines: Vec<_> =
                of_journal.filter_map(|entry| serde_json::to_string(entry).ok()).collect();
            if !lines.is_empty() && !node.append(journal, &lines).await.unwrap_or(false) {
                return;
            }
        }
        if let Some(last) = batch.last() {
            audit.written(last.id);
        }
    }
}
