use strata_cache::{Cache, LoadError, Pattern, Read};
use strata_demo::Item;

use crate::stack::Source;
use crate::strategies::ChangeError;

/// A page's key does not say which items the page shows, so a pattern can only name all pages:
/// each key is visited, on both levels of every node, and every page is made again.
#[derive(Clone)]
pub struct AllPages {
    pub(crate) cache: Cache<u64, Item>,
    pub(crate) source: Source,
}

impl AllPages {
    pub async fn read(&self, page: u64) -> Result<Read<Item>, LoadError> {
        let source = self.source.clone();
        self.cache.get_or_load(&page, move || async move { source.select_page(page).await }).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        self.source.update(&[item]).await?;
        self.cache.invalidate_pattern(&Pattern::prefix("")).await;
        Ok(())
    }
}
