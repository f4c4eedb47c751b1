use std::collections::HashSet;
use std::fmt::Display;
use std::hash::Hash;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use strata_report::{Origin, Outcome, Scope};

use super::counters::{Counter, GetsRecorder, HistogramRecorder, LogHistogramRecorder};
use super::events::Events;
use super::groups::{GroupCounts, Grouping};
use super::hot_keys::HotKeysRecorder;
use super::label::{Label, hash_of};
use super::settings::{L1Size, LoadEnded, RecorderSettings, Recording, Removal};
use super::what_if::WhatIfRecorder;
use crate::clock::millis;
use crate::user_code::contained;

/// This many entries suffice for the mean weight of all.
const ENOUGH_ENTRIES: u64 = 64;

/// Counts the events of one cache on one node. Never blocks and never fails; counters only grow.
pub(crate) struct Recorder {
    pub(super) groups: GroupCounts,
    pub(super) hot_keys: Option<HotKeysRecorder>,
    pub(super) what_if: Option<WhatIfRecorder>,
    pub(super) events: Option<Events>,
    pub(crate) l1_latency: HistogramRecorder,
    pub(crate) l2: GetsRecorder,
    pub(super) l1_puts: Counter,
    pub(crate) l1_fenced: Counter,
    pub(crate) l2_puts: Counter,
    pub(crate) l2_refused: Counter,
    pub(crate) l2_unreadable: Counter,
    pub(crate) l2_unfit: Counter,
    /// Panics of the keys' and values' own code.
    pub(crate) panics: Panics,
    /// How often only this cache may have missed an invalidation.
    pub(crate) gaps: Counter,
    pub(super) ages_ms: [LogHistogramRecorder; 5],
    pub(super) l1_put_bytes: LogHistogramRecorder,
    pub(crate) l2_put_bytes: LogHistogramRecorder,
    pub(super) loads_ok: HistogramRecorder,
    pub(super) loads_failed: HistogramRecorder,
    pub(super) loads_in_flight: AtomicU64,
    pub(super) invalidations: [[AtomicU64; Scope::ALL.len()]; 2],
    pub(crate) l1_removed: Counter,
    pub(crate) l2_removed: Counter,
}

impl Recorder {
    pub(crate) fn new<K>(
        recording: Recording,
        grouping: &Grouping<K>,
        bounds: RecorderSettings,
    ) -> Self {
        let is_full = recording == Recording::Everything;
        let what_if =
            is_full.then(|| WhatIfRecorder::new(bounds.capacity, bounds.lifetimes)).flatten();
        Self {
            groups: grouping.counts(),
            hot_keys: is_full.then(|| HotKeysRecorder::new(bounds.misses_sampled_one_in)),
            what_if,
            events: is_full.then(Events::default),
            l1_latency: HistogramRecorder::default(),
            l2: GetsRecorder::default(),
            l1_puts: Counter::default(),
            l1_fenced: Counter::default(),
            l2_puts: Counter::default(),
            l2_refused: Counter::default(),
            l2_unreadable: Counter::default(),
            l2_unfit: Counter::default(),
            panics: Panics::default(),
            gaps: Counter::default(),
            ages_ms: Default::default(),
            l1_put_bytes: LogHistogramRecorder::default(),
            l2_put_bytes: LogHistogramRecorder::default(),
            loads_ok: HistogramRecorder::default(),
            loads_failed: HistogramRecorder::default(),
            loads_in_flight: AtomicU64::default(),
            invalidations: Default::default(),
            l1_removed: Counter::default(),
            l2_removed: Counter::default(),
        }
    }

    pub(crate) fn label<K: Hash + Display>(&self, grouping: &Grouping<K>, key: &K) -> Label {
        Label::new(grouping.group(key, &self.groups), hash_of(key))
    }

    /// The name of the key's group.
    pub(crate) fn group_name(&self, label: Label) -> Option<String> {
        self.groups.name(label.group)
    }

    /// Records the outcome of a read, with the weight of the entry that answered it.
    pub(crate) fn outcome(&self, label: Label, outcome: Outcome, weight: Option<u32>) {
        self.groups.outcome(label.group, outcome);
        if let Some(what_if) = &self.what_if {
            what_if.read(label, weight);
        }
    }

    /// Records a sampled read of a key, by its hash.
    pub(crate) fn sampled(&self, hash: u64, text: impl FnOnce() -> String) {
        if let Some(hot_keys) = &self.hot_keys {
            hot_keys.sampled(hash, || self.text_of(text));
        }
    }

