use strata_report::{
    CacheReport, Disagreement, NodeCache, NodePresence, NodeReport, NodeRow, NodeSays, NodesReport,
    PresenceState, Quantiles,
};

use crate::console::Console;

impl Console {
    /// Every node side by side, and where they differ that should not. A node that is no longer
    /// heard is shown as it was last.
    pub fn nodes_report(&self) -> NodesReport {
        let tick = self.tick();
        let heard = &tick.reports;
        let seen = self.inner.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let rows = seen.values().map(|last| {
            let now = heard.iter().find(|report| report.node == last.node);
            let presence = tick.fleet.as_ref().and_then(|fleet| fleet.presence(&last.node));
            NodeRow { presence: presence.cloned(), ..row(now.unwrap_or(last), now.is_some()) }
        });
        let mut rows: Vec<_> = rows.collect();
        rows.extend(tick.fleet.iter().flat_map(|fleet| &fleet.presences).filter_map(|presence| {
            let is_there = presence.state.counts() || presence.state == PresenceState::Lost;
            let is_new = is_there && !seen.contains_key(&presence.node);
            is_new.then(|| without_report(presence))
        }));
        NodesReport {
            at_ms: tick.frame.at_ms,
            nodes: rows,
            tasks: self.tasks(),
            disagreements: disagreements(heard),
            fleet: tick.frame.fleet.clone(),
        }
    }
}

fn row(report: &NodeReport, heard: bool) -> NodeRow {
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
fn without_report(presence: &NodePresence) -> NodeRow {
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

/// What should be the same on every node and is not.
pub(crate) fn disagreements(reports: &[NodeReport]) -> Vec<Disagreement> {
    let mut found = Vec::new();
    let version = |node: &NodeReport| Some(node.version.clone());
    found.extend(disagreement(reports, ("version", ""), version));
    let connected = |node: &NodeReport| {
        let heard = if node.bus.connected { "heard" } else { "not heard" };
        node.bus.configured.then(|| heard.to_owned())
    };
    found.extend(disagreement(reports, ("bus", ""), connected));
    let breaker = |node: &NodeReport| {
        let state = if node.l2.breaker_open { "open" } else { "closed" };
        node.l2.configured.then(|| state.to_owned())
    };
    found.extend(disagreement(reports, ("breaker", ""), breaker));
    let mut names: Vec<&str> = Vec::new();
    for cache in reports.iter().flat_map(|node| &node.caches) {
        if !names.contains(&cache.cache.as_str()) {
            names.push(&cache.cache);
        }
    }
    for name in names {
        let of = |node: &NodeReport| node.caches.iter().find(|cache| cache.cache == name).cloned();
        let present = |node: &NodeReport| {
            Some(if of(node).is_some() { "has it" } else { "has it not" }.to_owned())
        };
        found.extend(disagreement(reports, ("cache", name), present));
        let settings = |node: &NodeReport| of(node).map(|cache| settings(&cache));
        found.extend(disagreement(reports, ("settings", name), settings));
    }
    found
}

fn disagreement(
    reports: &[NodeReport],
    (about, cache): (&str, &str),
    say: impl Fn(&NodeReport) -> Option<String>,
) -> Option<Disagreement> {
    let says: Vec<NodeSays> = reports
        .iter()
        .filter_map(|report| Some(NodeSays { node: report.node.clone(), says: say(report)? }))
        .collect();
    let differ = says.iter().any(|node| node.says != says[0].says);
    differ.then(|| Disagreement { about: about.to_owned(), cache: cache.to_owned(), says })
}

fn settings(cache: &CacheReport) -> String {
    let bounds = (cache.l1.entries_max, cache.l1.weight_max_bytes);
    // Compared and shown only where they differ, so their names in the code will do.
    format!("{:?}, L1 bounds (entries, bytes): {bounds:?}", cache.settings)
}

#[cfg(test)]
mod tests {
    use strata_report::{BusReport, L2Report};

    use super::*;

    fn node(id: &str) -> NodeReport {
        NodeReport {
            node: id.to_owned(),
            version: "1".to_owned(),
            started_at_ms: 0,
            at_ms: 0,
            bus: BusReport { configured: true, connected: true, ..BusReport::default() },
            l2: L2Report::default(),
            tasks: Vec::new(),
            caches: vec![CacheReport { cache: "users".to_owned(), ..CacheReport::default() }],
            ..NodeReport::default()
        }
    }

    fn about(reports: &[NodeReport]) -> Vec<String> {
        disagreements(reports).into_iter().map(|found| found.about).collect()
    }

    #[test]
    fn nodes_that_are_the_same_agree() {
        assert!(about(&[]).is_empty());
        assert!(about(&[node("1"), node("2")]).is_empty());
    }

    #[test]
    fn another_version_setting_or_state_is_a_disagreement() {
        let mut other = node("2");
        other.version = "2".to_owned();
        other.bus.connected = false;
        other.caches[0].settings.jitter = 0.5;
        assert_eq!(about(&[node("1"), other]), ["version", "bus", "settings"]);
        let mut without = node("3");
        without.caches.clear();
        let found = disagreements(&[node("1"), without]);
        assert_eq!(
            (found[0].about.as_str(), found[0].says[1].says.as_str()),
            ("cache", "has it not")
        );
    }
}
