use std::slice;

use strata_cache::{Cache, LoadError, Read};
use strata_demo::Item;

use crate::stack::{Source, SourceError};
use crate::strategies::ChangeError;

/// Write-through: database and cache change in one call, and the next read finds the new value.
#[derive(Clone)]
pub struct WriteThrough {
    pub(crate) cache: Cache<u64, Item>,
    pub(crate) source: Source,
}

impl WriteThrough {
    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        let source = self.source.clone();
        self.cache.get_or_load(&id, move || async move { source.select(id).await }).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        let (id, source) = (item.id, self.source.clone());
        // The cache takes the key's lease, waits for the commit, and keeps the item only while the
        // lease is still its own.
        let commit = async move {
            source.update(slice::from_ref(&item)).await?;
            Ok::<_, SourceError>(item)
        };
        self.cache.write_through(&id, commit).await?;
        Ok(())
    }
}
