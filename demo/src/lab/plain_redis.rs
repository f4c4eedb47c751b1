use std::fmt::Display;
use std::time::Duration;

use strata_cache::{StructureError, Structures};

use super::Call;
use super::hold::Holds;
use crate::Item;

/// Redis as any client of it sees it: an item at a key, and nothing that guards it. Cheap to clone.
#[derive(Clone)]
pub struct PlainRedis {
    keys: Structures,
    time_to_live: Duration,
    holds: Holds,
}

impl PlainRedis {
    const FIELD: &str = "item";

    pub(super) fn new(keys: Structures, time_to_live: Duration, holds: Holds) -> Self {
        Self { keys, time_to_live, holds }
    }

    /// The item at its key; none where Redis does not answer, or nothing readable lies there.
    pub async fn get(&self, id: u64) -> Option<Item> {
        let found = self.keys.hash(id).get(Self::FIELD).await.ok()??;
        serde_json::from_slice(&found).ok()
    }

    /// Puts an item at its key.
    ///
    /// # Errors
    /// Where Redis does not take it.
    pub async fn set(&self, item: &Item) -> Result<(), StructureError> {
        let Ok(text) = serde_json::to_vec(item) else { return Ok(()) };
        let fields = [(Self::FIELD, text)];
        self.keys.hash(item.id).set(fields, self.time_to_live).await.map(drop)
    }

    /// Removes a key.
    ///
    /// # Errors
    /// Where Redis does not answer.
    pub async fn remove(&self, key: impl Display) -> Result<(), StructureError> {
        self.holds.begin(Call::Remove).pass().await.ok_or(StructureError::Away)?;
        self.keys.remove(key).await.map(drop)
    }
}
