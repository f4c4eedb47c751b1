use std::collections::HashMap;
use std::sync::Arc;

use strata_report::NodeReport;

use super::attached::AttachedReport;
use super::client::NodeClient;
use super::shared_report::SharedReport;
use crate::console::Console;
use crate::error::ConsoleError;

// As long as a key may be to be kept in L2.
const KEY_MAX_BYTES: usize = 1_024;

/// A node that has a given cache.
#[derive(Clone)]
pub(crate) struct CacheNode {
    pub(crate) node: Arc<dyn NodeClient>,
    /// Whether it hears of invalidations that begin elsewhere.
    pub(crate) hears: bool,
    /// Whether it keeps this cache in L2 as well.
    pub(crate) has_l2: bool,
}

impl Console {
    /// Each node with its report of a tick; attached nodes last, and only while they are attached.
    pub(crate) fn reported<'a>(
        &'a self,
        reports: &'a [SharedReport],
        attached: &'a [AttachedReport],
    ) -> impl Iterator<Item = (Arc<dyn NodeClient>, &'a NodeReport)> {
        let by_id: HashMap<&str, &NodeReport> =
            reports.iter().map(|report| (&*report.node, &**report)).collect();
        let own = self.inner.nodes.all().into_iter().filter_map(move |node| {
            let report = by_id.get(node.id()).copied()?;
            Some((node, report))
        });
        let attached = attached.iter().filter_map(|attached| {
            Some((self.inner.attached.get(attached.number)?, &*attached.report))
        });
        own.chain(attached)
    }

    /// The nodes that have a cache, as of the newest frame; attached ones only while they are attached.
    /// Last come those elsewhere that may have it and do not answer, because they are lost or cannot
    /// be understood.
    pub(crate) fn nodes_with(&self, cache: &str) -> Result<Vec<CacheNode>, ConsoleError> {
        let tick = self.tick();
        let mut nodes = Vec::new();
        for (node, report) in self.reported(&tick.reports, &tick.attached) {
            let Some(held) = report.caches.iter().find(|held| held.cache == cache) else {
                continue;
            };
            nodes.push(CacheNode {
                node,
                hears: report.bus.connected,
                has_l2: report.l2.configured && held.settings.l2_time_to_live_ms.is_some(),
            });
        }
        // Caches of attached nodes are of no other node.
        let has_it = |report: &&SharedReport| report.caches.iter().any(|held| held.cache == cache);
        if tick.reports.iter().any(|report| has_it(&report)) {
            let silent = self.inner.nodes.silent_with(cache).into_iter();
            nodes.extend(silent.map(|node| CacheNode { node, hears: false, has_l2: false }));
        }
        if nodes.is_empty() { Err(ConsoleError::unknown_cache(cache)) } else { Ok(nodes) }
    }
}

pub(crate) fn check_key(cache: &str, key: &str) -> Result<(), ConsoleError> {
    match key.len() {
        0 => Err(ConsoleError::bad_key(cache, key, "it is empty")),
        1..=KEY_MAX_BYTES => Ok(()),
        _ => Err(ConsoleError::bad_key(cache, key, "it has more than 1 024 bytes")),
    }
}

// All nodes share one Redis, so any node that has an L2 can speak for it.
pub(crate) fn first_with_l2(nodes: &[CacheNode]) -> Option<&Arc<dyn NodeClient>> {
    nodes.iter().find(|cache_node| cache_node.has_l2).map(|cache_node| &cache_node.node)
}
