use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::rows::UnwrittenRow;
use super::state::State;
use crate::cache::Cache;
use crate::clock::Moment;
use crate::key::{Key, Value};
use crate::user_code::contained;
use crate::write_behind::row::WriteError;
use crate::write_behind::settings::FlushSettings;
use crate::write_behind::shared::{Control, WriteBehindCounts};

/// Unwritten values in the process. A key is unwritten until the source has its newest value and
/// the cache has dropped the value it had loaded before.
pub(crate) struct Memory<K, V> {
    pub(super) cache: Cache<K, V>,
    settings: FlushSettings,
    pub(super) control: Arc<Control>,
    pub(super) counts: Arc<WriteBehindCounts>,
    state: Mutex<State<K, V>>,
    pub(super) room: Notify,
}

/// The key has been written by now, or its value cannot be copied.
struct RowGone;

impl<K: Key, V: Value + Clone> Memory<K, V> {
    pub(crate) fn new(
        cache: Cache<K, V>,
        settings: FlushSettings,
        (control, counts): (Arc<Control>, Arc<WriteBehindCounts>),
    ) -> Self {
        let state = State::new();
        Self { cache, settings, control, counts, state: Mutex::new(state), room: Notify::new() }
    }

    /// Accepts the value and then puts it into both levels. There is no await before it is
    /// accepted.
    pub(crate) async fn try_write(
        self: &Arc<Self>,
        key: K,
        value: Arc<V>,
    ) -> Result<u64, WriteError> {
        let version = self.enqueue(&key, value)?;
        self.counts.accepted.add(1);
        self.publish(&key).await;
        Ok(version)
    }

    pub(crate) fn room(&self) -> &Notify {
        &self.room
    }

    pub(crate) fn unwritten(&self, key: &K) -> Option<(Arc<V>, Duration)> {
        let state = self.state();
        let unwritten = state.unwritten.get(key)?;
        Some((Arc::clone(&unwritten.value), Moment::now().since(unwritten.since)))
    }

    fn enqueue(&self, key: &K, value: Arc<V>) -> Result<u64, WriteError> {
        let mut state = self.state();
        // Checked under the lock, so that a drain sees every accepted write.
        if self.control.closing.is_cancelled() {
            return Err(WriteError::Closed);
        }
        let Some(unwritten) = state.unwritten.get(key) else {
            if state.unwritten.len() + state.aside.len() >= self.settings.capacity {
                return Err(WriteError::Full { capacity: self.settings.capacity });
            }
            return Ok(self.insert(&mut state, key, value));
        };
        if unwritten.sending != Some(unwritten.version) {
            self.counts.coalesced.add(1);
        }
        let version = state.next_version();
        let mut older = None;
        if let Some(unwritten) = state.unwritten.get_mut(key) {
            unwritten.version = version;
            older = Some(std::mem::replace(&mut unwritten.value, value));
        }
        // Values may panic when they are dropped.
        drop(state);
        contained(|| drop(older));
        Ok(version)
    }

    pub(super) fn insert(&self, state: &mut State<K, V>, key: &K, value: Arc<V>) -> u64 {
        let version = state.next_version();
        let id = state.unwritten.insert(key, (value, version));
        state.untaken.push_back(id);
        if state.untaken.len() >= self.settings.max_batch {
            self.control.wake.notify_one();
        }
        version
    }

    /// Puts the newest unwritten value into both levels, so that other nodes drop older ones. The
    /// value is read after the key's lease is taken, so that of two writers the later one wins.
    pub(super) async fn publish(self: &Arc<Self>, key: &K) {
        let (memory, newest) = (Arc::clone(self), key.clone());
        let value = async move {
            let (value, _) = memory.unwritten(&newest).ok_or(RowGone)?;
            // A value that cannot be copied is invalidated instead.
            contained(|| V::clone(&value)).ok_or(RowGone)
        };
        let _: Result<_, RowGone> = self.cache.write_through(key, value).await;
    }

    /// All values that the source does not have, which are left when the process ends. Values that
    /// cannot be copied are left out.
    pub(crate) fn left(&self) -> Vec<(K, V)> {
        let state = self.state();
        let copy = |row: &UnwrittenRow<K, V>| (K::clone(&row.key), V::clone(&row.value));
        state.unwritten.values().filter_map(|row| contained(|| copy(row))).collect()
    }

    pub(crate) fn gauges(&self) -> (u64, u64, Option<Duration>) {
        let state = self.state();
        let oldest = state.unwritten.values().map(|unwritten| unwritten.since).min();
        let age = oldest.map(|since| Moment::now().since(since));
        (state.unwritten.len() as u64, state.aside.len() as u64, age)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
