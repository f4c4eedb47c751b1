use strata_cache::{Cache, LoadError, Read};
use strata_demo::Item;

use crate::stack::Source;
use crate::strategies::ChangeError;

/// Cache-aside: who needs a value asks the cache and says how to load it; who changes it tells the
/// cache to forget it.
#[derive(Clone)]
pub struct CacheAside {
    pub(crate) cache: Cache<u64, Item>,
    pub(crate) source: Source,
}

impl CacheAside {
    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        let source = self.source.clone();
        self.cache.get_or_load(&id, move || async move { source.select(id).await }).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        let id = item.id;
        self.source.update(&[item]).await?; // commit first,
        self.cache.invalidate(&id).await; // then forget, on every node
        Ok(())
    }
}
