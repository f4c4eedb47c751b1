use std::sync::Arc;
use std::time::Duration;

use strata_cache::Journal;
use strata_report::{AuditEntry, AuditHome, AuditPage};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::trail::{Audit, Kind};
use crate::console::Console;
use crate::nodes::NodeClient;

const EVERY: Duration = Duration::from_secs(1);
const BATCH: usize = 200;
/// How long the end of the program waits for Redis to take what it does not have yet.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// Each kind has a list of its own in Redis too.
const fn journal(kind: Kind) -> Journal<'static> {
    let name = match kind {
        Kind::Done => "audit",
        Kind::Demo => "audit-demo",
        Kind::Refused => "audit-refused",
    };
    Journal { name, max_lines: kind.kept(), kept_for: None }
}

impl Console {
    /// What was done and refused, newest first; the newest 1 000.
    pub fn audit(&self) -> Vec<AuditEntry> {
        self.inner.audit.before(None, 1_000).entries
    }

    /// What was done and refused before the entry with that id, newest first; the newest without.
    pub fn audit_page(&self, before: Option<u64>, limit: usize) -> AuditPage {
        AuditPage { home: self.audit_home(), ..self.inner.audit.before(before, limit) }
    }

    /// Reads what an earlier run left in Redis, and writes there what is done; tries again while
    /// Redis is away.
    pub(crate) async fn keep_audit(self) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut has_read = false;
        loop {
            ticks.tick().await;
            self.inner.audit.sum_up_refusals();
            let Some(node) = self.journal_keeper() else { continue };
            if !has_read && let Some(earlier) = read(node.as_ref()).await {
                self.inner.audit.remember(earlier);
                has_read = true;
            }
            write(&self.inner.audit, node.as_ref()).await;
        }
    }

    /// Writes to Redis what it does not have yet, for the end of the program: call it when nothing
    /// more is done, and before the nodes are shut down. Waits two seconds at most; what is not
    /// written then is lost, and said so in the log.
    pub async fn flush_audit(&self) {
        self.inner.audit.sum_up_all_refusals();
        if let Some(node) = self.journal_keeper() {
            // What takes longer is logged below.
            let _ = timeout(LAST_WRITES, write(&self.inner.audit, node.as_ref())).await;
            let left = self.inner.audit.unwritten().len();
            if left > 0 {
                tracing::warn!(
                    entries = left,
                    "the audit trail has entries that Redis did not take"
                );
            }
        }
    }

    /// Where the audit trail lives, and whether it is there after a restart.
    pub(crate) fn audit_home(&self) -> AuditHome {
        let redis = self.redis_state();
        let evicts = redis.policy.as_deref().is_some_and(|policy| policy.starts_with("allkeys"));
        match (redis.configured, self.inner.redis_is_private) {
            (false, _) => AuditHome::Memory,
            (true, true) => AuditHome::PrivateRedis,
            (true, false) if evicts => AuditHome::EvictingRedis,
            (true, false) => AuditHome::Redis,
        }
    }

    /// All nodes share one Redis, so any that has one can keep a journal.
    fn journal_keeper(&self) -> Option<Arc<dyn NodeClient>> {
        let tick = self.tick();
        self.inner.nodes.way_to_redis(&tick.reports, |report| report.l2.configured)
    }
}

async fn read(node: &dyn NodeClient) -> Option<Vec<AuditEntry>> {
    let mut entries = Vec::new();
    for kind in Kind::ALL {
        let lines = node.shared().journal(journal(kind)).await.ok()??;
        // A line of another version is skipped, not fatal.
        entries.extend(lines.iter().filter_map(|line| serde_json::from_str(line).ok()));
    }
    Some(entries)
}

/// A line that was appended and not acknowledged is appended again: readers know it by its id.
async fn write(audit: &Audit, node: &dyn NodeClient) {
    let unwritten = audit.unwritten();
    for batch in unwritten.chunks(BATCH) {
        for kind in Kind::ALL {
            let of_journal = batch.iter().filter(|entry| Kind::of(entry) == kind);
            let lines: Vec<_> =
                of_journal.filter_map(|entry| serde_json::to_string(entry).ok()).collect();
            if !lines.is_empty()
                && !node.shared().append(journal(kind), &lines).await.unwrap_or(false)
            {
                return;
            }
        }
        if let Some(last) = batch.last() {
            audit.written(last.id);
        }
    }
}
