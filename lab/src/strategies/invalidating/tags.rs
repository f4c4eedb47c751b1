use strata_cache::{Cache, LoadError, Loaded, Read};
use strata_demo::Item;

use crate::stack::{Source, SourceError, items_on};
use crate::strategies::ChangeError;

/// A page is made from several items and carries a tag for each. A change of an item
/// invalidates its tag: one command, and every page that shows the item is gone, on every node.
#[derive(Clone)]
pub struct ByTag {
    pub(crate) cache: Cache<u64, Item>,
    pub(crate) source: Source,
}

impl ByTag {
    pub async fn read(&self, page: u64) -> Result<Read<Item>, LoadError> {
        let source = self.source.clone();
        let load = move || async move {
            let made = source.select_page(page).await?;
            Ok::<_, SourceError>(made.map(|made| Loaded::from(made).tags(items_on(page).map(tag))))
        };
        self.cache.get_or_load_entry(&page, load).await
    }

    pub async fn write(&self, item: Item) -> Result<(), ChangeError> {
        let tag = tag(item.id);
        self.source.update(&[item]).await?;
        self.cache.invalidate_tag(&tag).await;
        Ok(())
    }
}

fn tag(item: u64) -> String {
    format!("item:{item}")
}
