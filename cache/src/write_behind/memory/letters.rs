use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

use crate::clock::Moment;

/// Dead letters in the order in which they were written, and their versions by the key's hash. An
/// operation runs all code of keys before it changes anything. It runs that code only for its own
/// key, and to compare it with keys of the same hash.
pub(super) struct DeadLetterStore<K, V> {
    by_version: BTreeMap<u64, IndexedLetter<K, V>>,
    by_hash: HashMap<u64, Vec<u64>>,
    hashing: RandomState,
}

pub(crate) struct IndexedLetter<K, V> {
    named: KeyedDeadLetter<K, V>,
    hash: u64,
}

/// The parts of a dead letter besides its key.
pub(super) struct DeadLetterData<V> {
    pub(super) value: Arc<V>,
    pub(super) version: u64,
    pub(super) tries: u32,
    pub(super) error: String,
    pub(super) at: Moment,
}

/// A dead letter with its key.
pub(super) type KeyedDeadLetter<K, V> = (Arc<K>, DeadLetterData<V>);

impl<K: Eq + Hash, V> DeadLetterStore<K, V> {
    pub(super) fn new() -> Self {
        let (by_version, by_hash) = (BTreeMap::new(), HashMap::new());
        Self { by_version, by_hash, hashing: RandomState::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.by_version.len()
    }

    /// Adds a dead letter. Returns the previous one of its key.
    pub(super) fn insert(
        &mut self,
        key: Arc<K>,
        row: DeadLetterData<V>,
    ) -> Option<KeyedDeadLetter<K, V>> {
        let hash = self.hashing.hash_one(&*key);
        let older = self.find(hash, &key);
        let older = older.and_then(|version| self.take(version));
        let version = row.version;
        self.by_version.insert(version, IndexedLetter { named: (key, row), hash });
        self.by_hash.entry(hash).or_default().push(version);
        older
    }

    /// Removes the dead letter of a key.
    pub(super) fn remove(&mut self, key: &K) -> Option<KeyedDeadLetter<K, V>> {
        self.take(self.find(self.hashing.hash_one(key), key)?)
    }

    pub(super) fn get(&self, version: u64) -> Option<&KeyedDeadLetter<K, V>> {
        Some(&self.by_version.get(&version)?.named)
    }

    /// Removes the dead letter of this version. Runs no code of the key or the value.
    pub(super) fn take(&mut self, version: u64) -> Option<KeyedDeadLetter<K, V>> {
        let IndexedLetter { named, hash } = self.by_version.remove(&version)?;
        if let Some(versions) = self.by_hash.get_mut(&hash) {
            versions.retain(|other| *other != version);
            if versions.is_empty() {
                self.by_hash.remove(&hash);
            }
        }
        Some(named)
    }

    /// The dead letters above this version, in the order of versions.
    pub(super) fn after(&self, version: u64) -> impl Iterator<Item = &KeyedDeadLetter<K, V>> {
        self.by_version.range(version.saturating_add(1)..).map(|(_, letter)| &letter.named)
    }

    fn find(&self, hash: u64, key: &K) -> Option<u64> {
        let versions = self.by_hash.get(&hash)?;
        let is_of = |version: &u64| self.get(*version).is_some_and(|(other, _)| **other == *key);
        versions.iter().copied().find(is_of)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::Hasher;
    use std::sync::atomic::AtomicU64;
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;
    use crate::clock::Moment;
    use crate::user_code::contained;

    fn row(version: u64) -> DeadLetterData<u8> {
        let (value, at) = (Arc::new(0), Moment::now());
        DeadLetterData { value, version, tries: 1, error: String::new(), at }
    }

    fn versions<K: Eq + Hash>(letters: &DeadLetterStore<K, u8>, after: u64) -> Vec<u64> {
        letters.after(after).map(|(_, row)| row.version).collect()
    }

    #[test]
    fn they_come_in_the_order_of_their_versions_and_each_key_once() {
        let mut letters = DeadLetterStore::new();
        for (key, version) in [(3, 9), (1, 4), (2, 6)] {
            assert!(letters.insert(Arc::new(key), row(version)).is_none());
        }
        let older = letters.insert(Arc::new(1), row(7));
        assert_eq!(older.map(|(_, row)| row.version), Some(4));
        assert_eq!((letters.len(), versions(&letters, 0)), (3, vec![6, 7, 9]));
        assert_eq!(versions(&letters, 7), [9]);
        assert!(letters.get(4).is_none(), "a newer one took its place");
        letters.remove(&2);
        assert_eq!(letters.take(7).map(|(key, _)| *key), Some(1));
        assert_eq!((letters.len(), versions(&letters, 0)), (1, vec![9]));
        assert_eq!(letters.by_hash.len(), 1);
    }

    /// A key whose hash can be computed only once.
    struct Key {
        number: u64,
        n_hashed: AtomicU64,
    }

    impl PartialEq for Key {
        fn eq(&self, other: &Self) -> bool {
            self.number == other.number
        }
    }

    impl Eq for Key {}

    impl Hash for Key {
        fn hash<H: Hasher>(&self, state: &mut H) {
            assert_eq!(self.n_hashed.fetch_add(1, Relaxed), 0);
            self.number.hash(state);
        }
    }

    #[test]
    fn keys_whose_code_panics_are_in_nobodys_way() {
        let mut letters = DeadLetterStore::new();
        let key = |number| Arc::new(Key { number, n_hashed: AtomicU64::new(0) });
        let broken = key(1);
        letters.insert(Arc::clone(&broken), row(1));
        for version in 2..1_000 {
            letters.insert(key(version), row(version));
        }
        assert!(contained(|| letters.insert(broken, row(1_000))).is_none());
        assert_eq!((letters.len(), versions(&letters, 998)), (999, vec![999]));
        assert!(letters.take(1).is_some(), "it goes by its version");
    }
}
