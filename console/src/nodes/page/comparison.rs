//! One node beside the others.

use strata_report::{CacheReport, NodeCache, NodePresence, NodeReport, NodeRow, Quantiles};

pub(super) fn row(report: &NodeReport, heard: bool) -> NodeRow {
    NodeRow {
        node: report.node.clone(),
        heard,
        at_ms: report.at_ms,
        version: report.version.clone(),
        started_at_ms: report.started_at_ms,
        bus: report.bus.clone(),
        bus_lag: Quantiles::of(&report.bus.lag),
        l2: report.l2.clone(),
        tasks: report.tasks.clone(),
        caches: report.caches.iter().map(|cache| node_cache(report, cache)).collect(),
        presence: None,
    }
}

/// A node that is there, or was, and whose report was never read.
pub(super) fn without_report(presence: &NodePresence) -> NodeRow {
    NodeRow {
        node: presence.node.clone(),
        version: presence.version.clone(),
        presence: Some(presence.clone()),
        ..NodeRow::default()
    }
}

pub(crate) fn node_cache(node: &NodeReport, report: &CacheReport) -> NodeCache {
    NodeCache {
        node: node.node.clone(),
        cache: report.cache.clone(),
        outcomes: report.outcomes,
        l1_entries: report.l1.entries,
        l1_entries_max: report.l1.entries_max,
        l1_weight_bytes: report.l1.weight_bytes,
        l1_weight_max_bytes: report.l1.weight_max_bytes,
        evictions: report.l1.evictions,
        l1_latency: Quantiles::of(&report.l1.gets.latency),
    }
}
