use std::ops::RangeInclusive;

use strata_demo::Item;

use super::{Source, SourceError, Stage};

/// The items that a page shows: the one it is named after and the two that follow.
pub(crate) fn items_on(page: u64) -> RangeInclusive<u64> {
    page..=page.saturating_add(2)
}

impl Source {
    /// Reads a page by one query. It comes as an item, so that strategies and counts need not tell
    /// the two apart; its version is the sum of those of its items. `None` where none is there.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn select_page(&self, page: u64) -> Result<Option<Item>, SourceError> {
        let ids: Vec<u64> = items_on(page).collect();
        let found = self.select_many(&ids).await?;
        let version: u64 = found.values().map(|item| item.version).sum();
        let body = ids.iter().filter_map(|id| Some(found.get(id)?.body.as_str())).collect();
        Ok((version > 0).then_some(Item { id: page, version, body }))
    }
}

impl Stage {
    /// The version that a read must answer at least, were it to begin now.
    pub(super) fn newest(&self, id: u64) -> u64 {
        if !self.kind.reads_pages() {
            return self.ledger.newest(id);
        }
        let there = items_on(id).filter(|item| *item <= self.settings.items);
        // An item that nobody has changed is in its first version.
        there.map(|item| self.ledger.newest(item).max(1)).sum()
    }
}
