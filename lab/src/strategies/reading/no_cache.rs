use strata_cache::{Cache, LoadError, Read};
use strata_demo::Item;

use crate::stack::Source;
use crate::strategies::ChangeError;

/// No cache: every read asks the database, every time.
#[derive(Clone)]
pub struct NoCache {
    pub(crate) cache: Cache<u64, Item>,
    pub(crate) source: Source,
}

impl NoCache {
    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        // Goes around the cache, which only counts it.
        self.cache.bypass(self.source.select(id)).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        Ok(self.source.update(&[item]).await?)
    }
}
