use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use strata_demo::Site;

/// How long the answer to a write waits at most for the other nodes.
const SETTLE_WITHIN: Duration = Duration::from_millis(250);

/// The running copies of the demo service. There is always at least one.
pub(crate) struct Sites {
    sites: Vec<Site>,
    turn: AtomicUsize,
}

impl Sites {
    /// `None` where there is no site at all.
    pub(crate) fn new(sites: Vec<Site>) -> Option<Self> {
        (!sites.is_empty()).then(|| Self { sites, turn: AtomicUsize::new(0) })
    }

    /// The next one in turn.
    pub(crate) fn next(&self) -> &Site {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.sites[turn % self.sites.len()]
    }

    /// The one whose node has this id.
    pub(crate) fn named(&self, node: &str) -> Option<&Site> {
        self.sites.iter().find(|site| site.node().id() == node)
    }

    /// Waits until every other node has heard what `site` has just sent on the bus, 250 ms at most.
    /// Without Redis none hears it; they catch up when it is back.
    pub(crate) async fn settle(&self, site: &Site) {
        let others = self.sites.iter().filter(|other| other.node().id() != site.node().id());
        let others: Vec<_> = others.map(Site::node).collect();
        if others.is_empty() {
            return;
        }
        if let Some(sequence) = site.node().bus_sequence().await {
            join_all(others.into_iter().map(|node| node.has_heard(sequence, SETTLE_WITHIN))).await;
        }
    }

    /// The ids of their nodes.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.sites.iter().map(|site| site.node().id())
    }
}
