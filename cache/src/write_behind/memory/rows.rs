use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::clock::Moment;
use crate::key::Key;

/// Unwritten rows by a generated number, and their numbers by the key's hash. The flusher uses only
/// the numbers, so that no code of a key can make it lose track of a row.
pub(super) struct UnwrittenRows<K, V> {
    rows: HashMap<u64, UnwrittenRow<K, V>>,
    by_hash: HashMap<u64, Vec<u64>>,
    last_id: u64,
    hashing: RandomState,
}

pub(super) struct UnwrittenRow<K, V> {
    pub(super) key: Arc<K>,
    hash: u64,
    pub(super) value: Arc<V>,
    pub(super) version: u64,
    pub(super) since: Moment,
    /// The version in the present call of the sink.
    pub(super) sending: Option<u64>,
}

impl<K: Key, V> UnwrittenRows<K, V> {
    pub(super) fn new() -> Self {
        Self {
            rows: HashMap::new(),
            by_hash: HashMap::new(),
            last_id: 0,
            hashing: RandomState::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn contains_key(&self, key: &K) -> bool {
        self.id(key).is_some()
    }

    pub(super) fn get(&self, key: &K) -> Option<&UnwrittenRow<K, V>> {
        self.rows.get(&self.id(key)?)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut UnwrittenRow<K, V>> {
        let id = self.id(key)?;
        self.rows.get_mut(&id)
    }

    pub(super) fn of_id(&mut self, id: u64) -> Option<&mut UnwrittenRow<K, V>> {
        self.rows.get_mut(&id)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &UnwrittenRow<K, V>> {
        self.rows.values()
    }

    /// Adds a row for a key that has none, and returns its number. All code of the key runs first.
    pub(super) fn insert(&mut self, key: &K, (value, version): (Arc<V>, u64)) -> u64 {
        let (key, hash) = (Arc::new(key.clone()), self.hashing.hash_one(key));
        self.last_id += 1;
        let row = UnwrittenRow { key, hash, value, version, since: Moment::now(), sending: None };
        self.rows.insert(self.last_id, row);
        self.by_hash.entry(hash).or_default().push(self.last_id);
        self.last_id
    }

    /// Removes a row. Runs no code of the key or the value.
    pub(super) fn remove(&mut self, id: u64) -> Option<UnwrittenRow<K, V>> {
        let row = self.rows.remove(&id)?;
        if let Some(ids) = self.by_hash.get_mut(&row.hash) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_hash.remove(&row.hash);
            }
        }
        Some(row)
    }

    fn id(&self, key: &K) -> Option<u64> {
        let ids = self.by_hash.get(&self.hashing.hash_one(key))?;
        let is_of = |id: &u64| self.rows.get(id).is_some_and(|row| *row.key == *key);
        ids.iter().copied().find(is_of)
    }
}
