//! How reports of several nodes are added up.

use crate::{
    Ages, CacheReport, Gets, Groups, Histogram, HotKeys, L1Report, LogHistogram, TagsReport, WhatIf,
};

impl CacheReport {
    pub(crate) fn drop_details(&mut self) {
        self.l2_put_bytes = LogHistogram::default();
        self.groups = Groups::default();
        (self.hot_keys, self.missed_keys, self.what_if) = (None, None, None);
        (self.l1.ages_ms, self.l1.put_bytes) = (Ages::default(), None);
    }

    /// Takes out how long things took since the nodes started. That something was counted stays.
    pub(crate) fn drop_latencies(&mut self) {
        let none = Histogram::default;
        (self.l1.gets.latency, self.l2_gets.latency) = (none(), none());
        (self.loads.success, self.loads.failure) = (none(), none());
    }

    /// Adds another node's report of the same cache. Settings stay those of the first.
    pub fn merge(&mut self, other: &Self) {
        self.outcomes += other.outcomes;
        self.l1.merge(&other.l1);
        self.l2_gets.merge(&other.l2_gets);
        self.l2_puts += other.l2_puts;
        self.l2_refused += other.l2_refused;
        self.l2_unreadable += other.l2_unreadable;
        self.l2_unfit += other.l2_unfit;
        self.panics += other.panics;
        self.gaps += other.gaps;
        self.tags.merge(&other.tags);
        self.loads.success.merge(&other.loads.success);
        self.loads.failure.merge(&other.loads.failure);
        self.loads.in_flight += other.loads.in_flight;
        self.loads.queued += other.loads.queued;
        self.loads.refused += other.loads.refused;
        self.invalidations.local += other.invalidations.local;
        self.invalidations.bus += other.invalidations.bus;
        self.invalidations.l1_removed += other.invalidations.l1_removed;
        self.invalidations.l2_removed += other.invalidations.l2_removed;
        self.l2_put_bytes.merge(&other.l2_put_bytes);
        self.groups.merge(&other.groups);
        merge(&mut self.hot_keys, other.hot_keys.as_ref(), HotKeys::merge);
        merge(&mut self.missed_keys, other.missed_keys.as_ref(), HotKeys::merge);
        merge(&mut self.what_if, other.what_if.as_ref(), WhatIf::merge);
    }
}

impl Gets {
    fn merge(&mut self, other: &Self) {
        self.hit += other.hit;
        self.miss += other.miss;
        self.latency.merge(&other.latency);
        self.sampled_one_in = self.sampled_one_in.max(other.sampled_one_in);
    }
}

impl L1Report {
    fn merge(&mut self, other: &Self) {
        self.entries += other.entries;
        self.entries_max = add(self.entries_max, other.entries_max);
        self.weight_bytes = add(self.weight_bytes, other.weight_bytes);
        self.weight_max_bytes = add(self.weight_max_bytes, other.weight_max_bytes);
        self.gets.merge(&other.gets);
        self.puts += other.puts;
        self.fenced += other.fenced;
        self.evictions += other.evictions;
        self.ages_ms.merge(&other.ages_ms);
        merge(&mut self.put_bytes, other.put_bytes.as_ref(), LogHistogram::merge);
    }
}

/// Adds what another node has to what this one may have.
fn merge<T: Clone>(mine: &mut Option<T>, theirs: Option<&T>, add: impl Fn(&mut T, &T)) {
    match (mine, theirs) {
        (Some(mine), Some(theirs)) => add(mine, theirs),
        (mine @ None, Some(theirs)) => *mine = Some(theirs.clone()),
        (_, None) => {}
    }
}

fn add(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.map(|a| a + b.unwrap_or(0)).or(b)
}

impl TagsReport {
    /// Adds what another node knows. Of Redis, which they share, what is more counts.
    pub fn merge(&mut self, other: &Self) {
        self.known += other.known;
        self.forgotten += other.forgotten;
        self.l2_known = self.l2_known.max(other.l2_known);
        self.l2_forgotten = self.l2_forgotten.max(other.l2_forgotten);
    }
}