    /// Records a read that L1 could not answer, by its key's hash.
    pub(crate) fn missed(&self, hash: u64, text: impl FnOnce() -> String) {
        if let Some(hot_keys) = &self.hot_keys {
            hot_keys.missed(hash, || self.text_of(text));
        }
    }

    /// Records a sampled read that L1 could not answer.
    pub(crate) fn missed_sampled(&self, hash: u64, text: impl FnOnce() -> String) {
        if let Some(hot_keys) = &self.hot_keys {
            hot_keys.missed_sampled(hash, || self.text_of(text));
        }
    }

    /// Records an entry that was put into L1 without a read.
    pub(crate) fn written(&self, label: Label, weight: u32) {
        if let Some(what_if) = &self.what_if {
            what_if.write(label, weight);
        }
    }

    /// Records that a key was invalidated, by its hash.
    pub(crate) fn forget(&self, hash: u64) {
        if let Some(what_if) = &self.what_if {
            what_if.forget(Label::ungrouped(hash));
        }
    }

    /// Records that everything was invalidated.
    pub(crate) fn forget_all(&self) {
        if let Some(what_if) = &self.what_if {
            what_if.clear();
        }
    }

    pub(crate) fn l1_put(&self, label: Label, weight: u32) {
        self.l1_puts.add(1);
        self.groups.put(label.group, weight);
        self.l1_put_bytes.record(u64::from(weight));
    }

    pub(crate) fn l1_removal(&self, label: Label, removal: Removal) {
        self.groups.removal(label.group, removal.cause, removal.weight);
        if let Some(age) = removal.age {
            self.ages_ms[removal.cause as usize].record(millis(age));
        }
    }

    pub(crate) fn load_began(&self) {
        self.loads_in_flight.fetch_add(1, Relaxed);
    }

    pub(crate) fn load_ended(&self, took: Duration, ended: LoadEnded) {
        self.loads_in_flight.fetch_sub(1, Relaxed);
        match ended {
            LoadEnded::Answered => self.loads_ok.record(took),
            LoadEnded::Failed => self.loads_failed.record(took),
        }
    }
    /// Records a load that was dropped before it ended.
    pub(crate) fn load_dropped(&self) {
        self.loads_in_flight.fetch_sub(1, Relaxed);
    }

    /// Records a load that succeeded, once in each group of its keys.
    pub(crate) fn load_of(&self, labels: impl Iterator<Item = Label>, took: Duration) {
        let groups: HashSet<u8> = labels.map(|label| label.group).collect();
        groups.into_iter().for_each(|group| self.groups.load(group, took));
    }

    pub(crate) fn invalidation(&self, scope: Scope, origin: Origin) {
        self.invalidations[origin as usize][scope as usize].fetch_add(1, Relaxed);
    }

    /// Simulates the reads since the last upkeep.
    pub(crate) async fn upkeep(&self, size: L1Size) {
        if let Some(what_if) = &self.what_if {
            let outcomes = self.groups.outcomes();
            what_if.upkeep(outcomes.reads() - outcomes.bypassed, self.mean_weight(size)).await;
        }
    }

    /// The mean weight of an entry, if there are enough entries.
    fn mean_weight(&self, size: L1Size) -> Option<f64> {
        let Some(weight) = size.weight_bytes else { return Some(1.0) };
        let enough = size.entries >= ENOUGH_ENTRIES
            || size.weight_max_bytes.is_some_and(|max| weight > max / 2);
        (enough && size.entries > 0).then(|| weight as f64 / size.entries as f64)
    }
}

/// Replaces the text of a key that cannot be printed, in statistics only.
const NO_TEXT: &str = "(its text cannot be made)";

/// How often foreign code panicked.
#[derive(Default)]
pub(crate) struct Panics {
    n: AtomicU64,
}

impl Panics {
    pub(crate) fn add(&self, n: u64) {
        self.n.fetch_add(n, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.n.load(Relaxed)
    }
}

impl Recorder {
    /// Runs foreign code, or steps that call it. If it panics, counts that and returns `None`.
    /// State shared with the code must remain consistent if it stops half-way.
    pub(crate) fn contain<R>(&self, code: impl FnOnce() -> R) -> Option<R> {
        let answer = contained(code);
        if answer.is_none() {
            self.panics.add(1);
        }
        answer
    }

    /// The text of a key for statistics.
    pub(crate) fn text_of(&self, text: impl FnOnce() -> String) -> String {
        self.contain(text).unwrap_or_else(|| NO_TEXT.to_owned())
    }
}
