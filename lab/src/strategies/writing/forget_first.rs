use strata_cache::{Cache, LoadError, Read};
use strata_demo::Item;

use crate::stack::Source;
use crate::strategies::ChangeError;

/// The famous mistake: forget first, then commit.
///
/// A reader in between finds nothing cached, loads the row as it still is and keeps it. After the
/// commit nobody forgets it any more, and it stays until it expires.
#[derive(Clone)]
pub struct ForgetFirst {
    pub(crate) cache: Cache<u64, Item>,
    pub(crate) source: Source,
}

impl ForgetFirst {
    pub async fn read(&self, id: u64) -> Result<Read<Item>, LoadError> {
        let source = self.source.clone();
        self.cache.get_or_load(&id, move || async move { source.select(id).await }).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        self.cache.invalidate(&item.id).await;
        Ok(self.source.update(&[item]).await?)
    }
}
