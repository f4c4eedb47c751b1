use std::sync::Arc;
use std::time::Duration;

use strata_cache::report::Outcome;
use strata_cache::{LoadError, Read, Structures};
use strata_demo::Item;

use crate::stack::Source;
use crate::strategies::ChangeError;

/// The famous mistake: Redis asked by hand, and its errors ignored.
///
/// For a read that is right: no answer is a miss. But the removal that could not be sent is
/// forgotten as well, and once Redis is back it has the older item, until that expires.
#[derive(Clone)]
pub struct RedisByHand {
    pub(crate) redis: Structures,
    pub(crate) source: Source,
}

impl RedisByHand {
    const TIME_TO_LIVE: Duration = Duration::from_secs(600);

    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        let (value, outcome) = match self.found(id).await {
            Some(item) => (Some(item), Outcome::L2Hit),
            None => (self.load(id).await?, Outcome::Loaded),
        };
        let value = value.map(Arc::new);
        Ok(Read { value, outcome, age: Duration::ZERO, expires_in: None })
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        let id = item.id;
        self.source.update(&[item]).await?;
        let _ = self.redis.remove(id).await; // the mistake
        Ok(())
    }

    async fn found(&self, id: u64) -> Option<Item> {
        let bytes = self.redis.hash(id).get("item").await.ok()??;
        serde_json::from_slice(&bytes).ok()
    }

    async fn load(&self, id: u64) -> Result<Option<Item>, LoadError> {
        let loaded = self.source.select(id).await;
        let loaded = loaded.map_err(|error| LoadError::Source(Arc::new(error)))?;
        if let Some(item) = &loaded
            && let Ok(bytes) = serde_json::to_vec(item)
        {
            let _ = self.redis.hash(id).set([("item", bytes)], Self::TIME_TO_LIVE).await;
        }
        Ok(loaded)
    }
}
