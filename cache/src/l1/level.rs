//! moka with a bound, and the listener that counts entries that leave.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use moka::notification::RemovalCause;

use super::entry::Entry;
use super::slices;
use super::slices::WalkStats;
use super::sweep::Sweep;
use crate::clock;
use crate::clock::Moment;
use crate::key::Key;
use crate::recorder::{L1Size, Recorder, Removal};

/// How L1 is bounded.
pub(crate) enum Capacity<K, V> {
    Entries(u64),
    Weight { max_bytes: u64, weigher: Weigher<K, V> },
}

pub(crate) type Weigher<K, V> = Box<dyn Fn(&K, &V) -> u32 + Send + Sync>;

impl<K, V> Capacity<K, V> {
    /// In entries, or in bytes if entries are weighed.
    pub(crate) fn max(&self) -> u64 {
        match self {
            Self::Entries(max) | Self::Weight { max_bytes: max, .. } => *max,
        }
    }
}

/// The level in the process: moka with a bound. Counts the entries that leave.
pub(crate) struct L1<K, V> {
    moka: moka::sync::Cache<K, Entry<V>>,
    capacity: Capacity<K, V>,
    /// Whether moka evicts entries that were not read for a time.
    pub(crate) is_idled: bool,
    pub(crate) sweep: Sweep,
}

impl<K: Key, V: Send + Sync + 'static> L1<K, V> {
    pub(crate) fn new(
        capacity: Capacity<K, V>,
        time_to_idle: Option<Duration>,
        recorder: Arc<Recorder>,
    ) -> Self {
        let listener = move |key: Arc<K>, entry: Entry<V>, cause| {
            let counting = &recorder;
            // moka never again calls a listener that has panicked.
            recorder.contain(move || {
                let now = Moment::now();
                let age = now.since(entry.filled_at);
                // moka knows only of idle entries. Whatever removed this entry, it had already
                // expired.
                let cause = if entry.is_kept(now) { cause } else { RemovalCause::Expired };
                let removal = Removal::new(cause, Some(age), entry.weight);
                counting.l1_removal(entry.label, removal);
                counting.note_removal(&*key, removal);
            });
        };
        let mut builder = moka::sync::Cache::builder().eviction_listener(listener);
        let is_idled = time_to_idle.is_some();
        if let Some(time_to_idle) = time_to_idle {
            builder = builder.time_to_idle(time_to_idle.min(clock::MAX_TIME_TO_LIVE));
        }
        builder = match &capacity {
            Capacity::Entries(max) => builder.max_capacity(*max),
            Capacity::Weight { max_bytes, .. } => {
                builder.max_capacity(*max_bytes).weigher(|_, entry: &Entry<V>| entry.weight)
            }
        };
        Self { moka: builder.build(), capacity, is_idled, sweep: Sweep::new() }
    }

    /// The entry, even if it has expired.
    pub(crate) fn get(&self, key: &K) -> Option<Entry<V>> {
        self.moka.get(key)
    }

    /// A get that costs little if the key is absent, and then does not count for its popularity.
    pub(crate) fn get_if_present(&self, key: &K) -> Option<Entry<V>> {
        self.moka.contains_key(key).then(|| self.get(key)).flatten()
    }

    pub(crate) fn insert(&self, key: K, entry: Entry<V>) {
        let deadline = entry.kept_until;
        self.moka.insert(key, entry);
        self.sweep.expect(deadline);
    }

    /// Removes the key. Returns whether it had an entry that may still be used.
    pub(crate) fn remove(&self, key: &K) -> bool {
        self.moka.remove(key).is_some_and(|entry| entry.is_kept(Moment::now()))
    }

    /// Removes the key if its entry is `dead`, and returns whether it was. Call it only under the
    /// fence, since the entry that a walk saw may have been replaced.
    pub(crate) fn remove_if(&self, key: &K, dead: impl FnOnce(&Entry<V>) -> bool) -> bool {
        let is_dead = self.moka.get(key).is_some_and(|entry| dead(&entry));
        if is_dead {
            self.moka.invalidate(key);
        }
        is_dead
    }

    /// Returns the entry without prolonging its idle time. With a time to idle this walks L1 up to
    /// the key; without, it counts as one use.
    pub(crate) async fn peek(&self, key: &K) -> Option<Entry<V>> {
        if !self.is_idled || !self.moka.contains_key(key) {
            return self.get_if_present(key);
        }
        let mut found = None;
        self.walk(|present, entry| {
            if *present != *key {
                return ControlFlow::Continue(());
            }
            found = Some(entry);
            ControlFlow::Break(())
        })
        .await;
        found
    }

    /// Walks over every entry, fresh or not, in slices, without changing its popularity or idle
    /// time. Returns how long it was busy.
    ///
    /// moka collects the keys of a 64th of the cache at a time, which no slice can divide.
    pub(crate) async fn walk(
        &self,
        mut visit: impl FnMut(&K, Entry<V>) -> ControlFlow<()>,
    ) -> WalkStats {
        slices::walk(self.moka.iter(), |(key, entry)| visit(&key, entry)).await
    }

    /// Lets moka process insertions and removals since the last upkeep. Short unless entries must
    /// be evicted: its logs hold a few hundred steps.
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
            // moka never evicts an entry of weight 0.
            Capacity::Weight { weigher, .. } => weigher(key, value).max(1),
        }
    }
}
