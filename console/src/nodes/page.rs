//! A page of the nodes of a fleet: those that are asked for, the worst first.

use std::collections::{BTreeMap, HashMap};

use strata_report::{NodePresence, NodeReport, NodesReport, PresenceState, TaskReport, TaskState};

use super::comparison::{row, without_report};
use super::disagreements::disagreements;
use super::fleet_tick::FleetTick;
use super::shared_report::SharedReport;
use crate::console::Console;

/// So many nodes are shown at once. Where there are no more, they stand in the order of their ids.
pub const NODES_AT_ONCE: usize = 50;

/// How a node is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeCondition {
    /// It is not heard.
    Lost,
    /// It is heard, and something is the matter with it.
    Trouble,
    /// It has not beaten for a while.
    Late,
    /// All is well.
    Well,
}

impl NodeCondition {
    /// Every condition, the worst first.
    pub const ALL: [Self; 4] = [Self::Lost, Self::Trouble, Self::Late, Self::Well];

    /// Its name in addresses and on screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Trouble => "trouble",
            Self::Late => "late",
            Self::Well => "well",
        }
    }
}

/// Which nodes are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodesQuery {
    /// What their ids contain; empty is any.
    pub name: String,
    /// How they are; `None` is any.
    pub condition: Option<NodeCondition>,
    /// Their program; `None` is any.
    pub app: Option<String>,
    /// Their program's version; `None` is any.
    pub version: Option<String>,
    /// Which page, counted from 0. One behind the last is the last.
    pub page: usize,
}

/// The nodes of one program in one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeGroup {
    /// The program; empty where the nodes have not said.
    pub app: String,
    /// Its version.
    pub version: String,
    /// How many nodes there are in each condition, as in [`NodeCondition::ALL`].
    pub counts: [u64; 4],
}

/// One page of nodes.
#[derive(Clone, Debug, Default)]
pub struct NodesPage {
    /// The nodes of this page. What they disagree about is of all nodes.
    pub report: NodesReport,
    /// How many nodes there are.
    pub n_nodes: usize,
    /// How many of them are asked for.
    pub n_found: usize,
    /// Which page this is, counted from 0.
    pub page: usize,
    /// How many pages there are, one at least.
    pub n_pages: usize,
    /// All nodes by program and version, the worst first.
    pub groups: Vec<NodeGroup>,
}

/// A node as it was last heard.
struct Listed<'a> {
    id: &'a str,
    report: Option<&'a NodeReport>,
    is_heard: bool,
    presence: Option<&'a NodePresence>,
    condition: NodeCondition,
}

impl Console {
    /// The nodes that are asked for, the worst first, a page at a time. A node that is no longer
    /// heard is shown as it was last.
    pub fn nodes_page(&self, query: &NodesQuery) -> NodesPage {
        let tick = self.tick();
        let seen = self.inner.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut all = listed((&tick.reports, tick.fleet.as_deref()), &seen);
        let n_nodes = all.len();
        let groups = groups(&all);
        all.retain(|node| query.fits(node));
        if n_nodes > NODES_AT_ONCE {
            all.sort_by(|one, other| one.order().cmp(&other.order()));
        }
        let n_found = all.len();
        let n_pages = n_found.div_ceil(NODES_AT_ONCE).max(1);
        let page = query.page.min(n_pages - 1);
        let shown = all.iter().skip(page * NODES_AT_ONCE).take(NODES_AT_ONCE);
        let nodes = shown.map(Listed::row).collect();
        let reports: Vec<&NodeReport> = tick.reports.iter().map(|report| &**report).collect();
        let report = NodesReport {
            at_ms: tick.frame.at_ms,
            nodes,
            tasks: self.tasks(),
            disagreements: disagreements(&reports),
            fleet: tick.frame.fleet.clone(),
        };
        NodesPage { report, n_nodes, n_found, page, n_pages, groups }
    }

    /// Every node side by side, and where they differ that should not. A node that is no longer
    /// heard is shown as it was last.
    pub fn nodes_report(&self) -> NodesReport {
        let tick = self.tick();
        let seen = self.inner.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let reports: Vec<&NodeReport> = tick.reports.iter().map(|report| &**report).collect();
        NodesReport {
            at_ms: tick.frame.at_ms,
            nodes: listed((&tick.reports, tick.fleet.as_deref()), &seen)
                .iter()
                .map(Listed::row)
                .collect(),
            tasks: self.tasks(),
            disagreements: disagreements(&reports),
            fleet: tick.frame.fleet.clone(),
        }
    }
}

