//! What is known of nodes elsewhere, and how long ago they were heard.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::pace::Pace;
use super::remote::RemoteNode;
use crate::clock::in_ms;
use crate::nodes::client::NodeClient;

/// So long after a read was due that should have succeeded, Redis counts as away.
const UNHEARD_AFTER: Duration = Duration::from_secs(3);

/// The nodes as they were last read.
pub(super) struct Known {
    pub(super) heard_at: Option<Instant>,
    /// Since when they are read, where they were not heard yet.
    pub(super) since: Instant,
    /// By which the next read was due then.
    pub(super) pace: Pace,
    /// By their ids.
    pub(super) nodes: Vec<Arc<RemoteNode>>,
}

impl Known {
    pub(super) fn nothing(pace: Pace) -> Self {
        Self { heard_at: None, since: Instant::now(), pace, nodes: Vec::new() }
    }

    pub(super) fn wake(&mut self, pace: Pace) {
        if self.pace == Pace::Asleep {
            *self = Self::nothing(pace);
        }
    }

    pub(super) fn unheard_ms(&self) -> Option<u64> {
        let silent = self.heard_at.unwrap_or(self.since).elapsed();
        let due = self.pace.interval()?;
        (silent >= due + UNHEARD_AFTER).then(|| in_ms(silent))
    }

    pub(super) fn get(&self, id: &str) -> Option<&Arc<RemoteNode>> {
        let at = self.nodes.binary_search_by(|node| node.id().cmp(id)).ok()?;
        self.nodes.get(at)
    }
}
