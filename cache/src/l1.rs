use std::cell::Cell;
use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::Moment;
use crate::pattern::Pattern;
use crate::recorder::{L1Size, Recorder, Removal, Tag};
use crate::tags::Tagged;
use crate::{Key, clock};

/// What L1 keeps for a key.
pub(crate) struct Entry<V> {
    /// `None` is a remembered "not found".
    pub(crate) value: Option<Arc<V>>,
    pub(crate) loaded_at: Moment,
    pub(crate) filled_at: Moment,
    /// Until then a read is a hit.
    pub(crate) fresh_until: Moment,
    /// Until then it may stand in, stale, for a source that fails.
    pub(crate) kept_until: Moment,
    /// The source failed: until then nobody asks it again for this key.
    pub(crate) retry_at: Option<Moment>,
    /// It was invalidated softly: served stale while one refresh runs.
    pub(crate) soft: bool,
    pub(crate) epoch: u64,
    pub(crate) load_us: u32,
    /// Of the row; 0 is none.
    pub(crate) version: u64,
    pub(crate) tags: Option<Arc<Tagged>>,
    pub(crate) weight: u32,
    pub(crate) tag: Tag,
}

impl<V> Clone for Entry<V> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), tags: self.tags.clone(), ..*self }
    }
}

/// How L1 is bounded.
pub(crate) enum Capacity<K, V> {
    Entries(u64),
    Weight { max_bytes: u64, weigher: Weigher<K, V> },
}

pub(crate) type Weigher<K, V> = Box<dyn Fn(&K, &V) -> u32 + Send + Sync>;

impl<K, V> Capacity<K, V> {
    /// In entries, or in bytes where they are weighed.
    pub(crate) fn max(&self) -> u64 {
        match self {
            Self::Entries(max) | Self::Weight { max_bytes: max, .. } => *max,
        }
    }
}

/// The level in the process: moka, bounded, and counted as entries leave.
pub(crate) struct L1<K, V> {
    moka: moka::sync::Cache<K, Entry<V>>,
    capacity: Capacity<K, V>,
    /// Whether moka's clock, which no test can pause, is also ours.
    has_moka_clock: bool,
}

impl<K: Key, V: Send + Sync + 'static> L1<K, V> {
    pub(crate) fn new(
        capacity: Capacity<K, V>,
        time_to_idle: Option<Duration>,
        recorder: Arc<Recorder>,
    ) -> Self {
        let listener = move |_, entry: Entry<V>, cause| {
            let age = Moment::now().since(entry.filled_at);
            recorder.l1_removal(entry.tag, Removal::new(cause, Some(age), entry.weight));
        };
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
        Self { moka: builder.build(), capacity, has_moka_clock: clock::is_real() }
    }

    /// The entry, and the time at which it was got: moka has read the clock, and reading it once
    /// more would cost a tenth of a hit.
    pub(crate) fn get(&self, key: &K) -> Option<(Entry<V>, Moment)> {
        let entry = self.moka.get(key)?;
        let read_at = READ_AT.take().filter(|_| self.has_moka_clock);
        Some((entry, read_at.map_or_else(Moment::now, Moment::at)))
    }

    /// A get that a key known to be absent does not pay for and that moves no popularity.
    pub(crate) fn get_if_present(&self, key: &K) -> Option<Entry<V>> {
        self.moka.contains_key(key).then(|| self.get(key)).flatten().map(|(entry, _)| entry)
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

    pub(crate) fn size(&self) -> L1Size {
        let entries = self.moka.entry_count();
        match self.capacity {
            Capacity::Entries(max) => {
                L1Size { entries, entries_max: Some(max), ..L1Size::default() }
            }
            Capacity::Weight { max_bytes, .. } => L1Size {
                entries,
                entries_max: None,
                weight_bytes: Some(self.moka.weighted_size()),
                weight_max_bytes: Some(max_bytes),
            },
        }
    }

    pub(crate) fn capacity(&self) -> &Capacity<K, V> {
        &self.capacity
    }

    pub(crate) fn weigh(&self, key: &K, value: &V) -> u32 {
        match &self.capacity {
            Capacity::Entries(_) => 1,
            // moka never evicts what weighs nothing.
            Capacity::Weight { weigher, .. } => weigher(key, value).max(1),
        }
    }
}

thread_local! {
    /// When this thread's get in moka, which has just found an entry, read the clock.
    static READ_AT: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Each entry brings its own deadline. moka would keep the old one on update by default.
struct Deadline;

impl<K: Hash + Eq, V> moka::Expiry<K, Entry<V>> for Deadline {
    fn expire_after_create(
        &self,
        _: &K,
        entry: &Entry<V>,
        _: Instant,
    ) -> Option<Duration> {
        Some(entry.kept_until.since(Moment::now()))
    }

    fn expire_after_update(
        &self,
        key: &K,
        entry: &Entry<V>,
        now: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, entry, now)
    }

    /// Changes nothing: it only tells [`L1::get`] the time.
    fn expire_after_read(
        &self,
        _: &K,
        _: &Entry<V>,
        read_at: Instant,
        left: Option<Duration>,
        _: Instant,
    ) -> Option<Duration> {
        READ_AT.set(Some(read_at));
        left
    }
}
