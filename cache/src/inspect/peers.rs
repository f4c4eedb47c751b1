//! Whether other nodes of the namespace are alive: one of them then writes the heartbeat.

use std::collections::HashMap;
use std::time::Duration;

use redis::cmd;
use tokio::time::{Instant, sleep};

use crate::connection::{Bus, CallError, Link, Step};
use crate::node::Node;

/// How long the heartbeat is watched. A living node renews it every second, or takes it over from a
/// node that is gone. A stalled node is noticed once it goes on.
const WATCHED: Duration = Duration::from_secs(6);
const POLL: Duration = Duration::from_millis(50);

/// A heartbeat in its stream: its id and its fields.
type Heartbeat = (String, HashMap<Vec<u8>, Vec<u8>>);

impl Node {
    /// Whether other nodes of this namespace are alive, that is, whether another node writes the
    /// bus's heartbeat. Call it only after [`Node::shutdown`]: until then this node may write the
    /// heartbeat itself, and the others leave it to this node. Waits up to six seconds for the
    /// others.
    ///
    /// `None` if it cannot be known: the node was not shut down, L2 is off, or Redis is away or
    /// refuses at any time meanwhile.
    /// refuses at any time meanwhile.
    pub async fn has_living_peers(&self) -> Option<bool> {
        let shared = self.shared();
        if !shared.has_ended() {
            return None;
        }
        are_alive(shared.bus(), shared.link()?).await.ok()
    }
}

/// Waits until another node writes the heartbeat, or the watched time is over.
async fn are_alive(bus: &Bus, link: &Link) -> Result<bool, CallError> {
    // A heartbeat that is already there may come from a dead node.
    let first = newest(bus, link).await?.map(|(id, _)| id);
    let until = Instant::now() + WATCHED;
    loop {
        let is_last = Instant::now() >= until;
        if let Some((id, fields)) = newest(bus, link).await?
            && first.as_ref() != Some(&id)
            // A heartbeat by this node may have been under way as it ended.
            && fields.get(b"w".as_slice()).is_none_or(|by| by != bus.origin().as_bytes())
        {
            return Ok(true);
        }
        if is_last {
            return Ok(false);
        }
        sleep(POLL).await;
    }
}

async fn newest(bus: &Bus, link: &Link) -> Result<Option<Heartbeat>, CallError> {
    let mut last = cmd("XREVRANGE");
    last.arg(bus.heartbeat()).arg("+").arg("-").arg("COUNT").arg(1);
    let asking = |mut connection| async move { last.query_async(&mut connection).await };
    let heartbeats: Vec<Heartbeat> = link.operate(Step::Inspect, asking).await?;
    Ok(heartbeats.into_iter().next())
}
