use std::collections::{BTreeMap, HashMap};

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use strata_console::Console;
use strata_report::{
    CacheReport, Cause, Frame, Level, NodeReport, Origin, Outcome, Scope, TaskReport,
};

use super::exposition::{Exposition, Labels};
use super::{families as f, write_behind};

/// Turns the console's newest reports into Prometheus families, so that a scrape and the screen
/// show the same numbers. What is not known (a size that was never counted) is left out.
pub(crate) struct NodeCollector {
    console: Console,
    descs: Vec<Desc>,
}

impl NodeCollector {
    /// # Errors
    /// When a family's name or help is not one.
    pub(crate) fn new(console: Console) -> Result<Self, prometheus::Error> {
        let desc = |family: &&f::Family| {
            Desc::new(family.name.into(), family.help.into(), Vec::new(), HashMap::new())
        };
        let descs = f::ALL.iter().map(desc).collect::<Result<_, _>>()?;
        Ok(Self { console, descs })
    }
}

impl Collector for NodeCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut out = Exposition::default();
        for node in self.console.nodes() {
            add_node(&mut out, &node);
            for cache in &node.caches {
                add_reads(&mut out, &node.node, cache);
                add_levels(&mut out, &node.node, cache);
                add_removals(&mut out, &node.node, cache);
            }
            for writes in &node.write_behinds {
                write_behind::add(&mut out, &node.node, writes);
            }
            add_tasks(&mut out, &[("node", &node.node)], &node.tasks);
        }
        add_tasks(&mut out, &[], &self.console.tasks());
        add_shared(&mut out, &self.console.frame());
        out.into_families()
    }
}

/// Errors that a way to Redis mostly meets.
const KNOWN_CODES: [&str; 12] = [
    "CONNECTION",
    "TIMEOUT",
    "LOADING",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "NOPERM",
    "WRONGPASS",
    "OOM",
    "MISCONF",
    "NOREPLICAS",
    "READONLY",
    "MOVED",
];

fn add_node(out: &mut Exposition, report: &NodeReport) {
    let node = ("node", report.node.as_str());
    out.gauge(&f::BUS_CONNECTED, &[node], report.bus.connected.into());
    out.histogram(&f::BUS_LAG, &[node], &report.bus.lag);
    out.count(&f::BUS_MESSAGES, &[node, ("direction", "sent")], report.bus.sent);
    out.count(&f::BUS_MESSAGES, &[node, ("direction", "received")], report.bus.received);
    out.count(&f::BUS_GAPS, &[node], report.bus.gaps);
    out.gauge(&f::BREAKER_OPEN, &[node], report.l2.breaker_open.into());
    let silent_ms = report.bus.silent_since_ms.map(|since| report.at_ms.saturating_sub(since));
    out.gauge(&f::BUS_SILENT, &[node], silent_ms.map_or(0, |ms| ms.div_ceil(1_000)));
    let by_code = &report.l2.errors_by_code;
    for (code, count) in by_code {
        out.count(&f::L2_ERRORS, &[node, ("code", code)], *count);
    }
    // From zero on, so that the first error is an increase.
    for code in KNOWN_CODES.into_iter().filter(|code| !by_code.contains_key(*code)) {
        out.count(&f::L2_ERRORS, &[node, ("code", code)], 0);
    }
}

fn add_tasks(out: &mut Exposition, of: Labels<'_>, tasks: &[TaskReport]) {
    // Of one name there may be two for a moment, where one is replaced.
    let mut by_name: BTreeMap<&str, (u64, bool)> = BTreeMap::new();
    for report in tasks {
        let (failures, runs) = by_name.entry(&report.task).or_default();
        *failures += report.panics + report.ends;
        *runs |= report.runs();
    }
    for (name, (failures, runs)) in by_name {
        let labels = [of, &[("task", name)]].concat();
        out.count(&f::TASK_FAILURES, &labels, failures);
        out.gauge(&f::TASK_RUNNING, &labels, runs.into());
    }
}

