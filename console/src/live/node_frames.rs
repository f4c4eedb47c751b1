//! What a frame says of nodes: all of them added up, and the few that somebody should look at.

use std::cmp::Reverse;
use std::collections::HashMap;

use strata_report::{NodeFrame, NodeReport, NodeSums};

use crate::nodes::SharedReport;

/// So many nodes are in a frame at most.
pub(super) const MOST_NODES: usize = 32;

/// All nodes added up.
pub(super) fn node_sums(nodes: &[SharedReport]) -> NodeSums {
    let mut sums = NodeSums { nodes: nodes.len() as u64, ..NodeSums::default() };
    for node in nodes {
        sums.bus_silent += u64::from(is_silent(node));
        sums.breaker_open += u64::from(node.l2.breaker_open);
        sums.queued_invalidations += node.l2.queued_invalidations;
        sums.gaps += node.bus.gaps;
        sums.bus_lag.merge(&node.bus.lag);
    }
    sums
}

/// Every node where there are few; else those that something is the matter with or that changed
/// since the frame before, the worst first.
pub(super) fn node_frames(earlier: &[SharedReport], now: &[SharedReport]) -> Vec<NodeFrame> {
    if now.len() <= MOST_NODES {
        return now.iter().map(|report| node_frame(report)).collect();
    }
    let before: HashMap<&str, &SharedReport> =
        earlier.iter().map(|report| (&*report.node, report)).collect();
    let mut told: Vec<_> = now
        .iter()
        .filter_map(|report| {
            let trouble = trouble(report);
            let has_changed = before.get(&*report.node).is_none_or(|last| changed(last, report));
            (trouble > 0 || has_changed).then_some((Reverse(trouble), report))
        })
        .collect();
    told.sort_by(|(one, a), (other, b)| one.cmp(other).then_with(|| a.node.cmp(&b.node)));
    told.into_iter().take(MOST_NODES).map(|(_, report)| node_frame(report)).collect()
}

fn is_silent(node: &NodeReport) -> bool {
    node.bus.configured && !node.bus.connected
}

/// How bad a node is; 0 where nothing is the matter.
fn trouble(node: &NodeReport) -> u64 {
    let queued = u64::from(node.l2.queued_invalidations > 0);
    4 * u64::from(is_silent(node)) + 2 * u64::from(node.l2.breaker_open) + queued
}

fn changed(earlier: &NodeReport, now: &NodeReport) -> bool {
    let of = |node: &NodeReport| {
        (node.started_at_ms, node.bus.gaps, node.bus.connected, node.l2.breaker_open)
    };
    of(earlier) != of(now) || earlier.version != now.version
}

fn node_frame(report: &NodeReport) -> NodeFrame {
    NodeFrame {
        node: report.node.clone(),
        version: report.version.clone(),
        started_at_ms: report.started_at_ms,
        bus: report.bus.clone(),
        l2: report.l2.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn fleet(n: usize) -> Vec<NodeReport> {
        let node = |n| {
            let mut report = NodeReport { node: format!("pod-{n:04}"), ..NodeReport::default() };
            (report.bus.configured, report.bus.connected) = (true, true);
            report.bus.lag.record(Duration::from_millis(1));
            report
        };
        (0..n).map(node).collect()
    }

    fn shared(reports: &[NodeReport]) -> Vec<SharedReport> {
        reports.iter().cloned().map(SharedReport::from).collect()
    }

    fn names(earlier: &[NodeReport], now: &[NodeReport]) -> Vec<String> {
        let frames = node_frames(&shared(earlier), &shared(now));
        frames.into_iter().map(|node| node.node).collect()
    }

    #[test]
    fn every_node_of_a_small_fleet_is_in_each_frame() {
        let few = fleet(MOST_NODES);
        assert_eq!(names(&few, &few).len(), MOST_NODES);
        let many = fleet(MOST_NODES + 1);
        assert!(names(&many, &many).is_empty(), "nothing is the matter and nothing changed");
    }

    #[test]
    fn of_a_large_fleet_those_in_trouble_come_first_and_then_those_that_changed() {
        let before = fleet(1_000);
        let mut now = before.clone();
        now[7].bus.gaps = 1;
        now[400].l2.queued_invalidations = 3;
        now[999].bus.connected = false;
        assert_eq!(names(&before, &now), ["pod-0999", "pod-0400", "pod-0007"]);
        assert_eq!(names(&now, &now), ["pod-0999", "pod-0400"], "a gap is told once");
        assert_eq!(names(&[], &now).len(), MOST_NODES, "all of them are new");
    }

    #[test]
    fn the_sums_are_of_all_nodes() {
        let mut nodes = fleet(1_000);
        nodes[3].bus.connected = false;
        nodes[4].l2.breaker_open = true;
        nodes[5].l2.queued_invalidations = 9;
        let sums = node_sums(&shared(&nodes));
        assert_eq!((sums.nodes, sums.bus_silent, sums.breaker_open), (1_000, 1, 1));
        assert_eq!((sums.queued_invalidations, sums.bus_lag.count()), (9, 1_000));
    }
}
