use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::panic_safe_map::PanicSafeMap;
use crate::clock::Moment;

/// This node's written values that, as far as it has heard, have neither been replaced nor reached
/// the source. They answer reads on this node, also while Redis is away.
///
/// If another node announced a write while this node's own was on its way, either may be the newer
/// one. Then neither is kept, and reads ask Redis. If a write of this node got no answer, the
/// values written before are in doubt: they answer only if Redis does not.
pub(super) struct Unwritten<K, V> {
    slots: Mutex<PanicSafeMap<K, Slot<V>>>,
}

struct Slot<V> {
    /// How many writes of this key are on their way.
    n_writing: u32,
    /// How often a possibly newer change was heard meanwhile.
    n_heard: u64,
    newest: Option<Newest<V>>,
}

struct Newest<V> {
    value: Arc<V>,
    version: u64,
    since: Moment,
    in_doubt: bool,
}

impl<K: Clone + Eq + Hash, V> Unwritten<K, V> {
    pub(super) fn new() -> Self {
        Self { slots: Mutex::default() }
    }

    pub(super) fn get(&self, key: &K) -> Option<(Arc<V>, Duration)> {
        self.with(|slots| {
            let newest = slots.get(key)?.newest.as_ref().filter(|newest| !newest.in_doubt)?;
            Some((Arc::clone(&newest.value), Moment::now().since(newest.since)))
        })
    }

