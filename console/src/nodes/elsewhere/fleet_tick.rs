//! How nodes elsewhere are heard at one tick.

use std::sync::Arc;

use strata_report::{FleetSums, NodePresence};

/// Nodes elsewhere at one tick, and those of this process among them.
#[derive(Clone, Debug, Default)]
pub(crate) struct FleetTick {
    /// By their ids.
    pub(crate) presences: Vec<Arc<NodePresence>>,
    pub(crate) sums: FleetSums,
    /// Whose nodes they are.
    pub(crate) namespace: String,
    /// The name of their Redis among several.
    pub(crate) redis: Option<String>,
    /// The nodes of this process, which are heard whatever becomes of Redis.
    pub(crate) here: Vec<String>,
    /// Where there are such nodes and Redis cannot be reached: since the others were heard last,
    /// milliseconds.
    pub(crate) others_unheard_ms: Option<u64>,
    /// Why Redis cannot be reached, while it cannot and that is known.
    pub(crate) because: Option<String>,
    /// Whether nobody looks, so that nodes elsewhere are not read.
    pub(crate) is_asleep: bool,
}

impl FleetTick {
    /// Where Redis cannot be reached: since nodes elsewhere were heard last, milliseconds.
    pub(crate) fn unheard_ms(&self) -> Option<u64> {
        self.sums.unheard_ms.or(self.others_unheard_ms)
    }

    /// Whether its numbers of nodes elsewhere are of an earlier time, because Redis cannot be reached.
    pub(crate) fn is_unheard(&self) -> bool {
        self.unheard_ms().is_some()
    }

    /// Whether nodes elsewhere are read, so that one that is missing has gone.
    pub(crate) fn hears_others(&self) -> bool {
        self.sums.was_heard && !self.is_unheard() && !self.is_asleep
    }

    /// Whether there is nothing to draw, since nobody is heard. Numbers of this process go on.
    pub(crate) fn stands_still(&self) -> bool {
        self.sums.unheard_ms.is_some() || (self.is_asleep && self.here.is_empty())
    }

    /// Whether a node of this program is known.
    pub(crate) fn has_app(&self, app: &str) -> bool {
        self.presences.iter().any(|presence| presence.app == app)
    }

    pub(crate) fn presence(&self, node: &str) -> Option<&NodePresence> {
        let at =
            self.presences.binary_search_by(|presence| presence.node.as_str().cmp(node)).ok()?;
        Some(&self.presences[at])
    }
}
