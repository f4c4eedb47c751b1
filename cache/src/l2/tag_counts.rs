use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many tags of a cache Redis knows of, as this node's last invalidation of one was told.
#[derive(Debug, Default)]
pub(crate) struct TagCounts {
    by_name: AtomicU64,
    folded: AtomicU64,
    forgotten: AtomicU64,
}

/// What the invalidation of a tag is answered with: its number, the names kept, and how many were
/// folded and forgotten since they are counted.
pub(super) type TagAnswer = (u64, u64, u64, u64);

impl TagCounts {
    /// Takes note of an answer, and says the number of the message.
    pub(super) fn take(&self, (number, by_name, folded, forgotten): TagAnswer) -> u64 {
        self.by_name.store(by_name, Relaxed);
        self.folded.store(folded, Relaxed);
        self.forgotten.store(forgotten, Relaxed);
        number
    }

    /// Tags that Redis knows of, and those that it has forgotten.
    pub(crate) fn known_and_forgotten(&self) -> (u64, u64) {
        let forgotten = self.forgotten.load(Relaxed);
        let in_slices = self.folded.load(Relaxed).saturating_sub(forgotten);
        (self.by_name.load(Relaxed).saturating_add(in_slices), forgotten)
    }
}
