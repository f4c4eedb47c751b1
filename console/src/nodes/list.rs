//! The service's own nodes: those of this process, those of a namespace wherever they run, or both.

use std::sync::Arc;

use strata_report::{NodePresence, NodeReport, PresenceState};

use super::client::NodeClient;
use super::fleet::RemoteNodes;
use super::fleet_tick::FleetTick;
use super::shared_report::SharedReport;

/// The nodes that a console shows as the service's own.
pub(crate) struct NodeList {
    /// Nodes of this process, which stay as they are.
    here: Vec<Arc<dyn NodeClient>>,
    /// The nodes of their namespace, which come and go; those of this process are among them.
    elsewhere: Option<RemoteNodes>,
}

impl NodeList {
    /// Nodes of this process alone.
    pub(crate) fn here(nodes: Vec<Arc<dyn NodeClient>>) -> Self {
        Self { here: nodes, elsewhere: None }
    }

    /// The nodes of a namespace, all through Redis.
    pub(crate) fn elsewhere_alone(nodes: RemoteNodes) -> Self {
        Self { here: Vec::new(), elsewhere: Some(nodes) }
    }

    /// Nodes of this process, and the others of their namespace through Redis.
    pub(crate) fn here_and_elsewhere(here: Vec<Arc<dyn NodeClient>>, others: RemoteNodes) -> Self {
        Self { here, elsewhere: Some(others) }
    }

    /// Those whose numbers count at this moment. While Redis cannot be reached, those of this process
    /// count alone, where there are any.
    pub(crate) fn all(&self) -> Vec<Arc<dyn NodeClient>> {
        let mut all = self.here.clone();
        if let Some(nodes) = self.elsewhere.as_ref().filter(|nodes| self.hears(nodes)) {
            let others = nodes.counted().into_iter().filter(|node| !self.is_here(node.id()));
            all.extend(others.map(|node| node as Arc<dyn NodeClient>));
        }
        all
    }

    fn hears(&self, nodes: &RemoteNodes) -> bool {
        self.here.is_empty() || nodes.unheard_ms().is_none()
    }

    /// Whether a node is of this process.
    pub(crate) fn is_here(&self, id: &str) -> bool {
        self.here.iter().any(|node| node.id() == id)
    }

    /// Whether there are nodes of this process among others.
    pub(crate) fn has_both(&self) -> bool {
        !self.here.is_empty() && self.elsewhere.is_some()
    }

    /// Those that may have a cache, by all that is known, and do not answer.
    pub(crate) fn silent_with(&self, cache: &str) -> Vec<Arc<dyn NodeClient>> {
        let Some(nodes) = &self.elsewhere else { return Vec::new() };
        let silent = match self.hears(nodes) {
            true => nodes.silent_with(cache),
            false => nodes.known_with(cache),
        };
        let silent = silent.into_iter().filter(|node| !self.is_here(node.id()));
        silent.map(|node| node as Arc<dyn NodeClient>).collect()
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<dyn NodeClient>> {
        let here = self.here.iter().find(|node| node.id() == id).cloned();
        here.or_else(|| self.elsewhere.as_ref()?.get(id).map(|node| node as Arc<dyn NodeClient>))
    }

    /// Those through which Redis is asked. All nodes share one, so any that answers speaks for all.
    pub(crate) fn ways_to_redis(&self) -> Vec<Arc<dyn NodeClient>> {
        match &self.elsewhere {
            Some(nodes) if self.here.is_empty() => vec![Arc::new(nodes.observer().clone())],
            _ => self.here.clone(),
        }
    }

    /// The one through which Redis is asked, where there is a Redis that fits.
    pub(crate) fn way_to_redis(
        &self,
        reports: &[SharedReport],
        fits: impl Fn(&NodeReport) -> bool,
    ) -> Option<Arc<dyn NodeClient>> {
        if let Some(nodes) = self.elsewhere.as_ref().filter(|_| self.here.is_empty()) {
            let observer = nodes.observer();
            return fits(&observer.report()).then(|| Arc::new(observer.clone()) as _);
        }
        let of_here = |report: &&SharedReport| self.is_here(&report.node) && fits(report);
        self.get(&reports.iter().find(of_here)?.node)
    }

    /// The console's own node on Redis, where what it sends waits while Redis is away; `None` where
    /// that is one of those that are shown.
    pub(crate) fn observer_report(&self) -> Option<NodeReport> {
        let nodes = self.elsewhere.as_ref().filter(|_| self.here.is_empty())?;
        Some(nodes.observer().report())
    }

    pub(crate) fn elsewhere(&self) -> Option<&RemoteNodes> {
        self.elsewhere.as_ref()
    }

    /// What those said last that are lost, or not heard because Redis cannot be reached.
    pub(crate) fn lost(&self) -> Vec<SharedReport> {
        let Some(nodes) = &self.elsewhere else { return Vec::new() };
        let lost = if self.hears(nodes) { nodes.lost() } else { nodes.last_reports() };
        lost.into_iter().filter(|report| !self.is_here(&report.node)).collect()
    }

    /// How the nodes are heard at this moment; nothing where all are of this process alone.
    pub(crate) fn fleet_tick(&self) -> Option<FleetTick> {
        let nodes = self.elsewhere.as_ref()?;
        let mut tick = nodes.tick_without(|id| self.is_here(id));
        if !self.here.is_empty() {
            self.add_here(&mut tick, nodes);
        }
        Some(tick)
    }

    /// Those of this process are up, whatever Redis knows of them.
    fn add_here(&self, tick: &mut FleetTick, nodes: &RemoteNodes) {
        let here = self.here.iter().map(|node| {
            let said = nodes.presence(node.id());
            Arc::new(presence_here(node.id(), said.as_deref()))
        });
        tick.presences.extend(here);
        tick.presences.sort_by(|one, other| one.node.cmp(&other.node));
        tick.here = self.here.iter().map(|node| node.id().to_owned()).collect();
        // Their numbers go on, and then are of them alone.
        tick.others_unheard_ms = tick.sums.unheard_ms.take();
        if tick.others_unheard_ms.is_some() {
            (tick.sums.counted, tick.sums.late) = (0, 0);
        }
        let n_here = self.here.len() as u64;
        tick.sums.counted += n_here;
        tick.sums.of += n_here;
    }
}

/// A node of this process, with what it has said of itself in Redis.
fn presence_here(node: &str, said: Option<&NodePresence>) -> NodePresence {
    let said = said.cloned().unwrap_or_default();
    NodePresence {
        node: node.to_owned(),
        state: PresenceState::Up,
        heard_ms_ago: 0,
        pid: std::process::id(),
        unreadable: None,
        cut: 0,
        ..said
    }
}
