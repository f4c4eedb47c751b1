use strata_cache::{Cache, LoadError, Read};
use strata_demo::Item;

use crate::stack::Source;
use crate::strategies::ChangeError;

/// Read-through: callers know the items only. That there is a database behind them is this type's
/// business, and nobody can read past it or load in another way.
#[derive(Clone)]
pub struct ReadThrough {
    items: CachedItems,
}

#[derive(Clone)]
struct CachedItems {
    cache: Cache<u64, Item>,
    source: Source,
}

impl ReadThrough {
    pub(crate) fn new(cache: Cache<u64, Item>, source: Source) -> Self {
        Self { items: CachedItems { cache, source } }
    }

    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        self.items.get(id).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        self.items.put(item).await
    }
}

impl CachedItems {
    async fn get(&self, id: u64) -> Result<Read<Item>, LoadError> {
        let source = self.source.clone();
        self.cache.get_or_load(&id, move || async move { source.select(id).await }).await
    }

    async fn put(&self, item: Item) -> Result<(), ChangeError> {
        let id = item.id;
        self.source.update(&[item]).await?;
        self.cache.invalidate(&id).await;
        Ok(())
    }
}
