use strata_cache::{Cache, LoadError, Read};
use strata_demo::Item;

use crate::stack::Source;
use crate::strategies::ChangeError;

/// The famous mistake: commit, then set, whatever happened in between.
///
/// Two writers may commit in one order and set in the other; then the older value stays.
#[derive(Clone)]
pub struct SetAfterWrite {
    pub(crate) cache: Cache<u64, Item>,
    pub(crate) source: Source,
}

impl SetAfterWrite {
    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        let source = self.source.clone();
        self.cache.get_or_load(&id, move || async move { source.select(id).await }).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        self.source.update(std::slice::from_ref(&item)).await?;
        self.cache.insert(&item.id.clone(), item).await;
        Ok(())
    }
}
