use strata_cache::{Cache, LoadError, Pattern, Read};
use strata_demo::Item;

use crate::stack::Source;
use crate::strategies::ChangeError;

/// A change makes the cache forget every key that begins like the item's: on both levels, on every
/// node, also what is being loaded at that moment.
#[derive(Clone)]
pub struct ByPattern {
    pub(crate) cache: Cache<u64, Item>,
    pub(crate) source: Source,
}

impl ByPattern {
    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        let source = self.source.clone();
        self.cache.get_or_load(&id, move || async move { source.select(id).await }).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        let pattern = Pattern::prefix(&item.id.to_string());
        self.source.update(&[item]).await?;
        self.cache.invalidate_pattern(&pattern).await;
        Ok(())
    }
}
