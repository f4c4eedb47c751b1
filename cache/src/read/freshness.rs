//! What an entry in L1 may be used for: a hit, a stale answer, or nothing.

use super::cache_core::Core;
use crate::bus::COUNTS_FOR;
use crate::clock::Moment;
use crate::key::{Key, Value};
use crate::l1::Entry;

impl<K: Key, V: Value> Core<K, V> {
    /// What an entry in L1 may be used for.
    pub(crate) fn freshness(&self, key: &K, entry: &Entry<V>, now: Moment) -> Freshness {
        let has_stale_tag = || entry.tags.as_ref().is_some_and(|tags| !tags.holds());
        if self.is_overtaken(key, entry) || has_stale_tag() {
            return Freshness::Unusable;
        }
        if now < entry.fresh_until {
            match self.is_trusted(entry, now) {
                true => return Freshness::Fresh,
                false if self.policy.grace.is_zero() => return Freshness::Unusable,
                false => {}
            }
        }
        match entry.retry_at {
            _ if now >= entry.kept_until => Freshness::Unusable,
            _ if entry.soft && !self.is_trusted(entry, now) => Freshness::Unusable,
            Some(at) if now < at => Freshness::Failing,
            _ if entry.soft => Freshness::Soft,
            _ => Freshness::Stale,
        }
    }

    /// Whether its cache was emptied, or a pattern that matches it invalidated, since its fill
    /// began.
    pub(crate) fn is_overtaken(&self, key: &K, entry: &Entry<V>) -> bool {
        // The order matters: when the cache is emptied, the epoch is raised before patterns are
        // forgotten.
        self.patterns.overtake(key, entry.tick) || entry.epoch != self.fence.epoch()
    }

    /// While the bus is silent an entry counts only for a short time after its fill.
    fn is_trusted(&self, entry: &Entry<V>, now: Moment) -> bool {
        self.l2.is_none()
            || self.node.shared().bus_reader().trust().holds(now)
            || now.since(entry.filled_at) < COUNTS_FOR
    }

    pub(crate) fn is_fresh(&self, key: &K, entry: &Entry<V>) -> bool {
        self.freshness(key, entry, Moment::now()) == Freshness::Fresh
    }

    /// Whether a fresh entry should be refreshed before it expires, by XFetch. The probability
    /// grows as the deadline nears and with the cost of the load (Vattani, Chierichetti,
    /// Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015).
    pub(crate) fn refresh_is_due(&self, entry: &Entry<V>, now: Moment) -> bool {
        let beta = self.policy.refresh_ahead;
        if beta <= 0.0 {
            return false;
        }
        // Plain numbers, since every hit pays for this.
        let left_us = entry.fresh_until.micros_since(now) as f64;
        let scale_us = f64::from(entry.load_us) * beta;
        // Beyond 20 times the scale the chance is below 1 in 10^8, which is not worth a logarithm.
        left_us < scale_us * 20.0
            && entry.retry_at.is_none_or(|at| now >= at)
            && scale_us * -rand::random::<f64>().max(f64::MIN_POSITIVE).ln() >= left_us
    }
}

/// What an entry in L1 may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// A hit.
    Fresh,
    /// Served stale while one refresh runs.
    Soft,
    /// Served stale without asking the source, which has just failed.
    Failing,
    /// Stands in if the source fails or is slow.
    Stale,
    /// It no longer counts.
    Unusable,
}
