use std::sync::Arc;
use std::time::Duration;

use strata_cache::report::Outcome;
use strata_cache::{Cache, LoadError, Read};
use strata_demo::Item;

use crate::stack::{PlainRedis, Source};

/// Two levels as they are often written by hand: a cache in the process and Redis, each asked in
/// turn. Nothing ties the two together, nor the nodes.
#[derive(Clone)]
pub(crate) struct LevelsByHand {
    /// This node's alone.
    pub(crate) l1: Cache<u64, Item>,
    pub(crate) redis: PlainRedis,
    pub(crate) source: Source,
}

impl LevelsByHand {
    pub(crate) async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        let found = self.l1.get(&id).await;
        if found.value.is_some() {
            return Ok(found);
        }
        if let Some(item) = self.redis.get(id).await {
            self.l1.insert(&id, item.clone()).await;
            return Ok(answer(Some(item), Outcome::L2Hit));
        }
        let loaded = self.source.select(id).await;
        let loaded = loaded.map_err(|error| LoadError::Source(Arc::new(error)))?;
        if let Some(item) = &loaded {
            // What Redis does not take is loaded again.
            let _ = self.redis.set(item).await;
            self.l1.insert(&id, item.clone()).await;
        }
        Ok(answer(loaded, Outcome::Loaded))
    }
}

fn answer(item: Option<Item>, outcome: Outcome) -> Read<Item> {
    Read { value: item.map(Arc::new), outcome, age: Duration::ZERO, expires_in: None }
}
