use std::fmt::Display;
use std::time::Duration;

use strata_cache::{StructureError, Structures};
use strata_demo::Item;
use tokio::time::Instant;

use super::call_gates::{Call, CallGates};
use crate::trace::{Level, Trace, TraceLine};

/// Redis as any client of it sees it: an item at a key, and nothing that guards it. Cheap to clone.
#[derive(Clone)]
pub struct PlainRedis {
    pub(crate) keys: Structures,
    pub(crate) time_to_live: Duration,
    pub(crate) call_gates: CallGates,
    /// `None` where a proxy writes its commands into the trace.
    pub(crate) trace: Option<Trace>,
}

impl PlainRedis {
    const FIELD: &str = "item";

    /// The item at its key; none where Redis does not answer, or nothing readable lies there.
    pub async fn get(&self, id: u64) -> Option<Item> {
        let started = Instant::now();
        let found = self.keys.hash(id).get(Self::FIELD).await;
        self.note(format!("HGET {id}"), started);
        serde_json::from_slice(&found.ok()??).ok()
    }

    /// Puts an item at its key.
    ///
    /// # Errors
    /// Where Redis does not take it.
    pub async fn set(&self, item: &Item) -> Result<(), StructureError> {
        let Ok(text) = serde_json::to_vec(item) else { return Ok(()) };
        let started = Instant::now();
        let hash = self.keys.hash(item.id);
        let set = hash.set([(Self::FIELD, text)], self.time_to_live).await;
        self.note(format!("HSET {}, version {}", item.id, item.version), started);
        set.map(drop)
    }

    /// Removes a key.
    ///
    /// # Errors
    /// Where Redis does not answer.
    pub async fn remove(&self, key: impl Display) -> Result<(), StructureError> {
        self.call_gates.begin(Call::Remove).pass().await.ok_or(StructureError::Away)?;
        let (command, started) = (format!("UNLINK {key}"), Instant::now());
        let removed = self.keys.remove(key).await;
        self.note(command, started);
        removed.map(drop)
    }

    fn note(&self, command: String, started: Instant) {
        if let Some(trace) = &self.trace {
            trace.push(TraceLine::command(Level::L2, None, command, started));
        }
    }
}
