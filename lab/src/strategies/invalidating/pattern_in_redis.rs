use strata_cache::{Cache, LoadError, Node, Pattern, Read};
use strata_demo::Item;

use crate::stack::{PlainRedis, Source};
use crate::strategies::ChangeError;

/// The famous mistake: find the keys in Redis, delete them in Redis, and forget that every process
/// has copies of its own.
#[derive(Clone)]
pub struct ByPatternInRedis {
    pub(crate) node: Node,
    pub(crate) cache: Cache<u64, Item>,
    /// The same keys, as any client of Redis sees them.
    pub(crate) redis: PlainRedis,
    pub(crate) source: Source,
}

impl ByPatternInRedis {
    const MAX_KEYS: usize = 10_000;

    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        let source = self.source.clone();
        self.cache.get_or_load(&id, move || async move { source.select(id).await }).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        let pattern = Pattern::prefix(&item.id.to_string());
        self.source.update(&[item]).await?;
        let found = self.node.match_l2(self.cache.name(), &pattern, Self::MAX_KEYS).await;
        let (_, keys) = found.ok().flatten().unwrap_or_default();
        for key in keys {
            self.redis.remove(key).await?;
        }
        Ok(())
    }
}