fn add_reads(out: &mut Exposition, node: &str, report: &CacheReport) {
    let (cache, node) = (("cache", report.cache.as_str()), ("node", node));
    out.count(&f::PANICS, &[cache, node], report.panics);
    out.count(&f::GAPS, &[cache, node], report.gaps);
    for outcome in Outcome::ALL {
        let labels = [cache, node, ("outcome", outcome.as_str())];
        out.count(&f::REQUESTS, &labels, report.outcomes.get(outcome));
    }
    for (level, gets) in [(Level::L1, &report.l1.gets), (Level::L2, &report.l2_gets)] {
        let level = ("level", level.as_str());
        out.count(&f::GETS, &[cache, node, level, ("result", "hit")], gets.hit);
        out.count(&f::GETS, &[cache, node, level, ("result", "miss")], gets.miss);
        out.histogram(&f::GET_DURATION, &[cache, node, level], &gets.latency);
    }
    out.histogram(&f::LOADS, &[cache, node, ("result", "success")], &report.loads.success);
    out.histogram(&f::LOADS, &[cache, node, ("result", "failure")], &report.loads.failure);
}

fn add_levels(out: &mut Exposition, node: &str, report: &CacheReport) {
    let (cache, node) = (("cache", report.cache.as_str()), ("node", node));
    let (l1, l2) = (("level", Level::L1.as_str()), ("level", Level::L2.as_str()));
    out.count(&f::PUTS, &[cache, node, l1], report.l1.puts);
    out.count(&f::PUTS, &[cache, node, l2], report.l2_puts);
    out.gauge(&f::SIZE, &[cache, node, l1], report.l1.entries);
    if let Some(bytes) = report.l1.weight_bytes {
        out.gauge(&f::WEIGHT, &[cache, node, l1], bytes);
    }
    if let Some(bytes) = report.l1.weight_max_bytes {
        out.gauge(&f::WEIGHT_MAX, &[cache, node, l1], bytes);
    }
}

fn add_removals(out: &mut Exposition, node: &str, report: &CacheReport) {
    let (cache, node) = (("cache", report.cache.as_str()), ("node", node));
    let l1 = ("level", Level::L1.as_str());
    for cause in Cause::ALL {
        let labels = [cache, node, l1, ("cause", cause.as_str())];
        out.count(&f::EVICTIONS, &labels, report.l1.evictions.get(cause));
    }
    for origin in Origin::ALL {
        for scope in Scope::ALL {
            let labels = [cache, node, ("scope", scope.as_str()), ("origin", origin.as_str())];
            let count = report.invalidations.of(origin).get(scope);
            out.count(&f::INVALIDATIONS, &labels, count);
        }
    }
}

// L2 is one for all nodes, so it is written once and without a node.
fn add_shared(out: &mut Exposition, frame: &Frame) {
    for cache in frame.own_caches() {
        let labels = [("cache", cache.report.cache.as_str()), ("level", Level::L2.as_str())];
        if let Some(entries) = cache.l2_entries {
            out.gauge(&f::SIZE, &labels, entries);
        }
        if let Some(bytes) = cache.l2_weight_bytes {
            out.gauge(&f::WEIGHT, &labels, bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use strata_cache::{Cache, Node};
    use strata_console::{Access, AccessSettings};
    use tokio_util::sync::CancellationToken;

    use super::*;

    async fn node_with(cache: &str) -> (Arc<Node>, Cache<u64, u64>) {
        let node = Node::builder("test").id("1").start().await.unwrap();
        let cache = Cache::builder(cache).build(&node).unwrap();
        (Arc::new(node), cache)
    }

    #[tokio::test]
    async fn caches_of_attached_nodes_have_no_series() {
        let (own, _users) = node_with("users").await;
        let (attached, _lab) = node_with("lab-1").await;
        let access = Access::new(AccessSettings::default());
        let console = Console::start(vec![own], access, CancellationToken::new());
        let _attached = console.attach(attached);
        let mut ticks = console.subscribe();
        ticks.changed().await.unwrap();
        assert!(console.cache("lab-1").is_ok_and(|cache| cache.attached));
        let collector = NodeCollector::new(console).unwrap();
        let names = |metric: &prometheus::proto::Metric| -> Vec<String> {
            metric.get_label().iter().map(|label| label.value().to_owned()).collect()
        };
        let labels: Vec<_> = collector
            .collect()
            .iter()
            .flat_map(|family| family.get_metric())
            .flat_map(names)
            .collect();
        assert!(labels.iter().any(|label| label == "users"));
        assert!(labels.iter().all(|label| label != "lab-1"));
    }
}
