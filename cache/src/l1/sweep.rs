//! When a walk for expired entries is due.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Moment;

/// Decides when a walk over L1 for expired entries is worth its cost.
///
/// A read decides by itself whether an entry has expired, so sweeping only frees memory and keeps
/// the counts true. moka could expire entries with a timer for each, but then each hit and each
/// entry would pay for it: an eighth more time for a bare get, and 50 bytes.
pub(crate) struct Sweep {
    /// The earliest deadline among the entries that came since the last walk or were left by it.
    next: AtomicU64,
    /// No walk begins before this moment.
    rests_until: AtomicU64,
}

impl Sweep {
    /// The shortest time between walks. Examining entries that stay also takes only a share of the
    /// time.
    const REST: Duration = Duration::from_secs(1);
    const REST_PER_WALK: f64 = 20.0;

    pub(crate) fn new() -> Self {
        Self { next: AtomicU64::new(u64::MAX), rests_until: AtomicU64::new(0) }
    }

    /// Records that L1 now has an entry with this deadline.
    pub(crate) fn expect(&self, deadline: Moment) {
        // Release here and Acquire in `begin`: a walk that resets this deadline sees the entry.
        self.next.fetch_min(deadline.as_nanos(), Ordering::Release);
    }

    pub(crate) fn is_due(&self, now: Moment) -> bool {
        let now = now.as_nanos();
        self.next.load(Ordering::Relaxed) <= now && self.rests_until.load(Ordering::Relaxed) <= now
    }

    /// Begins a walk, which reports the deadlines that it leaves.
    pub(crate) fn begin(&self) -> Sweeping<'_> {
        let before = self.next.swap(u64::MAX, Ordering::Acquire);
        Sweeping { sweep: self, before, next: u64::MAX, n_left: 0, n_removed: 0 }
    }
}

/// A walk under way. If it is dropped before its end, another one is due as before.
pub(crate) struct Sweeping<'a> {
    sweep: &'a Sweep,
    before: u64,
    next: u64,
    n_left: u64,
    n_removed: u64,
}

impl Sweeping<'_> {
    /// Records that an entry with this deadline stays.
    pub(crate) fn leave(&mut self, deadline: Moment) {
        self.next = self.next.min(deadline.as_nanos());
        self.n_left += 1;
    }

    /// Records that an entry is removed.
    pub(crate) fn remove(&mut self) {
        self.n_removed += 1;
    }

    /// Ends a walk that examined every entry and took `busy`.
    pub(crate) fn end(mut self, busy: Duration) {
        self.before = u64::MAX;
        let in_vain = self.n_left as f64 / (self.n_left + self.n_removed).max(1) as f64;
        let rest = Sweep::REST.max(busy.mul_f64(Sweep::REST_PER_WALK * in_vain));
        self.sweep.rests_until.store(Moment::now().after(rest).as_nanos(), Ordering::Relaxed);
    }
}

impl Drop for Sweeping<'_> {
    fn drop(&mut self) {
        self.sweep.next.fetch_min(self.before.min(self.next), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_walk_is_due_once_the_earliest_deadline_has_passed() {
        let sweep = Sweep::new();
        let start = Moment::now();
        assert!(!sweep.is_due(start.after(Duration::from_secs(99))), "nothing was put in");
        sweep.expect(start.after(Duration::from_secs(20)));
        sweep.expect(start.after(Duration::from_secs(10)));
        assert!(!sweep.is_due(start.after(Duration::from_secs(9))));
        assert!(sweep.is_due(start.after(Duration::from_secs(10))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_walk_is_due_again_for_what_it_left_and_after_a_rest() {
        let sweep = Sweep::new();
        let start = Moment::now();
        sweep.expect(start);
        let left = start.after(Duration::from_millis(1));
        let mut walk = sweep.begin();
        walk.leave(left);
        walk.end(Duration::ZERO);
        assert!(!sweep.is_due(left), "it rests");
        assert!(sweep.is_due(start.after(Duration::from_secs(3_600))));
        sweep.begin().end(Duration::ZERO);
        assert!(!sweep.is_due(start.after(Duration::from_secs(7_200))), "nothing is left");
    }

    #[tokio::test(start_paused = true)]
    async fn a_walk_that_removed_nothing_rests_longer_than_one_that_removed_all() {
        let sweep = Sweep::new();
        let (start, took) = (Moment::now(), Duration::from_secs(1));
        let mut walk = sweep.begin();
        walk.leave(start);
        walk.end(took);
        assert!(!sweep.is_due(start.after(took * 19)) && sweep.is_due(start.after(took * 21)));
        let mut walk = sweep.begin();
        walk.remove();
        walk.end(took);
        sweep.expect(start);
        assert!(sweep.is_due(start.after(took * 2)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_walk_that_is_given_up_is_due_as_before() {
        let sweep = Sweep::new();
        let start = Moment::now();
        sweep.expect(start);
        drop(sweep.begin());
        assert!(sweep.is_due(start));
    }
}
