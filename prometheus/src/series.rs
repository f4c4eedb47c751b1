use std::collections::{BTreeMap, HashMap};

use prometheus::core::Desc;
use prometheus::proto::MetricFamily;
use strata_report::{
    CacheReport, Cause, Frame, Level, NodeReport, Origin, Outcome, Scope, TaskReport,
};

use super::exposition::{Exposition, Labels};
use super::{families as f, write_behind};

/// The families of nodes and caches being filled. Add each node once: Prometheus rejects a repeated
/// series. What is not known, as a size that was never counted, is left out.
#[derive(Debug, Default)]
pub struct NodeFamilies {
    out: Exposition,
}

impl NodeFamilies {
    /// Adds a node and its caches; its id is the label `node`.
    pub fn add_node(&mut self, report: &NodeReport) {
        let node = [("node", report.node.as_str())];
        self.add(&node, report, Self::silent_s(report));
    }

    /// Adds several nodes that were added up, without a label `node`.
    pub(crate) fn add_all(&mut self, sum: &NodeReport, silent_s: u64) {
        self.add(&[], sum, silent_s);
    }

    fn add(&mut self, node: Labels<'_>, report: &NodeReport, silent_s: u64) {
        let out = &mut self.out;
        add_bus(out, node, report);
        out.gauge(&f::BUS_SILENT, node, silent_s);
        for cache in &report.caches {
            let of = [&[("cache", cache.cache.as_str())], node].concat();
            add_reads(out, &of, cache);
            add_levels(out, &of, cache);
            add_removals(out, &of, cache);
        }
        for writes in &report.write_behinds {
            write_behind::add(out, node, writes);
        }
        add_tasks(out, node, &report.tasks);
    }

    /// Adds the background tasks of the program that exports, without a label `node`.
    pub fn add_program_tasks(&mut self, tasks: &[TaskReport]) {
        add_tasks(&mut self.out, &[], tasks);
    }

    /// Adds how many nodes there are, and what they share in L2: that is one for all of them, so it is
    /// written once and without a node.
    pub fn add_shared(&mut self, frame: &Frame) {
        add_states(&mut self.out, frame);
        add_shared(&mut self.out, frame);
    }

    /// What a registry is told of these families.
    ///
    /// # Errors
    /// Never where the crate is as it was released: a name or help of a family is not one.
    pub fn descriptions() -> Result<Vec<Desc>, prometheus::Error> {
        let desc = |family: &&f::Family| {
            Desc::new(family.name.into(), family.help.into(), Vec::new(), HashMap::new())
        };
        f::ALL.iter().map(desc).collect()
    }

    /// All that was added.
    pub fn into_families(self) -> Vec<MetricFamily> {
        self.out.into_families()
    }

    /// For how long nothing has proved that invalidations arrive at a node, seconds.
    pub(crate) fn silent_s(report: &NodeReport) -> u64 {
        let silent_ms = report.bus.silent_since_ms.map(|since| report.at_ms.saturating_sub(since));
        silent_ms.map_or(0, |ms| ms.div_ceil(1_000))
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

fn add_bus(out: &mut Exposition, node: Labels<'_>, report: &NodeReport) {
    out.gauge(&f::BUS_CONNECTED, node, report.bus.connected.into());
    out.histogram(&f::BUS_LAG, node, &report.bus.lag);
    out.count(&f::BUS_MESSAGES, &[node, &[("direction", "sent")]].concat(), report.bus.sent);
    out.count(
        &f::BUS_MESSAGES,
        &[node, &[("direction", "received")]].concat(),
        report.bus.received,
    );
    out.count(&f::BUS_GAPS, node, report.bus.gaps);
    out.gauge(&f::BREAKER_OPEN, node, report.l2.breaker_open.into());
    let by_code = &report.l2.errors_by_code;
    for (code, count) in by_code {
        out.count(&f::L2_ERRORS, &[node, &[("code", code)]].concat(), *count);
    }
    // From zero on, so that the first error is an increase.
    for code in KNOWN_CODES.into_iter().filter(|code| !by_code.contains_key(*code)) {
        out.count(&f::L2_ERRORS, &[node, &[("code", code)]].concat(), 0);
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

fn add_reads(out: &mut Exposition, of: Labels<'_>, report: &CacheReport) {
    out.count(&f::PANICS, of, report.panics);
    out.count(&f::GAPS, of, report.gaps);
    for outcome in Outcome::ALL {
        let labels = [of, &[("outcome", outcome.as_str())]].concat();
        out.count(&f::REQUESTS, &labels, report.outcomes.get(outcome));
    }
    for (level, gets) in [(Level::L1, &report.l1.gets), (Level::L2, &report.l2_gets)] {
        let level = ("level", level.as_str());
        out.count(&f::GETS, &[of, &[level, ("result", "hit")]].concat(), gets.hit);
        out.count(&f::GETS, &[of, &[level, ("result", "miss")]].concat(), gets.miss);
        out.histogram(&f::GET_DURATION, &[of, &[level]].concat(), &gets.latency);
    }
    out.histogram(&f::LOADS, &[of, &[("result", "success")]].concat(), &report.loads.success);
    out.histogram(&f::LOADS, &[of, &[("result", "failure")]].concat(), &report.loads.failure);
}

fn add_levels(out: &mut Exposition, of: Labels<'_>, report: &CacheReport) {
    let (l1, l2) = (("level", Level::L1.as_str()), ("level", Level::L2.as_str()));
    out.count(&f::PUTS, &[of, &[l1]].concat(), report.l1.puts);
    out.count(&f::PUTS, &[of, &[l2]].concat(), report.l2_puts);
    out.gauge(&f::SIZE, &[of, &[l1]].concat(), report.l1.entries);
    if let Some(bytes) = report.l1.weight_bytes {
        out.gauge(&f::WEIGHT, &[of, &[l1]].concat(), bytes);
    }
    if let Some(bytes) = report.l1.weight_max_bytes {
        out.gauge(&f::WEIGHT_MAX, &[of, &[l1]].concat(), bytes);
    }
}

fn add_removals(out: &mut Exposition, of: Labels<'_>, report: &CacheReport) {
    let l1 = ("level", Level::L1.as_str());
    for cause in Cause::ALL {
        let labels = [of, &[l1, ("cause", cause.as_str())]].concat();
        out.count(&f::EVICTIONS, &labels, report.l1.evictions.get(cause));
    }
    for origin in Origin::ALL {
        for scope in Scope::ALL {
            let labels = [of, &[("scope", scope.as_str()), ("origin", origin.as_str())]].concat();
            let count = report.invalidations.of(origin).get(scope);
            out.count(&f::INVALIDATIONS, &labels, count);
        }
    }
}

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

fn add_states(out: &mut Exposition, frame: &Frame) {
    let (late, lost) = frame
        .fleet
        .as_ref()
        .map_or((0, 0), |fleet| (fleet.late, fleet.of.saturating_sub(fleet.counted)));
    let up = frame.node_sums.nodes.saturating_sub(late);
    for (state, n) in [("up", up), ("late", late), ("lost", lost)] {
        out.gauge(&f::NODES, &[("state", state)], n);
    }
}
