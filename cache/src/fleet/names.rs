//! The fleet's keys in Redis. All of a namespace share its hash tag, and no cache can be named like
//! them.

use crate::connection::Bus;

/// The fleet's keys of one namespace.
#[derive(Clone)]
pub(super) struct FleetNames {
    bus: Bus,
}

/// Where namespaces are noted, so that nobody has to look for them.
pub(super) const NAMESPACES: &str = "strata:namespaces";

impl FleetNames {
    pub(super) fn new(bus: &Bus) -> Self {
        Self { bus: bus.clone() }
    }

    pub(super) fn namespace(&self) -> &str {
        self.bus.namespace()
    }

    /// When each node last beat, by Redis's clock.
    pub(super) fn nodes(&self) -> String {
        self.bus.beside("fleet:nodes")
    }

    pub(super) fn card(&self, node: &str) -> String {
        self.bus.beside(&format!("fleet:card:{node}"))
    }

    /// A node's newest report.
    pub(super) fn now(&self, node: &str) -> String {
        self.bus.beside(&format!("fleet:now:{node}"))
    }

    /// What each console wants.
    pub(super) fn want(&self) -> String {
        self.bus.beside("fleet:want")
    }

    /// Asks to all nodes.
    pub(super) fn asks(&self) -> String {
        self.bus.beside("fleet:asks")
    }

    pub(super) fn asks_of(&self, node: &str) -> String {
        self.bus.beside(&format!("fleet:asks:{node}"))
    }

    pub(super) fn replies(&self, console: &str) -> String {
        self.bus.beside(&format!("fleet:replies:{console}"))
    }
}
