use std::collections::HashMap;
use std::ops::Deref;
use std::time::{Duration, Instant};

use strata_report::{NodeReport, TaskReport, WriteBehindReport};

use super::series::NodeFamilies;

/// A run that was not heard for so long comes back no more, and its counts are kept in one sum.
const KEPT_APART_FOR: Duration = Duration::from_secs(3_600);

/// Nodes that come and go, added up by cache, for scrapes that do not tell nodes apart.
///
/// Counters never go back: what a node had counted stays in the sums when it is heard no more, and
/// is not counted again when it comes back in the same run. Gauges are of the nodes that are heard.
/// `R` is a report or a cheap handle of one.
#[derive(Debug)]
pub struct NodeTotals<R> {
    runs: HashMap<RunId, Run<R>>,
    /// Of runs that are over.
    over: NodeReport,
}

/// A node's id, its run, and when that began.
type RunId = (String, String, u64);

#[derive(Debug)]
struct Run<R> {
    report: R,
    heard_at: Instant,
    is_heard: bool,
}

impl<R> Default for NodeTotals<R> {
    fn default() -> Self {
        Self { runs: HashMap::new(), over: NodeReport::default() }
    }
}

impl<R: Deref<Target = NodeReport>> NodeTotals<R> {
    /// Takes note of what the nodes report now. Those that are not among them are not heard.
    pub fn take(&mut self, reports: impl IntoIterator<Item = R>) {
        self.take_at(reports, Instant::now());
    }

    fn take_at(&mut self, reports: impl IntoIterator<Item = R>, at: Instant) {
        for run in self.runs.values_mut() {
            run.is_heard = false;
        }
        for report in reports {
            let id = (report.node.clone(), report.run.clone(), report.started_at_ms);
            self.runs.insert(id, Run { report, heard_at: at, is_heard: true });
        }
        let over = &mut self.over;
        self.runs.retain(|_, run| {
            let stays = at.duration_since(run.heard_at) < KEPT_APART_FOR;
            if !stays {
                add(over, &counters_of(&run.report));
            }
            stays
        });
    }

    /// Adds the series of all nodes together, and of the background tasks of the program that exports.
    /// They carry no label `node`.
    pub fn add_to(&self, out: &mut NodeFamilies, own: &[TaskReport]) {
        let mut sum = self.over.clone();
        let mut silent_s = 0;
        // The worst of those that are heard.
        (sum.bus.connected, sum.l2.breaker_open) = (true, false);
        for run in self.runs.values() {
            if run.is_heard {
                add(&mut sum, &run.report);
                silent_s = silent_s.max(NodeFamilies::silent_s(&run.report));
            } else {
                add(&mut sum, &counters_of(&run.report));
            }
        }
        sum.bus.connected &= self.runs.values().any(|run| run.is_heard);
        own.iter().for_each(|task| add_task(&mut sum.tasks, task));
        out.add_all(&sum, silent_s);
    }
}

fn add(sum: &mut NodeReport, other: &NodeReport) {
    sum.bus.received += other.bus.received;
    sum.bus.sent += other.bus.sent;
    sum.bus.gaps += other.bus.gaps;
    sum.bus.lag.merge(&other.bus.lag);
    sum.bus.connected &= other.bus.connected;
    sum.l2.breaker_open |= other.l2.breaker_open;
    for (code, count) in &other.l2.errors_by_code {
        *sum.l2.errors_by_code.entry(code.clone()).or_default() += count;
    }
    for cache in &other.caches {
        match sum.caches.iter_mut().find(|known| known.cache == cache.cache) {
            Some(known) => known.merge(cache),
            None => sum.caches.push(cache.clone()),
        }
    }
    for writes in &other.write_behinds {
        match sum.write_behinds.iter_mut().find(|known| known.cache == writes.cache) {
            Some(known) => known.merge(writes),
            None => sum.write_behinds.push(writes.clone()),
        }
    }
    other.tasks.iter().for_each(|task| add_task(&mut sum.tasks, task));
}

fn add_task(tasks: &mut Vec<TaskReport>, task: &TaskReport) {
    match tasks.iter_mut().find(|known| known.task == task.task) {
        Some(known) => {
            (known.panics, known.ends) = (known.panics + task.panics, known.ends + task.ends);
            if !task.runs() {
                known.state = task.state;
            }
        }
        None => tasks.push(task.clone()),
    }
}