/// Every node: those that were heard, by their ids, then those of which nothing could be read.
fn listed<'a>(
    (reports, fleet): (&'a [SharedReport], Option<&'a FleetTick>),
    seen: &'a BTreeMap<String, SharedReport>,
) -> Vec<Listed<'a>> {
    let heard: HashMap<&str, &NodeReport> =
        reports.iter().map(|report| (&*report.node, &**report)).collect();
    let known = seen.values().map(|last| {
        let (now, presence) =
            (heard.get(&*last.node), fleet.and_then(|at| at.presence(&last.node)));
        Listed::new((&last.node, presence), Some(now.copied().unwrap_or(last)), now.is_some())
    });
    let unread = fleet.into_iter().flat_map(|fleet| &fleet.presences).filter(|presence| {
        let is_there = presence.state.counts() || presence.state == PresenceState::Lost;
        is_there && !seen.contains_key(&presence.node)
    });
    let unread = unread.map(|presence| Listed::new((&presence.node, Some(presence)), None, false));
    known.chain(unread).collect()
}

impl<'a> Listed<'a> {
    fn new(
        (id, presence): (&'a str, Option<&'a NodePresence>),
        report: Option<&'a NodeReport>,
        is_heard: bool,
    ) -> Self {
        let condition = condition(presence, report, is_heard);
        Self { id, report, is_heard, presence, condition }
    }

    fn app(&self) -> &'a str {
        self.presence.map_or("", |presence| &presence.app)
    }

    fn version(&self) -> &'a str {
        self.presence.map_or_else(
            || self.report.map_or("", |report| &report.version),
            |presence| &presence.version,
        )
    }

    fn order(&self) -> (NodeCondition, &'a str, &'a str, &'a str) {
        (self.condition, self.app(), self.version(), self.id)
    }

    fn row(&self) -> strata_report::NodeRow {
        match (self.report, self.presence) {
            (Some(report), presence) => {
                strata_report::NodeRow { presence: presence.cloned(), ..row(report, self.is_heard) }
            }
            (None, Some(presence)) => without_report(presence),
            (None, None) => strata_report::NodeRow::default(),
        }
    }
}

impl NodesQuery {
    fn fits(&self, node: &Listed<'_>) -> bool {
        let is =
            |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|it| it == found);
        node.id.contains(&self.name)
            && self.condition.is_none_or(|condition| condition == node.condition)
            && is(&self.app, node.app())
            && is(&self.version, node.version())
    }
}

fn condition(
    presence: Option<&NodePresence>,
    report: Option<&NodeReport>,
    is_heard: bool,
) -> NodeCondition {
    let lost = presence.is_some_and(|presence| !presence.state.counts());
    let Some(report) = report.filter(|_| is_heard && !lost) else {
        // One that is there has not reported yet.
        let is_new = presence.is_some_and(|at| at.state.counts() && at.unreadable.is_none());
        return if is_new { NodeCondition::Late } else { NodeCondition::Lost };
    };
    let in_two = |at: &NodePresence| at.is_two_processes || at.unreadable.is_some();
    let runs = |task: &TaskReport| task.runs() || task.state == TaskState::Stopped;
    let is_silent = report.bus.configured && !report.bus.connected;
    if is_silent
        || report.l2.breaker_open
        || presence.is_some_and(in_two)
        || !report.tasks.iter().all(runs)
    {
        return NodeCondition::Trouble;
    }
    match presence.is_some_and(|presence| presence.state == PresenceState::Late) {
        true => NodeCondition::Late,
        false => NodeCondition::Well,
    }
}

fn groups(nodes: &[Listed<'_>]) -> Vec<NodeGroup> {
    let mut counts: BTreeMap<(&str, &str), [u64; 4]> = BTreeMap::new();
    for node in nodes {
        let counts = counts.entry((node.app(), node.version())).or_default();
        counts[node.condition as usize] += 1;
    }
    let group = |((app, version), counts): ((&str, &str), [u64; 4])| NodeGroup {
        app: app.to_owned(),
        version: version.to_owned(),
        counts,
    };
    let mut groups: Vec<_> = counts.into_iter().map(group).collect();
    // Those with the most nodes in the worst condition come first.
    groups.sort_by_key(|group| {
        std::cmp::Reverse([group.counts[0], group.counts[1], group.counts[2]])
    });
    groups
}
