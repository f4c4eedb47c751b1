use strata_cache::{Cache, LoadError, Read};
use strata_demo::Item;

use crate::stack::Source;
use crate::strategies::ChangeError;

/// Nobody invalidates: a copy is right until the item changes, and wrong until it expires.
#[derive(Clone)]
pub struct WaitForExpiry {
    pub(crate) cache: Cache<u64, Item>,
    pub(crate) source: Source,
}

impl WaitForExpiry {
    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        let source = self.source.clone();
        self.cache.get_or_load(&id, move || async move { source.select(id).await }).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        Ok(self.source.update(&[item]).await?)
    }
}