/// What a report counts, without what is so at its moment.
fn counters_of(report: &NodeReport) -> NodeReport {
    let mut report = report.clone();
    (report.bus.connected, report.l2.breaker_open) = (true, false);
    for cache in &mut report.caches {
        cache.l1.entries = 0;
        (cache.l1.weight_bytes, cache.l1.weight_max_bytes) = (None, None);
        (cache.loads.in_flight, cache.loads.queued) = (0, 0);
    }
    report.write_behinds = report.write_behinds.into_iter().map(counted_writes).collect();
    for task in &mut report.tasks {
        *task = TaskReport {
            task: std::mem::take(&mut task.task),
            panics: task.panics,
            ends: task.ends,
            ..TaskReport::default()
        };
    }
    report
}

fn counted_writes(writes: WriteBehindReport) -> WriteBehindReport {
    WriteBehindReport {
        queued: 0,
        capacity: 0,
        aside: 0,
        failing: 0,
        oldest_age_ms: None,
        failing_since_ms: None,
        last_error: None,
        ..writes
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use prometheus::TextEncoder;
    use strata_report::{CacheReport, TaskState};

    use super::*;

    fn report(node: &str, run: &str, hits: u64) -> Arc<NodeReport> {
        let mut cache = CacheReport { cache: "users".to_owned(), ..CacheReport::default() };
        (cache.outcomes.l1_hit, cache.l1.entries) = (hits, 10);
        let (node, run) = (node.to_owned(), run.to_owned());
        let mut report = NodeReport { node, run, caches: vec![cache], ..NodeReport::default() };
        (report.bus.connected, report.bus.received) = (true, hits);
        Arc::new(report)
    }

    fn value(totals: &NodeTotals<Arc<NodeReport>>, series: &str) -> f64 {
        let mut out = NodeFamilies::default();
        totals.add_to(&mut out, &[]);
        let text = TextEncoder::new().encode_to_string(&out.into_families()).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {series}\n{text}")).parse().unwrap()
    }

    const HITS: &str = r#"cache_requests_total{cache="users",outcome="l1_hit"}"#;
    const ENTRIES: &str = r#"cache_size{cache="users",level="l1"}"#;

    #[test]
    fn a_node_that_goes_leaves_its_counts_and_takes_its_gauges_along() {
        let mut totals = NodeTotals::default();
        totals.take([report("a", "1", 100), report("b", "1", 50)]);
        assert_eq!((value(&totals, HITS), value(&totals, ENTRIES)), (150.0, 20.0));
        totals.take([report("a", "1", 110)]);
        assert_eq!((value(&totals, HITS), value(&totals, ENTRIES)), (160.0, 10.0));
        totals.take([report("a", "1", 110), report("b", "1", 70)]);
        assert_eq!(value(&totals, HITS), 180.0, "the same run is not counted twice");
        totals.take([report("a", "1", 110), report("b", "2", 5)]);
        assert_eq!(value(&totals, HITS), 185.0, "a new run counts beside the one before");
    }

    #[test]
    fn what_is_long_over_stays_counted_and_is_one_sum() {
        let (mut totals, began) = (NodeTotals::default(), Instant::now());
        totals.take_at([report("a", "1", 100)], began);
        totals.take_at([report("a", "2", 1)], began + KEPT_APART_FOR);
        assert_eq!((totals.runs.len(), value(&totals, HITS)), (1, 101.0));
        assert_eq!(value(&totals, r#"cache_bus_messages_total{direction="received"}"#), 101.0);
    }

    #[test]
    fn the_worst_node_decides_what_is_so_at_the_moment() {
        let mut totals = NodeTotals::default();
        let mut bad = (*report("b", "1", 0)).clone();
        (bad.bus.connected, bad.l2.breaker_open) = (false, true);
        (bad.at_ms, bad.bus.silent_since_ms) = (90_000, Some(30_000));
        let (task, state) = ("bus".to_owned(), TaskState::Restarting);
        bad.tasks = vec![TaskReport { task, state, panics: 2, ..TaskReport::default() }];
        totals.take([report("a", "1", 0), Arc::new(bad)]);
        assert_eq!(value(&totals, "cache_bus_connected"), 0.0);
        assert_eq!(value(&totals, "cache_l2_breaker_open"), 1.0);
        assert_eq!(value(&totals, "cache_bus_silent_seconds"), 60.0);
        assert_eq!(value(&totals, r#"strata_task_running{task="bus"}"#), 0.0);
        totals.take([report("a", "1", 0)]);
        assert_eq!(value(&totals, "cache_bus_connected"), 1.0, "it is gone");
        assert_eq!(value(&totals, r#"strata_task_failures_total{task="bus"}"#), 2.0);
        totals.take([]);
        assert_eq!(value(&totals, "cache_bus_connected"), 0.0, "nobody is heard");
    }
}
