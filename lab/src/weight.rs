use strata_demo::Item;

use super::Stage;
use super::seat::Seat;

impl Stage {
    /// About as many bytes as the items in L1 take, all nodes together.
    pub(super) fn l1_bytes(&self) -> u64 {
        let n_entries: u64 = self.living().iter().map(Seat::n_entries).sum();
        n_entries * (size_of::<Item>() + self.settings.item_bytes) as u64
    }
}

impl Seat {
    fn n_entries(&self) -> u64 {
        let in_caches = || self.node.report().caches.iter().map(|cache| cache.l1.entries).sum();
        self.strategy.n_entries().unwrap_or_else(in_caches)
    }
}
