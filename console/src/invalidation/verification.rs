use std::time::Duration;

use strata_cache::Target;
use strata_report::{Delivery, EntryLook, NodeCount, NodePresence};
use tokio::time::{Instant, sleep};

use super::task::walked;
use crate::clock::{in_ms, now_ms};
use crate::console::Console;
use crate::error::ConsoleError;
use crate::nodes::{CacheNode, NodeClient, l1_query};

const POLL: Duration = Duration::from_millis(10);
const LOOKED_AT: usize = 1_000;

/// Nodes elsewhere beat once a second, and their reports are read as often.
const REPORTED_WITHIN: Duration = Duration::from_secs(5);

impl Console {
    /// Which nodes elsewhere have acted on all that the bus has carried until now, by their reports:
    /// nobody is asked, and those that are lost or unreadable are not waited for. `None` where all
    /// nodes are here. Where the bus cannot be read, nobody knows.
    pub(crate) async fn heard_by(&self, nodes: &[CacheNode]) -> Option<Delivery> {
        let fleet = self.inner.nodes.elsewhere()?;
        if nodes.iter().all(|held| held.node.presence().is_none()) {
            return None;
        }
        // Those of this process report in Redis as well, unless they do not take part.
        let tick = self.tick();
        let presences: Vec<_> = nodes
            .iter()
            .filter_map(|held| {
                let beats = |id: &str| fleet.is_known(id);
                let here = || tick.fleet.as_ref()?.presence(held.node.id());
                held.node.presence().or_else(|| here().filter(|at| beats(&at.node)))
            })
            .collect();
        let of = presences.len() as u64;
        let began = Instant::now();
        let Some(sequence) = fleet.bus_sequence().await else {
            return Some(Delivery { of, unknown: true, ..Delivery::default() });
        };
        let reports = |at: &&&NodePresence| at.state.counts() && at.unreadable.is_none();
        let (awaited, silent): (Vec<_>, Vec<_>) = presences.iter().partition(reports);
        let ids = |of: Vec<&&NodePresence>| -> Vec<String> {
            of.into_iter().map(|presence| presence.node.clone()).collect()
        };
        let (awaited, silent) = (ids(awaited), ids(silent));
        let mut acted = fleet.have_acted_on((sequence, &awaited), REPORTED_WITHIN).await;
        let within_ms = in_ms(began.elapsed());
        acted.extend(fleet.have_acted_on((sequence, &silent), Duration::ZERO).await);
        let not_by = awaited.into_iter().chain(silent).filter(|id| !acted.contains(id)).collect();
        Some(Delivery { nodes: acted.len() as u64, of, within_ms, not_by, unknown: false })
    }
}

/// Entries that an invalidation should have removed.
pub(crate) struct Verification<'a> {
    pub(crate) cache: &'a str,
    pub(crate) target: &'a Target,
    pub(crate) nodes: &'a [CacheNode],
    /// An entry loaded since then is a new one: traffic may fill a key again at once.
    pub(crate) since_ms: u64,
}

impl Verification<'_> {
    /// Waits until no node has any in L1, at most for `patience`; then how many each has left.
    pub(crate) async fn left(&self, patience: Duration) -> Vec<NodeCount> {
        let deadline = Instant::now() + patience;
        loop {
            let mut left = Vec::new();
            // Those elsewhere report what they have heard.
            let here = self.nodes.iter().filter(|held| held.node.presence().is_none());
            for cache_node in here {
                // A node that is gone serves nothing, so nothing is left on it.
                let entries = self.on(cache_node.node.as_ref()).await.unwrap_or(0);
                left.push(NodeCount { node: cache_node.node.id().to_owned(), entries });
            }
            if left.iter().all(|node| node.entries == 0) || Instant::now() >= deadline {
                return left;
            }
            sleep(POLL).await;
        }
    }

    async fn on(&self, node: &dyn NodeClient) -> Result<u64, ConsoleError> {
        if let Target::Key(key) = self.target {
            return Ok(u64::from(self.is_old(node, key).await?));
        }
        let Some(pattern) = walked(self.target) else { return Ok(0) };
        let matched = node.match_l1(l1_query(self.cache, &pattern, LOOKED_AT)).await?;
        let mut old = 0;
        for key in &matched.samples {
            old += u64::from(self.is_old(node, key).await?);
        }
        let looked_at = matched.samples.len().max(1) as u64;
        // Where more match than are looked at, those stand for all.
        Ok((old * matched.n_keys.max(looked_at)).div_ceil(looked_at))
    }

    async fn is_old(&self, node: &dyn NodeClient, key: &str) -> Result<bool, ConsoleError> {
        // Read before the look, so that an entry is rather taken for older than it is.
        let now_ms = now_ms();
        let entry = node.look_l1(self.cache, key).await?;
        let old = |entry: EntryLook| now_ms.saturating_sub(entry.age_ms) < self.since_ms;
        // An entry that would answer no read has not survived, though it still lies there.
        Ok(entry.filter(|entry| entry.fresh).is_some_and(old))
    }
}
