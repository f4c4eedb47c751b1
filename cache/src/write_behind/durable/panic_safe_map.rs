use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

/// A map whose keys' own code may panic. An operation runs that code only for its own key, and to
/// compare it with keys of the same hash.
pub(super) struct PanicSafeMap<K, T> {
    by_hash: HashMap<u64, Vec<(K, T)>>,
    hashing: RandomState,
}

impl<K, T> Default for PanicSafeMap<K, T> {
    fn default() -> Self {
        Self { by_hash: HashMap::new(), hashing: RandomState::new() }
    }
}

impl<K: Clone + Eq + Hash, T> PanicSafeMap<K, T> {
    pub(super) fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    pub(super) fn get(&self, key: &K) -> Option<&T> {
        let same_hash = self.by_hash.get(&self.hashing.hash_one(key))?;
        same_hash.iter().find(|(other, _)| other == key).map(|(_, slot)| slot)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut T> {
        let same_hash = self.by_hash.get_mut(&self.hashing.hash_one(key))?;
        same_hash.iter_mut().find(|(other, _)| other == key).map(|(_, slot)| slot)
    }

    /// Adds a slot for a key that has none.
    pub(super) fn insert(&mut self, key: &K, slot: T) {
        let (hash, key) = (self.hashing.hash_one(key), key.clone());
        self.by_hash.entry(hash).or_default().push((key, slot));
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut T)> {
        self.by_hash.values_mut().flatten().map(|(key, slot)| (&*key, slot))
    }

    /// Removes the slots that `go`.
    pub(super) fn remove_those(&mut self, mut go: impl FnMut(&T) -> bool) -> Vec<(K, T)> {
        let mut gone = Vec::new();
        self.by_hash.retain(|_, same_hash| {
            gone.extend(same_hash.extract_if(.., |(_, slot)| go(slot)));
            !same_hash.is_empty()
        });
        gone
    }

    /// Removes the slot of a key.
    pub(super) fn remove(&mut self, key: &K) -> Option<(K, T)> {
        let hash = self.hashing.hash_one(key);
        let same_hash = self.by_hash.get_mut(&hash)?;
        let at = same_hash.iter().position(|(other, _)| other == key)?;
        let gone = same_hash.swap_remove(at);
        if same_hash.is_empty() {
            self.by_hash.remove(&hash);
        }
        Some(gone)
    }
}
