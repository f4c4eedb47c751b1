use strata_cache::{Cache, LoadError, Read};
use strata_demo::Item;

use crate::stack::Source;
use crate::strategies::ChangeError;

/// The famous mistake: forget the one key that is at hand, the item's own page.
///
/// Other pages show the item too, and go on showing it as it was until they expire.
#[derive(Clone)]
pub struct OnePage {
    pub(crate) cache: Cache<u64, Item>,
    pub(crate) source: Source,
}

impl OnePage {
    pub async fn read(&self, page: u64) -> Result<Read<Item>, LoadError> {
        let source = self.source.clone();
        self.cache.get_or_load(&page, move || async move { source.select_page(page).await }).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        let page = item.id;
        self.source.update(&[item]).await?;
        self.cache.invalidate(&page).await;
        Ok(())
    }
}
