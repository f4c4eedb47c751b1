//! What nodes elsewhere did between their last two reports. They report by a clock of their own, so
//! that a tick may find one report of a node, none, or the second of two.

use std::collections::HashMap;

use strata_report::{
    CacheReport, Cause, Evictions, Histogram, NodeReport, Outcome, Outcomes, Window,
};

/// The last two reports of each node.
#[derive(Debug, Default)]
pub(crate) struct NodeSpans {
    by_node: HashMap<String, NodeSpan>,
}

#[derive(Debug)]
struct NodeSpan {
    /// `None` while there was only one.
    earlier: Option<NodeReport>,
    later: NodeReport,
    /// Whether the later one came with this tick.
    is_new: bool,
}

impl NodeSpans {
    /// Takes note of the newest reports; nodes without one are forgotten.
    pub(crate) fn take(&mut self, reports: &[NodeReport]) {
        self.by_node.retain(|node, _| reports.iter().any(|report| report.node == *node));
        for report in reports {
            match self.by_node.get_mut(&report.node) {
                Some(span) => span.take(report),
                None => {
                    let span = NodeSpan { earlier: None, later: report.clone(), is_new: true };
                    self.by_node.insert(report.node.clone(), span);
                }
            }
        }
    }

    /// What happened to a cache in a tick of `span_ms`, all nodes added up. Counts go on as between
    /// a node's last two reports until the next one comes, so that a late one makes no dip.
    pub(crate) fn window(&self, cache: &str, span_ms: u64) -> Window {
        let mut sum = Window { span_ms, ..Window::default() };
        for span in self.by_node.values() {
            if let Some(window) = span.window(cache, span_ms) {
                sum.merge(&window);
            }
        }
        sum
    }
}

impl NodeSpan {
    fn take(&mut self, report: &NodeReport) {
        self.is_new = !self.later.is_of_run(report) || self.later.at_ms != report.at_ms;
        if self.is_new {
            self.earlier = Some(std::mem::replace(&mut self.later, report.clone()));
        }
    }

    fn window(&self, cache: &str, span_ms: u64) -> Option<Window> {
        let earlier = self.earlier.as_ref()?;
        let later = cache_of(&self.later, cache)?;
        let is_same_run = earlier.is_of_run(&self.later);
        let since_ms = if is_same_run { earlier.at_ms } else { self.later.started_at_ms };
        let took_ms = self.later.at_ms.saturating_sub(since_ms).max(1);
        let zeros = CacheReport::default();
        let before = cache_of(earlier, cache).filter(|_| is_same_run).unwrap_or(&zeros);
        let whole = Window::between(before, later, span_ms);
        let part = |n: u64| part_of(n, span_ms, took_ms);
        let outcomes = Outcomes::from_counts(Outcome::ALL.map(|one| part(whole.outcomes.get(one))));
        let evictions = Cause::ALL.map(|one| part(whole.evictions.get(one)));
        let window = Window { outcomes, evictions: Evictions::from_counts(evictions), ..whole };
        Some(if self.is_new { window } else { without_latencies(window) })
    }
}

/// Latencies and failures are counted once, whole, when the report comes.
fn without_latencies(window: Window) -> Window {
    let none = Histogram::default;
    Window {
        l1_latency: none(),
        l2_latency: none(),
        load_latency: none(),
        loads_failed: 0,
        ..window
    }
}

/// So much of `n`, which happened in `took_ms`, as falls to `span_ms`, rounded.
fn part_of(n: u64, span_ms: u64, took_ms: u64) -> u64 {
    let part =
        (u128::from(n) * u128::from(span_ms) + u128::from(took_ms / 2)) / u128::from(took_ms);
    u64::try_from(part).unwrap_or(u64::MAX)
}

fn cache_of<'a>(report: &'a NodeReport, cache: &str) -> Option<&'a CacheReport> {
    report.caches.iter().find(|report| report.cache == cache)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(at_ms: u64, l1_hit: u64) -> NodeReport {
        let outcomes = Outcomes { l1_hit, ..Outcomes::default() };
        let cache = CacheReport { cache: "users".to_owned(), outcomes, ..CacheReport::default() };
        NodeReport { node: "pod-7".to_owned(), at_ms, caches: vec![cache], ..NodeReport::default() }
    }

    fn hits(spans: &mut NodeSpans, report: &NodeReport) -> u64 {
        spans.take(std::slice::from_ref(report));
        spans.window("users", 1_000).outcomes.l1_hit
    }

    #[test]
    fn a_report_that_is_late_makes_no_dip_and_what_it_brings_no_peak() {
        let mut spans = NodeSpans::default();
        assert_eq!(hits(&mut spans, &report(1_000, 500)), 0, "nobody knows since when");
        assert_eq!(hits(&mut spans, &report(2_000, 600)), 100);
        assert_eq!(hits(&mut spans, &report(2_000, 600)), 100, "no report came");
        assert_eq!(hits(&mut spans, &report(4_000, 800)), 100, "it brings two seconds");
    }

    #[test]
    fn a_new_run_counts_from_its_start() {
        let mut spans = NodeSpans::default();
        hits(&mut spans, &report(1_000, 500));
        let started_at_ms = 9_000;
        let again = NodeReport { started_at_ms, run: "b".to_owned(), ..report(11_000, 40) };
        assert_eq!(hits(&mut spans, &again), 20);
    }

    #[test]
    fn a_node_that_is_heard_no_more_counts_no_longer() {
        let mut spans = NodeSpans::default();
        hits(&mut spans, &report(1_000, 500));
        hits(&mut spans, &report(2_000, 600));
        spans.take(&[]);
        assert_eq!(spans.window("users", 1_000).outcomes.l1_hit, 0);
    }
}
