//! Whether other nodes of the namespace are alive: one of them writes the heartbeat.

use std::collections::HashMap;
use std::time::Duration;

use redis::cmd;
use tokio::time::{Instant, sleep};

use crate::connection::{Bus, CallError, Link, Step};
use crate::node::Node;

/// A heartbeat that nobody has renewed for so long is a dead node's, also where this node may not
/// write one.
const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);

/// A heartbeat as it lies in its stream: its id and its fields.
type Heartbeat = (String, HashMap<Vec<u8>, Vec<u8>>);

impl Node {
    /// Whether other nodes of this namespace are alive: whether another one goes on writing the
    /// bus's heartbeat. Where none does, this node takes it over, which takes up to two seconds.
    /// `None` where L2 is off or cannot be asked.
    pub async fn has_living_peers(&self) -> Option<bool> {
        let shared = self.shared();
        are_alive(shared.bus(), shared.link()?).await.ok()
    }
}

/// Waits until another node writes the heartbeat, or this one takes it over.
async fn are_alive(bus: &Bus, link: &Link) -> Result<bool, CallError> {
    let deadline = Instant::now() + PATIENCE;
    // One that lies there already may be a dead node's.
    let mut known = None;
    while Instant::now() < deadline {
        let mut last = cmd("XREVRANGE");
        last.arg(bus.heartbeat()).arg("+").arg("-").arg("COUNT").arg(1);
        let asking = |mut connection| async move { last.query_async(&mut connection).await };
        let heartbeats: Vec<Heartbeat> = link.operate(Step::Inspect, asking).await?;
        if let Some((id, fields)) = heartbeats.into_iter().next() {
            if fields.get(b"w".as_slice()).is_some_and(|by| by == bus.origin().as_bytes()) {
                return Ok(false);
            }
            if *known.get_or_insert_with(|| id.clone()) != id {
                return Ok(true);
            }
        }
        sleep(POLL).await;
    }
    Ok(false)
}
