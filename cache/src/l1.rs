use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use moka::notification::RemovalCause;
use strata_report::Cause;
use tokio::time::Instant;

use crate::pattern::Pattern;
use crate::recorder::Recorder;
use crate::{Key, clock};

/// An entry that leaves for size this soon was never admitted. Upkeep runs every 250 ms, so an
/// admitted entry that is displaced at once may be counted as refused: an estimate.
const REFUSED_WITHIN: Duration = Duration::from_millis(300);

/// What L1 keeps for a key.
pub(crate) struct Entry<V> {
    /// `None` is a remembered "not found".
    pub(crate) value: Option<Arc<V>>,
    pub(crate) loaded_at: Instant,
    pub(crate) filled_at: Instant,
    pub(crate) expires_at: Option<Instant>,
    pub(crate) epoch: u64,
    pub(crate) weight: u32,
}

impl<V> Clone for Entry<V> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), ..*self }
    }
}

/// How L1 is bounded.
pub(crate) enum Capacity<K, V> {
    Entries(u64),
    Weight { max_bytes: u64, weigher: Weigher<K, V> },
}

pub(crate) type Weigher<K, V> = Box<dyn Fn(&K, &V) -> u32 + Send + Sync>;

/// The level in the process: moka, bounded, and counted as entries leave.
pub(crate) struct L1<K, V> {
    moka: moka::sync::Cache<K, Entry<V>>,
    capacity: Capacity<K, V>,
}

impl<K: Key, V: Send + Sync + 'static> L1<K, V> {
    pub(crate) fn new(
        capacity: Capacity<K, V>,
        time_to_idle: Option<Duration>,
        recorder: Arc<Recorder>,
    ) -> Self {
        let listener = move |_, entry: Entry<V>, cause| recorder.eviction(why(cause, &entry));
        let mut builder =
            moka::sync::Cache::builder().expire_after(Deadline).eviction_listener(listener);
        if let Some(time_to_idle) = time_to_idle {
            builder = builder.time_to_idle(time_to_idle.min(clock::MAX_TIME_TO_LIVE));
        }
        builder = match &capacity {
            Capacity::Entries(max) => builder.max_capacity(*max),
            Capacity::Weight { max_bytes, .. } => {
                builder.max_capacity(*max_bytes).weigher(|_, entry: &Entry<V>| entry.weight)
            }
        };
        Self { moka: builder.build(), capacity }
    }

    pub(crate) fn get(&self, key: &K) -> Option<Entry<V>> {
        self.moka.get(key)
    }

    /// A get that a key known to be absent does not pay for and that moves no popularity.
    pub(crate) fn get_if_present(&self, key: &K) -> Option<Entry<V>> {
        self.moka.contains_key(key).then(|| self.moka.get(key)).flatten()
    }

    pub(crate) fn insert(&self, key: K, entry: Entry<V>) {
        self.moka.insert(key, entry);
    }

    /// Removes the key; says whether it was there.
    pub(crate) fn remove(&self, key: &K) -> bool {
        self.moka.remove(key).is_some()
    }

    /// Removes everything. Entries leave the counts at the next upkeep.
    pub(crate) fn remove_all(&self) {
        self.moka.invalidate_all();
    }

    /// The entry without moving its popularity or idle time. Walks L1, so for inspectors only.
    pub(crate) fn peek(&self, key: &K) -> Option<Entry<V>> {
        if !self.moka.contains_key(key) {
            return None;
        }
        self.moka.iter().find(|(present, _)| **present == *key).map(|(_, entry)| entry)
    }

    /// Every key that matches and whose entry passes `live`.
    pub(crate) fn matching<'a>(
        &'a self,
        pattern: &'a Pattern,
        live: impl Fn(&Entry<V>) -> bool + 'a,
    ) -> impl Iterator<Item = (Arc<K>, String)> + 'a {
        self.moka.iter().filter(move |(_, entry)| live(entry)).filter_map(|(key, _)| {
            let text = key.to_string();
            pattern.matches(&text).then_some((key, text))
        })
    }

    pub(crate) fn upkeep(&self) {
        self.moka.run_pending_tasks();
    }

    pub(crate) fn entry_count(&self) -> u64 {
        self.moka.entry_count()
    }

    pub(crate) fn weighted_size(&self) -> u64 {
        self.moka.weighted_size()
    }

    pub(crate) fn capacity(&self) -> &Capacity<K, V> {
        &self.capacity
    }

    pub(crate) fn weigh(&self, key: &K, value: &V) -> u32 {
        match &self.capacity {
            Capacity::Entries(_) => 1,
            Capacity::Weight { weigher, .. } => weigher(key, value),
        }
    }
}

/// Each entry brings its own deadline. moka would keep the old one on update by default.
struct Deadline;

impl<K: Hash + Eq, V> moka::Expiry<K, Entry<V>> for Deadline {
    fn expire_after_create(
        &self,
        _: &K,
        entry: &Entry<V>,
        _: std::time::Instant,
    ) -> Option<Duration> {
        entry.expires_at.map(|at| at.saturating_duration_since(entry.filled_at))
    }

    fn expire_after_update(
        &self,
        key: &K,
        entry: &Entry<V>,
        now: std::time::Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, entry, now)
    }
}

fn why<V>(cause: RemovalCause, entry: &Entry<V>) -> Cause {
    match cause {
        RemovalCause::Expired => Cause::Expired,
        RemovalCause::Explicit => Cause::Explicit,
        RemovalCause::Replaced => Cause::Replaced,
        RemovalCause::Size if entry.filled_at.elapsed() < REFUSED_WITHIN => Cause::Refused,
        RemovalCause::Size => Cause::Size,
    }
}
