//! What nodes elsewhere did between their last two reports. They report by a clock of their own, so
//! that a tick may find one report of a node, none, or the second of two; and that clock may step.

use std::collections::{HashMap, HashSet};

use strata_report::{
    CacheReport, Cause, Evictions, Histogram, NodeReport, Outcome, Outcomes, Window,
};
use tokio::time::Instant;

use crate::clock::in_ms;
use crate::nodes::SharedReport;

/// The last two reports of each node.
#[derive(Debug, Default)]
pub(crate) struct NodeSpans {
    by_node: HashMap<String, NodeSpan>,
}

#[derive(Debug)]
struct NodeSpan {
    /// `None` while there was only one.
    earlier: Option<Seen>,
    later: Seen,
    /// Whether the later one came with this tick.
    is_new: bool,
}

#[derive(Debug)]
struct Seen {
    report: SharedReport,
    /// When the console saw it first.
    at: Instant,
}

impl NodeSpans {
    /// Takes note of the newest reports, seen at this instant; nodes without one are forgotten.
    pub(crate) fn take(&mut self, reports: &[SharedReport], at: Instant) {
        let heard: HashSet<&str> = reports.iter().map(|report| &*report.node).collect();
        self.by_node.retain(|node, _| heard.contains(&**node));
        for report in reports {
            match self.by_node.get_mut(&report.node) {
                Some(span) => span.take(report, at),
                None => {
                    let later = Seen { report: report.clone(), at };
                    let span = NodeSpan { earlier: None, later, is_new: true };
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
    fn take(&mut self, report: &SharedReport, at: Instant) {
        let last = &self.later.report;
        self.is_new = !last.is_of_run(report) || last.at_ms != report.at_ms;
        if self.is_new {
            let seen = Seen { report: report.clone(), at };
            self.earlier = Some(std::mem::replace(&mut self.later, seen));
        }
    }

    fn window(&self, cache: &str, span_ms: u64) -> Option<Window> {
        let earlier = self.earlier.as_ref()?;
        let later = cache_of(&self.later.report, cache)?;
        let is_same_run = earlier.report.is_of_run(&self.later.report);
        let took_ms = self.took_ms(earlier).max(if is_same_run { 1 } else { span_ms });
        let zeros = CacheReport::default();
        let before = cache_of(&earlier.report, cache).filter(|_| is_same_run).unwrap_or(&zeros);
        let whole = Window::between(before, later, span_ms);
        let part = |n: u64| part_of(n, span_ms, took_ms);
        let outcomes = Outcomes::from_counts(Outcome::ALL.map(|one| part(whole.outcomes.get(one))));
        let evictions = Cause::ALL.map(|one| part(whole.evictions.get(one)));
        let window = Window { outcomes, evictions: Evictions::from_counts(evictions), ..whole };
        Some(if self.is_new { window } else { without_latencies(window) })
    }

    /// Since when the later report counts, by the node's clock; where that makes no sense beside
    /// the time in which the console saw both, it has stepped, and the console's counts.
    fn took_ms(&self, earlier: &Seen) -> u64 {
        let seen_ms = in_ms(self.later.at.saturating_duration_since(earlier.at));
        let (before, now) = (&earlier.report, &self.later.report);
        let is_same_run = before.is_of_run(now);
        let since_ms = if is_same_run { before.at_ms } else { now.started_at_ms };
        // A new run may have begun at any time since.
        let at_least_ms = if is_same_run { seen_ms / 2 } else { 1 };
        let said_ms = now.at_ms.checked_sub(since_ms);
        let plausible = at_least_ms..=seen_ms.saturating_mul(3);
        said_ms.filter(|ms| plausible.contains(ms)).unwrap_or(seen_ms)
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
    use std::time::Duration;

    use super::*;

    fn report(at_ms: u64, l1_hit: u64) -> NodeReport {
        let outcomes = Outcomes { l1_hit, ..Outcomes::default() };
        let cache = CacheReport { cache: "users".to_owned(), outcomes, ..CacheReport::default() };
        NodeReport { node: "pod-7".to_owned(), at_ms, caches: vec![cache], ..NodeReport::default() }
    }

    /// A console's clock, which goes with that of the nodes.
    struct Watch {
        spans: NodeSpans,
        began: Instant,
    }

    impl Watch {
        fn new() -> Self {
            Self { spans: NodeSpans::default(), began: Instant::now() }
        }

        fn hits(&mut self, report: &NodeReport) -> u64 {
            self.hits_at(report.at_ms, report)
        }

        fn hits_at(&mut self, at_ms: u64, report: &NodeReport) -> u64 {
            let at = self.began + Duration::from_millis(at_ms);
            self.spans.take(&[report.clone().into()], at);
            self.spans.window("users", 1_000).outcomes.l1_hit
        }
    }

    #[test]
    fn a_report_that_is_late_makes_no_dip_and_what_it_brings_no_peak() {
        let mut watch = Watch::new();
        assert_eq!(watch.hits(&report(1_000, 500)), 0, "nobody knows since when");
        assert_eq!(watch.hits(&report(2_000, 600)), 100);
        assert_eq!(watch.hits_at(3_000, &report(2_000, 600)), 100, "no report came");
        assert_eq!(watch.hits(&report(4_000, 800)), 100, "it brings two seconds");
    }

    #[test]
    fn a_new_run_counts_from_its_start() {
        let mut watch = Watch::new();
        watch.hits(&report(1_000, 500));
        let started_at_ms = 9_000;
        let again = NodeReport { started_at_ms, run: "b".to_owned(), ..report(11_000, 40) };
        assert_eq!(watch.hits(&again), 20);
    }

    #[test]
    fn a_node_that_is_heard_no_more_counts_no_longer() {
        let mut watch = Watch::new();
        watch.hits(&report(1_000, 500));
        watch.hits(&report(2_000, 600));
        watch.spans.take(&[], watch.began);
        assert_eq!(watch.spans.window("users", 1_000).outcomes.l1_hit, 0);
    }

    #[test]
    fn a_clock_that_steps_makes_no_peak_and_no_dip() {
        let mut watch = Watch::new();
        watch.hits_at(1_000, &report(50_000, 500));
        for (at_ms, stepped_to_ms, l1_hit) in
            [(2_000, 50_001, 600), (3_000, 9_000, 700), (4_000, 900_000, 800)]
        {
            let hits = watch.hits_at(at_ms, &report(stepped_to_ms, l1_hit));
            assert_eq!(hits, 100, "to {stepped_to_ms}");
        }
    }

    #[test]
    fn a_new_run_whose_clock_stepped_back_counts_no_more_than_it_did() {
        let mut watch = Watch::new();
        watch.hits(&report(1_000, 500));
        let started_at_ms = 9_000;
        let again = NodeReport { started_at_ms, run: "b".to_owned(), ..report(8_000, 40) };
        assert_eq!(watch.hits_at(5_000, &again), 10);
    }
}