    /// The newest value known on this node, for reads while Redis does not answer.
    pub(super) fn get_in_doubt(&self, key: &K) -> Option<Arc<V>> {
        self.with(|slots| Some(Arc::clone(&slots.get(key)?.newest.as_ref()?.value)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.with(|slots| slots.is_empty())
    }

    /// Begins a write. Its [`Unwritten::end`] takes the returned number.
    pub(super) fn begin(&self, key: &K) -> u64 {
        self.with(|slots| {
            if let Some(slot) = slots.get_mut(key) {
                slot.n_writing += 1;
                return slot.n_heard;
            }
            slots.insert(key, Slot { n_writing: 1, n_heard: 0, newest: None });
            0
        })
    }

    /// Ends a write, with its row version if it was acknowledged.
    pub(super) fn end(&self, key: &K, began: u64, written: Option<(Arc<V>, u64)>) {
        self.change(key, |slot| {
            slot.n_writing = slot.n_writing.saturating_sub(1);
            let (value, version) = written?;
            let older = slot.newest.take_if(|newest| newest.version < version);
            if slot.newest.is_none() && slot.n_heard == began {
                let since = Moment::now();
                slot.newest = Some(Newest { value, version, since, in_doubt: false });
            }
            older
        });
    }

    /// Ends a write without an answer. It may have arrived, and be the newest.
    pub(super) fn lost(&self, key: &K) {
        self.change(key, |slot| {
            slot.n_writing = slot.n_writing.saturating_sub(1);
            slot.doubt();
            None
        });
    }

    /// Records that the source has this version.
    pub(super) fn written(&self, key: &K, version: u64) {
        self.change(key, |slot| {
            // A write on its way may be the version that the source already has.
            slot.n_heard += 1;
            slot.newest.take_if(|newest| newest.version <= version)
        });
    }

    /// Records Redis's answer: this version waits there, or none does.
    pub(super) fn found(&self, key: &K, version: Option<u64>) {
        self.change(key, |slot| {
            slot.newest.take_if(|newest| newest.in_doubt && Some(newest.version) != version)
        });
    }

    /// Records that the key was invalidated: another node has written it, or brought it to the
    /// source, or its row has changed otherwise.
    pub(super) fn forget(&self, key: &K) {
        self.change(key, |slot| {
            slot.n_heard += 1;
            slot.newest.take()
        });
    }

    /// As [`forget`](Self::forget), for all keys that `are_meant`.
    pub(super) fn forget_those(&self, are_meant: impl Fn(&K) -> bool) {
        let forgotten = self.with(|slots| {
            let mut forgotten = Vec::new();
            for (_, slot) in slots.iter_mut().filter(|(key, _)| are_meant(key)) {
                slot.n_heard += 1;
                forgotten.extend(slot.newest.take());
            }
            (forgotten, slots.remove_those(Slot::is_idle))
        });
        drop(forgotten);
    }

    /// Forgets all values, because messages may have been missed, or everything is invalidated.
    pub(super) fn forget_all(&self) {
        self.forget_those(|_| true);
    }

    /// Puts all values in doubt, because this node no longer hears of changes.
    pub(super) fn doubt_all(&self) {
        self.with(|slots| slots.iter_mut().for_each(|(_, slot)| slot.doubt()));
    }

    fn change(&self, key: &K, change: impl FnOnce(&mut Slot<V>) -> Option<Newest<V>>) {
        let old = self.with(|slots| {
            let slot = slots.get_mut(key)?;
            let old = change(slot);
            let gone = if slot.is_idle() { slots.remove(key) } else { None };
            Some((old, gone))
        });
        drop(old);
    }

    /// The result of the step is dropped after the lock is released, since values may panic when
    /// dropped.
    fn with<R>(&self, step: impl FnOnce(&mut PanicSafeMap<K, Slot<V>>) -> R) -> R {
        step(&mut self.slots.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<V> Slot<V> {
    fn doubt(&mut self) {
        self.n_heard += 1;
        if let Some(newest) = &mut self.newest {
            newest.in_doubt = true;
        }
    }

    fn is_idle(&self) -> bool {
        self.n_writing == 0 && self.newest.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(unwritten: &Unwritten<u8, u8>) -> Option<u8> {
        unwritten.get(&1).map(|(value, _)| *value)
    }

    fn write(unwritten: &Unwritten<u8, u8>, key: u8, version: u64) {
        let began = unwritten.begin(&key);
        unwritten.end(&key, began, Some((Arc::new(version as u8), version)));
    }

    #[test]
    fn of_two_writes_here_the_higher_version_stays() {
        let unwritten = Unwritten::new();
        let (first, second) = (unwritten.begin(&1), unwritten.begin(&1));
        unwritten.end(&1, second, Some((Arc::new(2), 2)));
        unwritten.end(&1, first, Some((Arc::new(1), 1)));
        assert_eq!(value(&unwritten), Some(2));
    }

    #[test]
    fn a_write_that_another_node_may_have_overtaken_is_not_kept() {
        let unwritten = Unwritten::new();
        let began = unwritten.begin(&1);
        unwritten.forget(&1);
        unwritten.end(&1, began, Some((Arc::new(1), 1)));
        assert_eq!(value(&unwritten), None);
        assert!(unwritten.is_empty());
    }

    #[test]
    fn a_write_that_is_not_kept_leaves_no_older_one_either() {
        let unwritten = Unwritten::new();
        write(&unwritten, 1, 5);
        let began = unwritten.begin(&1);
        unwritten.written(&1, 4);
        unwritten.end(&1, began, Some((Arc::new(6), 6)));
        assert_eq!(value(&unwritten), None);
    }

    #[test]
    fn a_value_that_the_source_has_is_let_go_and_a_newer_one_stays() {
        let unwritten = Unwritten::new();
        write(&unwritten, 1, 5);
        unwritten.written(&1, 4);
        assert_eq!(value(&unwritten), Some(5));
        unwritten.written(&1, 5);
        assert_eq!(value(&unwritten), None);
        assert!(unwritten.is_empty());
    }

    #[test]
    fn a_write_without_an_answer_leaves_the_one_before_in_doubt() {
        let unwritten = Unwritten::new();
        write(&unwritten, 1, 5);
        unwritten.begin(&1);
        unwritten.lost(&1);
        assert_eq!((value(&unwritten), unwritten.get_in_doubt(&1).as_deref()), (None, Some(&5)));
        unwritten.found(&1, Some(5));
        assert_eq!(unwritten.get_in_doubt(&1).as_deref(), Some(&5), "Redis still has it");
        unwritten.found(&1, Some(6));
        assert!(unwritten.is_empty());
    }

    #[test]
    fn a_write_after_the_doubt_is_beyond_it() {
        let unwritten = Unwritten::new();
        write(&unwritten, 1, 5);
        unwritten.doubt_all();
        write(&unwritten, 1, 6);
        assert_eq!(value(&unwritten), Some(6));
        unwritten.found(&1, None);
        assert_eq!(
            value(&unwritten),
            Some(6),
            "an answer from before the write says nothing of it"
        );
    }

    #[test]
    fn only_what_is_meant_is_forgotten() {
        let unwritten = Unwritten::new();
        write(&unwritten, 1, 5);
        write(&unwritten, 2, 6);
        unwritten.forget_those(|key| *key == 2);
        assert_eq!((value(&unwritten), unwritten.get(&2)), (Some(5), None));
    }

    #[test]
    fn a_gap_lets_everything_go() {
        let unwritten = Unwritten::new();
        write(&unwritten, 1, 5);
        let began = unwritten.begin(&2);
        unwritten.forget_all();
        assert_eq!(value(&unwritten), None);
        unwritten.end(&2, began, Some((Arc::new(6), 6)));
        assert!(unwritten.is_empty());
    }
}
