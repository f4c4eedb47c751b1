use strata_cache::{Cache, LoadError, Read};
use strata_demo::Item;

use crate::stack::Source;
use crate::strategies::ChangeError;

/// Batch reads: who needs many items says so once. One pass over L1, one MGET for what is not
/// there, one query for what Redis has not either.
#[derive(Clone)]
pub struct Batch {
    pub(crate) cache: Cache<u64, Item>,
    pub(crate) source: Source,
}

impl Batch {
    pub async fn read_many(&self, ids: &[u64]) -> Vec<Result<Read<Item>, LoadError>> {
        let source = self.source.clone();
        let load = |missing: Vec<u64>| async move { source.select_many(&missing).await };
        self.cache.get_many(ids, load).await
    }

    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        let source = self.source.clone();
        self.cache.get_or_load(&id, move || async move { source.select(id).await }).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        let id = item.id;
        self.source.update(&[item]).await?;
        self.cache.invalidate(&id).await;
        Ok(())
    }
}
