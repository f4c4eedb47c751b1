//! The service's own nodes: those of this process, those of a namespace wherever they run, or both.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use strata_report::{NodePresence, NodeReport, PresenceState};
use tokio::time::Instant;

use super::client::NodeClient;
use super::elsewhere::FleetTick;
use super::elsewhere::RemoteNodes;
use super::shared_report::SharedReport;

/// What a node's run before this one has left in Redis is read for no longer.
const EARLIER_RUN_READ_FOR: Duration = Duration::from_secs(15);

/// The nodes that a console shows as the service's own.
pub(crate) struct NodeList {
    /// Nodes of this process, which stay as they are.
    here: Vec<Arc<dyn NodeClient>>,
    /// The nodes of their namespace, which come and go; those of this process are among them.
    elsewhere: Option<RemoteNodes>,
    /// Nodes of this process under whose ids another run speaks in Redis, and since when.
    other_runs: Mutex<HashMap<String, Instant>>,
}

impl NodeList {
    /// Nodes of this process alone.
    pub(crate) fn here(nodes: Vec<Arc<dyn NodeClient>>) -> Self {
        Self { here: nodes, elsewhere: None, other_runs: Mutex::default() }
    }

    /// The nodes of a namespace, all through Redis.
    pub(crate) fn elsewhere_alone(nodes: RemoteNodes) -> Self {
        Self { here: Vec::new(), elsewhere: Some(nodes), other_runs: Mutex::default() }
    }

    /// Nodes of this process, and the others of their namespace through Redis.
    pub(crate) fn here_and_elsewhere(here: Vec<Arc<dyn NodeClient>>, others: RemoteNodes) -> Self {
        Self { here, elsewhere: Some(others), other_runs: Mutex::default() }
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
            let mut presence = presence_here(&**node, said.as_deref());
            presence.is_two_processes |= self.has_other_run(&presence, said.as_deref());
            Arc::new(presence)
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

    /// Whether Redis shows another run under the id of a node of this process, for longer than what
    /// an earlier run has left is read.
    fn has_other_run(&self, own: &NodePresence, said: Option<&NodePresence>) -> bool {
        let mut other_runs = self.other_runs.lock().unwrap_or_else(PoisonError::into_inner);
        let is_other = said
            .is_some_and(|said| said.state.counts() && !said.run.is_empty() && said.run != own.run);
        if !is_other {
            other_runs.remove(&own.node);
            return false;
        }
        let since = *other_runs.entry(own.node.clone()).or_insert_with(Instant::now);
        since.elapsed() >= EARLIER_RUN_READ_FOR
    }
}

/// A node of this process, by itself. Redis tells no more than whether another one has its id.
fn presence_here(node: &dyn NodeClient, said: Option<&NodePresence>) -> NodePresence {
    let own = node.own_presence().unwrap_or_default();
    NodePresence {
        node: node.id().to_owned(),
        state: PresenceState::Up,
        pid: std::process::id(),
        is_two_processes: said.is_some_and(|said| said.is_two_processes),
        ..own
    }
}
