use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use super::state::SetAside;

/// Rows that stand aside, by key, and in the order in which they were written.
pub(super) struct Letters<K, V> {
    by_key: HashMap<K, SetAside<V>>,
    by_version: BTreeMap<u64, K>,
}

impl<K: Clone + Eq + Hash, V> Letters<K, V> {
    pub(super) fn new() -> Self {
        Self { by_key: HashMap::new(), by_version: BTreeMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn insert(&mut self, key: K, row: SetAside<V>) {
        let (again, version) = (key.clone(), row.version);
        if let Some(old) = self.by_key.insert(key, row) {
            self.by_version.remove(&old.version);
        }
        self.by_version.insert(version, again);
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some(row) = self.by_key.remove(key) {
            self.by_version.remove(&row.version);
        }
    }

    pub(super) fn get(&self, version: u64) -> Option<(&K, &SetAside<V>)> {
        let key = self.by_version.get(&version)?;
        Some((key, self.by_key.get(key)?))
    }

    /// Takes the one of this version out.
    pub(super) fn take(&mut self, version: u64) -> Option<(K, SetAside<V>)> {
        let key = self.by_version.get(&version)?;
        let taken = self.by_key.remove_entry(key);
        self.by_version.remove(&version);
        taken
    }

    /// Those above this version, in its order.
    pub(super) fn after(&self, version: u64) -> impl Iterator<Item = (&K, &SetAside<V>)> {
        let above = self.by_version.range(version.saturating_add(1)..);
        above.filter_map(|(_, key)| Some((key, self.by_key.get(key)?)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::Moment;

    fn row(version: u64) -> SetAside<u8> {
        let (value, at) = (Arc::new(0), Moment::now());
        SetAside { value, version, tries: 1, error: String::new(), at }
    }

    fn versions(letters: &Letters<u8, u8>, after: u64) -> Vec<u64> {
        letters.after(after).map(|(_, row)| row.version).collect()
    }

    #[test]
    fn they_come_in_the_order_of_their_versions_and_each_key_once() {
        let mut letters = Letters::new();
        for (key, version) in [(3, 9), (1, 4), (2, 6), (1, 7)] {
            letters.insert(key, row(version));
        }
        assert_eq!((letters.len(), versions(&letters, 0)), (3, vec![6, 7, 9]));
        assert_eq!(versions(&letters, 7), [9]);
        assert!(letters.get(4).is_none(), "a newer one took its place");
        letters.remove(&2);
        assert_eq!(letters.take(7).map(|(key, _)| key), Some(1));
        assert_eq!((letters.len(), versions(&letters, 0)), (1, vec![9]));
    }
}
