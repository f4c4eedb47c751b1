//! Removes entries from L1 that no longer count, by one walk for all reasons, in the background, in
//! slices.
//!
//! A read decides by itself whether an entry counts. The walk only frees memory, keeps the counts
//! true, and ends the wait of waiting patterns.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::clock::Moment;
use crate::key::{Key, Value};
use crate::l1::{Entry, WalkStats};
use crate::read::Core;
use crate::recorder::hash_of;

/// The longest time after which a reader that got an entry compares it with the patterns. Usually
/// it takes nanoseconds, but the reader's thread may be held up in between.
const READERS_COMPARE_WITHIN: Duration = Duration::from_millis(100);

/// An entry whose removal panicked may panic again.
const REST_AFTER_PANICS: Duration = Duration::from_secs(2);

impl<K: Key, V: Value> Core<K, V> {
    /// Empties L1 in one step: no present entry and no fill under way counts from now on.
    pub(crate) fn empty(&self) {
        // Every entry and fill with a smaller number also belongs to the old epoch.
        let number = self.fence.raise_tick();
        self.fence.raise_epoch();
        self.patterns.forget_upto(number);
        self.recorder.forget_all();
        self.node.shared().reclaim_soon();
    }

    pub(crate) fn has_to_reclaim(&self) -> bool {
        self.l1.sweep.is_due(Moment::now())
            || self.reclaimed.load(Ordering::Acquire) != self.fence.epoch()
            || self.patterns.is_any()
    }

    /// Walks over L1 and removes entries that have expired, are of an older epoch, or were
    /// overtaken by a pattern. If it is given up between two slices, it is due as before.
    pub(crate) async fn reclaim_l1(self: &Arc<Self>) {
        let epoch = self.fence.epoch();
        let patterns = self.patterns.settled_numbers();
        let mut sweeping = self.l1.sweep.begin();
        let walk = self.l1.walk(|key, entry| {
            if self.remove_dead(key, &entry) {
                sweeping.remove();
            } else {
                sweeping.leave(entry.kept_until);
            }
            // The last handle is gone, so the rest is dropped with the cache.
            match Arc::strong_count(self) {
                1 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        });
        let WalkStats { busy, n_panics } = walk.await;
        self.recorder.panics.add(n_panics);
        if n_panics > 0 && !patterns.is_empty() {
            // The entries that the walk skipped may match a pattern.
            self.empty_after_a_panic();
        }
        if !patterns.is_empty() {
            // A reader may have got an entry just before the walk removed it, and not have compared
            // it yet.
            tokio::time::sleep(READERS_COMPARE_WITHIN).await;
            self.patterns.walked(&patterns);
        }
        if n_panics == 0 {
            self.reclaimed.fetch_max(epoch, Ordering::Release);
        }
        sweeping.end(busy);
        self.recorder.contain(|| self.l1.upkeep());
        if self.has_to_reclaim() {
            // Walks take half a thread at most. Entries that become due meanwhile share the next
            // walk.
            let rest = if n_panics > 0 { busy.max(REST_AFTER_PANICS) } else { busy };
            tokio::time::sleep(rest).await;
        }
    }

    /// Removes the key if its entry no longer counts. Returns whether it counted when the walk saw
    /// it.
    fn remove_dead(&self, key: &K, entry: &Entry<V>) -> bool {
        let now = Moment::now();
        let is_dead = |entry: &Entry<V>| !entry.is_kept(now) || self.is_overtaken(key, entry);
        if !is_dead(entry) {
            return false;
        }
        // Checks again under the lock, since a fill may just be replacing the entry.
        let is_removed = self.fence.hold(key, || self.l1.remove_if(key, is_dead));
        if is_removed && entry.is_kept(now) {
            self.recorder.l1_removed.add(1);
            self.recorder.forget(hash_of(key));
        }
        true
    }
}
