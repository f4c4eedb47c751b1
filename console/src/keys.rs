use std::sync::Arc;

use strata_report::NodeReport;

use crate::sampler::Tick;
use crate::{Console, ConsoleError, NodeFace};

// As long as a key may be to be kept in L2.
const KEY_MAX_BYTES: usize = 1_024;

/// A node that holds a cache.
#[derive(Clone)]
pub(crate) struct Holder {
    pub(crate) node: Arc<dyn NodeFace>,
    /// Whether it hears of invalidations that begin elsewhere.
    pub(crate) hears: bool,
    /// Whether it keeps this cache in L2 as well.
    pub(crate) has_l2: bool,
}

impl Console {
    /// Each node with its report of a tick; guests last, and only while they are attached.
    pub(crate) fn reported<'a>(
        &'a self,
        tick: &'a Tick,
    ) -> impl Iterator<Item = (Arc<dyn NodeFace>, &'a NodeReport)> {
        let own = self.inner.nodes.iter().filter_map(|node| {
            let report = tick.reports.iter().find(|report| report.node == node.id())?;
            Some((Arc::clone(node), report))
        });
        let guests = tick
            .guests
            .iter()
            .filter_map(|guest| Some((self.inner.guests.get(guest.number)?, &guest.report)));
        own.chain(guests)
    }

    /// The nodes that hold a cache, as of the newest frame; guests only while they are attached.
    pub(crate) fn holders(&self, cache: &str) -> Result<Vec<Holder>, ConsoleError> {
        let tick = self.tick();
        let mut holders = Vec::new();
        for (node, report) in self.reported(&tick) {
            let Some(held) = report.caches.iter().find(|held| held.cache == cache) else {
                continue;
            };
            holders.push(Holder {
                node,
                hears: report.bus.connected,
                has_l2: report.l2.configured && held.settings.l2_time_to_live_ms.is_some(),
            });
        }
        if holders.is_empty() { Err(ConsoleError::unknown_cache(cache)) } else { Ok(holders) }
    }
}

pub(crate) fn check_key(cache: &str, key: &str) -> Result<(), ConsoleError> {
    match key.len() {
        0 => Err(ConsoleError::bad_key(cache, key, "it is empty")),
        1..=KEY_MAX_BYTES => Ok(()),
        _ => Err(ConsoleError::bad_key(cache, key, "it has more than 1 024 bytes")),
    }
}

// All nodes share one Redis, so any node that has an L2 can speak for it.
pub(crate) fn first_with_l2(holders: &[Holder]) -> Option<&Arc<dyn NodeFace>> {
    holders.iter().find(|holder| holder.has_l2).map(|holder| &holder.node)
}
