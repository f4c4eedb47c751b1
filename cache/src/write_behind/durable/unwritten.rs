use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::panic_safe_map::PanicSafeMap;
use crate::clock::Moment;

/// What this node has written and, as far as it has heard, nobody has replaced or brought to the
/// source. It answers reads here, also while Redis is away.
///
/// A write that another node announced while ours was on its way may be the newer one; then
/// neither is kept and reads ask Redis. Where a write of our own got no answer, what was written
/// before is in doubt: it answers only where Redis does not.
pub(super) struct Unwritten<K, V> {
    slots: Mutex<PanicSafeMap<K, Slot<V>>>,
}

struct Slot<V> {
    /// Writes of this key that are on their way.
    n_writing: u32,
    /// How often something was heard meanwhile that may be newer.
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

    /// The newest that is known here, for where Redis does not answer.
    pub(super) fn get_in_doubt(&self, key: &K) -> Option<Arc<V>> {
        self.with(|slots| Some(Arc::clone(&slots.get(key)?.newest.as_ref()?.value)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.with(|slots| slots.is_empty())
    }

    /// A write sets out; what is given back belongs to its [`Unwritten::end`].
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

    /// A write has come back, with its row version where it was acknowledged.
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

    /// A write has come back without an answer: it may have arrived, and be the newest.
    pub(super) fn lost(&self, key: &K) {
        self.change(key, |slot| {
            slot.n_writing = slot.n_writing.saturating_sub(1);
            slot.doubt();
            None
        });
    }

    /// The source has this version.
    pub(super) fn written(&self, key: &K, version: u64) {
        self.change(key, |slot| {
            // A write on its way may be the one that the source has already.
            slot.n_heard += 1;
            slot.newest.take_if(|newest| newest.version <= version)
        });
    }

    /// Redis was asked: this version waits there, or none does.
    pub(super) fn found(&self, key: &K, version: Option<u64>) {
        self.change(key, |slot| {
            slot.newest.take_if(|newest| newest.in_doubt && Some(newest.version) != version)
        });
    }

    /// The key was invalidated: another node has written it, or brought it to the source, or its
    /// row has changed otherwise.
    pub(super) fn forget(&self, key: &K) {
        self.change(key, |slot| {
            slot.n_heard += 1;
            slot.newest.take()
        });
    }

    /// As [`forget`](Self::forget), for all keys of which that is so.
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

    /// Anything may have been missed, or is invalidated.
    pub(super) fn forget_all(&self) {
        self.forget_those(|_| true);
    }

    /// Nobody here hears of changes from now on.
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

    /// What the step gives back is dropped when the lock is free: values may panic as they go.
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
