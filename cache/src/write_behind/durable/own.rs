use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Moment;

/// What this node has written and, as far as it has heard, nobody has replaced or brought to the
/// source. It answers reads here, also while Redis is away.
///
/// A write that another node announced while ours was on its way may be the newer one; then
/// neither is kept and reads ask Redis.
pub(super) struct Own<K, V> {
    slots: Mutex<HashMap<K, Slot<V>>>,
}

struct Slot<V> {
    /// Writes of this key that are on their way.
    n_writing: u32,
    /// How often others were heard of meanwhile.
    n_heard: u64,
    newest: Option<Newest<V>>,
}

struct Newest<V> {
    value: Arc<V>,
    version: u64,
    since: Moment,
}

impl<K: Clone + Eq + Hash, V> Own<K, V> {
    pub(super) fn new() -> Self {
        Self { slots: Mutex::default() }
    }

    pub(super) fn get(&self, key: &K) -> Option<(Arc<V>, Duration)> {
        let slots = self.slots();
        let newest = slots.get(key)?.newest.as_ref()?;
        Some((Arc::clone(&newest.value), Moment::now().since(newest.since)))
    }

    /// A write sets out; what is given back belongs to its [`Own::end`].
    pub(super) fn begin(&self, key: &K) -> u64 {
        let mut slots = self.slots();
        let slot = slots.entry(key.clone()).or_insert_with(|| Slot {
            n_writing: 0,
            n_heard: 0,
            newest: None,
        });
        slot.n_writing += 1;
        slot.n_heard
    }

    /// A write has come back, with its row version where it was acknowledged.
    pub(super) fn end(&self, key: &K, began: u64, written: Option<(Arc<V>, u64)>) {
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(key) else { return };
        slot.n_writing -= 1;
        if let Some((value, version)) = written
            && slot.n_heard == began
            && slot.newest.as_ref().is_none_or(|newest| newest.version < version)
        {
            slot.newest = Some(Newest { value, version, since: Moment::now() });
        }
        tidy(&mut slots, key);
    }

    /// The source has this version.
    pub(super) fn written(&self, key: &K, version: u64) {
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(key) else { return };
        // A write on its way may be the one that the source has already.
        slot.n_heard += 1;
        slot.newest.take_if(|newest| newest.version <= version);
        tidy(&mut slots, key);
    }

    /// Another node has written the key, or brought it to the source.
    pub(super) fn hear(&self, key: &K) {
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(key) else { return };
        slot.n_heard += 1;
        slot.newest = None;
        tidy(&mut slots, key);
    }

    /// Anything may have been missed.
    pub(super) fn gap(&self) {
        let mut slots = self.slots();
        let mut left = Vec::with_capacity(slots.len());
        for slot in slots.values_mut() {
            slot.n_heard += 1;
            left.extend(slot.newest.take());
        }
        slots.retain(|_, slot| slot.n_writing > 0);
        // Values may panic as they are dropped.
        drop(slots);
        drop(left);
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<K, Slot<V>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tidy<K: Eq + Hash, V>(slots: &mut HashMap<K, Slot<V>>, key: &K) {
    if slots.get(key).is_some_and(|slot| slot.n_writing == 0 && slot.newest.is_none()) {
        slots.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(own: &Own<u8, u8>) -> Option<u8> {
        own.get(&1).map(|(value, _)| *value)
    }

    #[test]
    fn of_two_writes_here_the_higher_version_stays() {
        let own = Own::new();
        let (first, second) = (own.begin(&1), own.begin(&1));
        own.end(&1, second, Some((Arc::new(2), 2)));
        own.end(&1, first, Some((Arc::new(1), 1)));
        assert_eq!(value(&own), Some(2));
    }

    #[test]
    fn a_write_that_another_node_may_have_overtaken_is_not_kept() {
        let own = Own::new();
        let began = own.begin(&1);
        own.hear(&1);
        own.end(&1, began, Some((Arc::new(1), 1)));
        assert_eq!(value(&own), None);
        assert!(own.slots().is_empty());
    }

    #[test]
    fn a_value_that_the_source_has_is_let_go_and_a_newer_one_stays() {
        let own = Own::new();
        let began = own.begin(&1);
        own.end(&1, began, Some((Arc::new(5), 5)));
        own.written(&1, 4);
        assert_eq!(value(&own), Some(5));
        own.written(&1, 5);
        assert_eq!(value(&own), None);
        assert!(own.slots().is_empty());
    }

    #[test]
    fn a_gap_lets_everything_go() {
        let own = Own::new();
        let began = own.begin(&1);
        own.end(&1, began, Some((Arc::new(5), 5)));
        let began = own.begin(&2);
        own.gap();
        assert_eq!(value(&own), None);
        own.end(&2, began, Some((Arc::new(6), 6)));
        assert!(own.slots().is_empty());
    }
}
