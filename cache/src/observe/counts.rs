use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use moka::notification::RemovalCause;
use strata_report::{CacheReport, Settings};

use super::insert_times::InsertTimes;
use super::moka_cache::MokaCache;
use crate::clock::millis;
use crate::recorder::{
    Grouping, L1Size, Label, Lifetimes, Recorder, RecorderSettings, Recording, Removal,
    SAMPLED_ONE_IN,
};

/// The counters of one observed cache.
pub(super) struct ObservedCounts {
    pub(super) recorder: Recorder,
    pub(super) insert_times: InsertTimes,
    /// moka does not report an entry's weight, so each counts with the mean of all.
    mean_weight: AtomicU32,
    settings: Settings,
}

impl ObservedCounts {
    pub(super) fn new(policy: &moka::Policy) -> Self {
        let lifetimes =
            Lifetimes { time_to_live: policy.time_to_live(), time_to_idle: policy.time_to_idle() };
        let capacity = policy.max_capacity().unwrap_or(0);
        let bounds =
            RecorderSettings { capacity, lifetimes, misses_sampled_one_in: SAMPLED_ONE_IN };
        Self {
            recorder: Recorder::new(Recording::Everything, &Grouping::<()>::All, bounds),
            insert_times: InsertTimes::new(policy.max_capacity().unwrap_or(u64::MAX)),
            mean_weight: AtomicU32::new(1),
            settings: Settings {
                l1_time_to_live_ms: policy.time_to_live().map(millis),
                l1_time_to_idle_ms: policy.time_to_idle().map(millis),
                ..Settings::default()
            },
        }
    }

    /// Records an entry that was put in. Call it after moka has the entry, when the replaced one
    /// has left.
    pub(super) fn put(&self, hash: u64) {
        self.insert_times.put(hash);
        self.recorder.l1_put(Label::ungrouped(hash), 1);
    }

    pub(super) fn removal(&self, hash: u64, cause: RemovalCause) {
        let removal = Removal::new(cause, self.insert_times.take(hash), 1);
        self.recorder.l1_removal(Label::ungrouped(hash), removal);
    }

    pub(super) fn mean_weight(&self) -> u32 {
        self.mean_weight.load(Relaxed)
    }

    pub(super) async fn upkeep(&self, cache: &impl MokaCache) {
        let (entries, weight) = (cache.entry_count(), cache.weighted_size());
        if let Some(mean) = weight.checked_div(entries) {
            self.mean_weight.store(u32::try_from(mean).unwrap_or(u32::MAX).max(1), Relaxed);
        }
        // moka shows whether entries are weighed only once there are entries.
        let weight_max_bytes = cache.policy().max_capacity();
        let weight_bytes = Some(weight);
        let size = L1Size { entries, entries_max: None, weight_bytes, weight_max_bytes };
        self.recorder.upkeep(size).await;
    }

    pub(super) fn report(&self, name: &str, cache: &impl MokaCache) -> CacheReport {
        let (entries, weight) = (cache.entry_count(), cache.weighted_size());
        let max = cache.policy().max_capacity();
        let size = if entries == weight {
            L1Size { entries, entries_max: max, ..L1Size::default() }
        } else {
            let (weight_bytes, weight_max_bytes) = (Some(weight), max);
            L1Size { entries, entries_max: None, weight_bytes, weight_max_bytes }
        };
        let mut report = self.recorder.report(name, size, self.settings.clone());
        report.l1.put_bytes = None;
        report.invalidations.l1_removed = report.l1.evictions.explicit;
        for group in &mut report.groups.groups {
            (group.l1_entries, group.l1_weight_bytes) = (entries, size.weight_bytes);
        }
        report
    }
}

impl std::fmt::Debug for ObservedCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObservedCounts").finish_non_exhaustive()
    }
}
