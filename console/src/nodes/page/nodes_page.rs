//! A page of the nodes of a fleet: those that are asked for, the worst first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::PoisonError;

use strata_report::{NodePresence, NodeReport, NodesReport, PresenceState};

use super::comparison::{row, without_report};
use super::condition::{NodeCondition, NodeStatus};
use super::disagreements::disagreements;
use super::query::NodesQuery;
use crate::console::Console;
use crate::nodes::elsewhere::FleetTick;
use crate::nodes::shared_report::SharedReport;

/// So many nodes are shown at once. Where there are no more, they stand in the order of their ids.
pub const NODES_AT_ONCE: usize = 50;

/// How many nodes there are in each condition, as in [`NodeCondition::ALL`].
type Counts = [u64; NodeCondition::ALL.len()];

/// The nodes of one program in one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeGroup {
    /// The program; empty where the nodes have not said.
    pub app: String,
    /// Its version.
    pub version: String,
    /// How many nodes there are in each condition, as in [`NodeCondition::ALL`].
    pub counts: [u64; NodeCondition::ALL.len()],
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
    /// The caches of all nodes, by name.
    pub caches: Vec<String>,
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
        let seen = self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let told = (&*tick.reports, tick.fleet.as_deref());
        let mut all = listed(told, &seen);
        let n_nodes = all.len();
        let (groups, caches) = (groups(&all), caches(&all));
        all.retain(|node| query.fits(node));
        if n_nodes > NODES_AT_ONCE {
            all.sort_by(|one, other| one.order().cmp(&other.order()));
        }
        let n_found = all.len();
        let n_pages = n_found.div_ceil(NODES_AT_ONCE).max(1);
        let page = query.page.min(n_pages - 1);
        let shown = all.iter().skip(page * NODES_AT_ONCE).take(NODES_AT_ONCE);
        let nodes = shown.map(Listed::row).collect();
        let all_nodes = self.of_all_nodes(tick.frame.at_ms, told);
        let report = NodesReport { nodes, total: n_found as u64, ..all_nodes };
        NodesPage { report, n_nodes, n_found, page, n_pages, groups, caches }
    }

    /// The rows of the nodes that are asked for, by their ids, `limit` at a time; `after` is the
    /// `next` of the rows before. Nodes that come and go meanwhile move no other: each that stays is
    /// in one answer. The page of the query is not asked for.
    pub fn node_rows(
        &self,
        query: &NodesQuery,
        (after, limit): (Option<&str>, usize),
    ) -> NodesReport {
        let tick = self.tick();
        let seen = self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let told = (&*tick.reports, tick.fleet.as_deref());
        let mut all = listed(told, &seen);
        all.retain(|node| query.fits(node));
        all.sort_by_key(|node| node.id);
        let total = all.len() as u64;
        all.retain(|node| after.is_none_or(|after| node.id > after));
        let next = all.get(limit).is_some().then(|| limit.checked_sub(1)).flatten();
        let next = next.map(|last| all[last].id.to_owned());
        let nodes = all.iter().take(limit).map(Listed::row).collect();
        NodesReport { nodes, total, next, ..self.of_all_nodes(tick.frame.at_ms, told) }
    }

    /// Every node side by side, and where they differ that should not. A node that is no longer
    /// heard is shown as it was last.
    pub fn nodes_report(&self) -> NodesReport {
        self.node_rows(&NodesQuery::default(), (None, usize::MAX))
    }

    /// What is said of all nodes, without a row.
    fn of_all_nodes(
        &self,
        at_ms: u64,
        (reports, fleet): (&[SharedReport], Option<&FleetTick>),
    ) -> NodesReport {
        let reports: Vec<&NodeReport> = reports.iter().map(|report| &**report).collect();
        NodesReport {
            at_ms,
            tasks: self.tasks(),
            disagreements: disagreements(&reports, fleet),
            fleet: fleet.map(|fleet| fleet.sums.clone()),
            ..NodesReport::default()
        }
    }
}

/// Every node that is there, or was and did not leave: those that were heard, by their ids, then
/// those of which nothing could be read.
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
    let known = known.filter(|node| node.presence.is_none_or(is_there));
    let unread = fleet.into_iter().flat_map(|fleet| &fleet.presences);
    let unread = unread.filter(|presence| is_there(presence) && !seen.contains_key(&presence.node));
    let unread = unread.map(|presence| Listed::new((&presence.node, Some(presence)), None, false));
    known.chain(unread).collect()
}

/// One that has left is not lost: it is in no row.
fn is_there(presence: &NodePresence) -> bool {
    presence.state.counts() || presence.state == PresenceState::Lost
}

impl<'a> Listed<'a> {
    fn new(
        (id, presence): (&'a str, Option<&'a NodePresence>),
        report: Option<&'a NodeReport>,
        is_heard: bool,
    ) -> Self {
        let condition = NodeStatus::of_node(presence, report.filter(|_| is_heard)).condition();
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

/// The caches of all nodes, by name.
fn caches(nodes: &[Listed<'_>]) -> Vec<String> {
    let reports = nodes.iter().filter_map(|node| node.report);
    let names: BTreeSet<&str> =
        reports.flat_map(|report| &report.caches).map(|cache| &*cache.cache).collect();
    names.into_iter().map(str::to_owned).collect()
}

fn groups(nodes: &[Listed<'_>]) -> Vec<NodeGroup> {
    let mut counts: BTreeMap<(&str, &str), Counts> = BTreeMap::new();
    for node in nodes {
        let counts = counts.entry((node.app(), node.version())).or_default();
        counts[node.condition as usize] += 1;
    }
    let group = |((app, version), counts): ((&str, &str), Counts)| NodeGroup {
        app: app.to_owned(),
        version: version.to_owned(),
        counts,
    };
    let mut groups: Vec<_> = counts.into_iter().map(group).collect();
    // Those with the most nodes in the worst condition come first.
    groups.sort_by_key(|group| {
        let [lost, trouble, late, ..] = group.counts;
        Reverse([lost, trouble, late])
    });
    groups
}
