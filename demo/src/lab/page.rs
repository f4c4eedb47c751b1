use std::ops::RangeInclusive;

use super::Stage;
use crate::Item;

/// The items that a page shows: the one it is named after and the two that follow.
pub(crate) fn items_on(page: u64) -> RangeInclusive<u64> {
    page..=page.saturating_add(2)
}

/// A page is an item itself, so that strategies and counts need not tell them apart.
pub(super) fn made_from(page: u64, items: &[Item]) -> Option<Item> {
    let version: u64 = items.iter().map(|item| item.version).sum();
    let body = items.iter().map(|item| item.body.as_str()).collect();
    (version > 0).then_some(Item { id: page, version, body })
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
