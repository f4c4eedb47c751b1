use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::clock::{Moment, millis};

/// The times at which entries were put in, since moka does not report them when entries leave. A
/// fixed table by hash with four slots for an entry. If all are taken, the newest entry replaces
/// the oldest, whose age is then unknown.
pub(super) struct InsertTimes {
    /// 24 bits of the hash, 40 bits of milliseconds; 0 is empty.
    slots: Box<[AtomicU64]>,
    origin: Moment,
}

impl InsertTimes {
    const MAX_SLOTS: u64 = 1 << 16;
    const MIN_SLOTS: u64 = 1 << 10;
    const N_WAYS: usize = 4;
    const AT_BITS: u32 = 40;

    /// For a cache of this many entries: 8 bytes a slot, at most half a megabyte.
    pub(super) fn new(capacity: u64) -> Self {
        let n = capacity.saturating_mul(2).clamp(Self::MIN_SLOTS, Self::MAX_SLOTS);
        let slots = (0..n.next_power_of_two()).map(|_| AtomicU64::new(0)).collect();
        Self { slots, origin: Moment::now() }
    }

    /// Records that an entry was put in now.
    pub(super) fn put(&self, hash: u64) {
        // Counted from 1, so that no entry looks like an empty slot.
        let at = millis(Moment::now().since(self.origin)) + 1;
        let set = self.set(hash);
        let own = set.iter().find(|slot| Self::is_of(slot, hash));
        let oldest = || set.iter().min_by_key(|slot| slot.load(Relaxed) & Self::at_mask());
        if let Some(slot) = own.or_else(oldest) {
            slot.store(Self::mark(hash) | (at & Self::at_mask()), Relaxed);
        }
    }

    /// The age of an entry, if known.
    pub(super) fn age(&self, hash: u64) -> Option<Duration> {
        let slot = self.set(hash).iter().find(|slot| Self::is_of(slot, hash))?;
        let at = (slot.load(Relaxed) & Self::at_mask()).saturating_sub(1);
        Some(Moment::now().since(self.origin).saturating_sub(Duration::from_millis(at)))
    }

    /// The age of an entry that leaves. Frees its slot.
    pub(super) fn take(&self, hash: u64) -> Option<Duration> {
        let age = self.age(hash);
        if let Some(slot) = self.set(hash).iter().find(|slot| Self::is_of(slot, hash)) {
            slot.store(0, Relaxed);
        }
        age
    }

    /// The slots in which the entry may be.
    fn set(&self, hash: u64) -> &[AtomicU64] {
        let set = hash as usize & (self.slots.len() / Self::N_WAYS - 1);
        &self.slots[set * Self::N_WAYS..][..Self::N_WAYS]
    }

    fn is_of(slot: &AtomicU64, hash: u64) -> bool {
        let held = slot.load(Relaxed);
        held != 0 && held & !Self::at_mask() == Self::mark(hash)
    }

    fn mark(hash: u64) -> u64 {
        hash & !Self::at_mask()
    }

    const fn at_mask() -> u64 {
        (1 << Self::AT_BITS) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_an_age_until_it_leaves() {
        let insert_times = InsertTimes::new(0);
        let one = 0xabcd_ef00_0000_0001;
        assert_eq!(insert_times.age(one), None);
        insert_times.put(one);
        assert!(insert_times.age(one).is_some_and(|age| age < Duration::from_secs(1)));
        assert!(insert_times.take(one).is_some());
        assert_eq!(insert_times.take(one), None);
    }

    #[test]
    fn where_all_places_are_taken_an_older_entry_gives_way() {
        let insert_times = InsertTimes::new(0);
        let entries: Vec<u64> = (1..=5).map(|n| n << 40 | 7).collect();
        entries.iter().for_each(|hash| insert_times.put(*hash));
        let known = entries.iter().filter(|hash| insert_times.age(**hash).is_some()).count();
        assert_eq!(known, 4);
        assert!(insert_times.age(entries[4]).is_some());
    }
}
