//! The service's own nodes: those of this process, or those of a namespace wherever they run.

use std::sync::Arc;

use strata_report::NodeReport;

use super::client::NodeClient;
use super::fleet::{FleetTick, RemoteNodes};
use super::shared_report::SharedReport;

/// The nodes that a console shows as the service's own.
pub(crate) enum NodeList {
    /// Nodes of this process, which stay as they are.
    Here(Vec<Arc<dyn NodeClient>>),
    /// The nodes of a namespace, which come and go.
    Elsewhere(RemoteNodes),
}

impl NodeList {
    /// Those whose numbers count at this moment.
    pub(crate) fn all(&self) -> Vec<Arc<dyn NodeClient>> {
        match self {
            Self::Here(nodes) => nodes.clone(),
            Self::Elsewhere(nodes) => {
                let counted = nodes.counted().into_iter();
                counted.map(|node| node as Arc<dyn NodeClient>).collect()
            }
        }
    }

    /// Those that may have a cache, by all that is known, and do not answer.
    pub(crate) fn silent_with(&self, cache: &str) -> Vec<Arc<dyn NodeClient>> {
        let silent = self.elsewhere().map(|nodes| nodes.silent_with(cache)).unwrap_or_default();
        silent.into_iter().map(|node| node as Arc<dyn NodeClient>).collect()
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<dyn NodeClient>> {
        match self {
            Self::Here(nodes) => nodes.iter().find(|node| node.id() == id).cloned(),
            Self::Elsewhere(nodes) => nodes.get(id).map(|node| node as Arc<dyn NodeClient>),
        }
    }

    /// Those through which Redis is asked. All nodes share one, so any that answers speaks for all.
    pub(crate) fn ways_to_redis(&self) -> Vec<Arc<dyn NodeClient>> {
        match self {
            Self::Here(nodes) => nodes.clone(),
            Self::Elsewhere(nodes) => vec![Arc::new(nodes.observer().clone())],
        }
    }

    /// The one through which Redis is asked, where there is a Redis that fits.
    pub(crate) fn way_to_redis(
        &self,
        reports: &[SharedReport],
        fits: impl Fn(&NodeReport) -> bool,
    ) -> Option<Arc<dyn NodeClient>> {
        match self {
            Self::Here(_) => self.get(&reports.iter().find(|report| fits(report))?.node),
            Self::Elsewhere(nodes) => {
                let observer = nodes.observer();
                fits(&observer.report()).then(|| Arc::new(observer.clone()) as Arc<dyn NodeClient>)
            }
        }
    }

    /// The console's own node on Redis, where what it sends waits while Redis is away.
    pub(crate) fn observer_report(&self) -> Option<NodeReport> {
        match self {
            Self::Here(_) => None,
            Self::Elsewhere(nodes) => Some(nodes.observer().report()),
        }
    }

    pub(crate) fn elsewhere(&self) -> Option<&RemoteNodes> {
        match self {
            Self::Here(_) => None,
            Self::Elsewhere(nodes) => Some(nodes),
        }
    }

    /// What those said last that are lost.
    pub(crate) fn lost(&self) -> Vec<SharedReport> {
        self.elsewhere().map(RemoteNodes::lost).unwrap_or_default()
    }

    /// Nodes elsewhere at this moment; nothing where all are here.
    pub(crate) fn fleet_tick(&self) -> Option<FleetTick> {
        self.elsewhere().map(RemoteNodes::tick)
    }
}
