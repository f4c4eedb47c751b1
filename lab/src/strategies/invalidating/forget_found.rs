use strata_cache::{Cache, LoadError, Read};
use strata_demo::Item;

use crate::stack::Source;
use crate::strategies::ChangeError;

/// The famous mistake: forget only what is there.
///
/// A remembered "not found" is an entry too. Who creates the item and leaves that entry alone has
/// made a row that nobody sees until the entry expires.
#[derive(Clone)]
pub struct ForgetFound {
    pub(crate) cache: Cache<u64, Item>,
    pub(crate) source: Source,
}

impl ForgetFound {
    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        let source = self.source.clone();
        self.cache.get_or_load(&id, move || async move { source.select(id).await }).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        let id = item.id;
        self.source.update(&[item]).await?;
        if self.cache.get(&id).await.value.is_some() {
            self.cache.invalidate(&id).await;
        }
        Ok(())
    }
}
