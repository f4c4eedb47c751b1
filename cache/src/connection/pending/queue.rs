//! Invalidations that Redis did not accept, in a bounded queue.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::pattern::Pattern;
use crate::target::Target;

/// An invalidation that could not reach L2.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PendingInvalidation {
    pub(crate) cache: String,
    pub(crate) target: Target,
    /// Where set, it removes only entries of this schema, of one key or all, that another node's
    /// invalidation left. That is not announced again.
    pub(crate) own_schema: Option<u16>,
}

impl PendingInvalidation {
    fn all(cache: &str) -> Self {
        Self { cache: cache.to_owned(), target: Target::All, own_schema: None }
    }

    /// Its pattern, if it has one.
    pub(crate) fn pattern(&self) -> Option<&Pattern> {
        if let Target::Pattern(pattern) = &self.target { Some(pattern) } else { None }
    }

    fn is_pattern(&self) -> bool {
        self.pattern().is_some()
    }

    fn shares_a_walk(&self, other: &Self) -> bool {
        self.is_pattern() && other.is_pattern() && self.cache == other.cache
    }

    /// Whether the two can be sent in one step, or in one walk.
    fn goes_with(&self, other: &Self) -> bool {
        let is_own_key =
            |one: &Self| one.own_schema.is_some() && matches!(one.target, Target::Key(_));
        let both_own = is_own_key(self) && is_own_key(other) && self.own_schema == other.own_schema;
        self.shares_a_walk(other) || both_own && self.cache == other.cache
    }
}

/// Invalidations that wait for L2 to come back: in order, without duplicates, bounded. If the queue
/// is full, or has many patterns of one cache, that cache's invalidations become one that empties
/// the whole cache. None is ever lost.
#[derive(Default)]
pub(crate) struct InvalidationQueue {
    order: VecDeque<PendingInvalidation>,
    present: HashSet<PendingInvalidation>,
    /// The invalidations that were taken out and are being sent.
    sending: Vec<PendingInvalidation>,
    /// How many queued invalidations each cache has.
    by_cache: HashMap<String, usize>,
    overflows: u64,
}

impl InvalidationQueue {
    pub(crate) const MAX: usize = 10_000;

    /// Patterns of one cache. Every key is compared with each of them.
    const MAX_PATTERNS: usize = 100;

    pub(crate) fn push(&mut self, pending: PendingInvalidation) {
        let all = PendingInvalidation::all(&pending.cache);
        if self.present.contains(&pending) || self.present.contains(&all) {
            return;
        }
        if (self.order.len() >= Self::MAX && pending != all) || self.has_many_like(&pending) {
            self.overflows += 1;
            return self.push(all);
        }
        if pending == all {
            self.order.retain(|other| other.cache != all.cache);
            self.present.retain(|other| other.cache != all.cache);
            self.by_cache.remove(&all.cache);
        }
        self.present.insert(pending.clone());
        *self.by_cache.entry(pending.cache.clone()).or_default() += 1;
        self.order.push_back(pending);
    }

    /// Whether an invalidation of this cache is not settled yet.
    pub(crate) fn has_any_of(&self, cache: &str) -> bool {
        self.by_cache.contains_key(cache) || self.sending.iter().any(|one| one.cache == cache)
    }

    /// How many invalidations are not settled yet.
    pub(crate) fn unsettled(&self) -> usize {
        self.order.len() + self.sending.len()
    }

    fn has_many_like(&self, pending: &PendingInvalidation) -> bool {
        pending.is_pattern()
            && self.order.iter().filter(|other| other.shares_a_walk(pending)).count()
                >= Self::MAX_PATTERNS
    }

    /// Takes out the oldest, and those that can be sent with it, as all patterns of a cache.
    pub(crate) fn pop(&mut self) -> Vec<PendingInvalidation> {
        let Some(oldest) = self.order.pop_front() else { return Vec::new() };
        let mut together = vec![oldest];
        if together[0].goes_with(&together[0]) {
            let oldest = together[0].clone();
            let (others, rest) = self.order.drain(..).partition(|other| other.goes_with(&oldest));
            self.order = rest;
            together.extend::<VecDeque<_>>(others);
        }
        for pending in &together {
            self.present.remove(pending);
            if let Some(n) = self.by_cache.get_mut(&pending.cache) {
                *n -= 1;
                if *n == 0 {
                    self.by_cache.remove(&pending.cache);
                }
            }
        }
        self.sending.clone_from(&together);
        together
    }

    /// Drops the invalidations popped last, which Redis has accepted.
    pub(crate) fn settle(&mut self) {
        self.sending.clear();
    }

    /// Puts the invalidations popped last, which Redis refused, behind all others, without
    /// duplicates.
    pub(crate) fn put_last(&mut self) {
        for pending in std::mem::take(&mut self.sending) {
            self.push(pending);
        }
    }

    /// Puts back the invalidations popped last, which could not be replayed, without duplicates.
    pub(crate) fn put_back(&mut self) {
        for pending in std::mem::take(&mut self.sending).into_iter().rev() {
            let all = PendingInvalidation::all(&pending.cache);
            if !self.present.contains(&all) && self.present.insert(pending.clone()) {
                *self.by_cache.entry(pending.cache.clone()).or_default() += 1;
                self.order.push_front(pending);
            }
        }
    }

    pub(crate) fn overflows(&self) -> u64 {
        self.overflows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> PendingInvalidation {
        PendingInvalidation {
            target: Target::key(n.to_string()),
            ..PendingInvalidation::all("users")
        }
    }

    fn pattern(cache: &str, n: usize) -> PendingInvalidation {
        let target = Target::Pattern(Pattern::prefix(&n.to_string()));
        PendingInvalidation { target, ..PendingInvalidation::all(cache) }
    }

    #[test]
    fn an_invalidation_waits_once_however_often_it_is_asked_for() {
        let mut queue = InvalidationQueue::default();
        queue.push(key(1));
        queue.push(key(1));
        assert_eq!(queue.unsettled(), 1);
    }

    #[test]
    fn a_full_queue_empties_whole_caches_rather_than_forget() {
        let mut queue = InvalidationQueue::default();
        for n in 0..=InvalidationQueue::MAX {
            queue.push(key(n));
        }
        assert_eq!((queue.unsettled(), queue.overflows()), (1, 1));
        queue.push(key(3));
        assert_eq!(queue.unsettled(), 1, "the whole cache covers the key");
        assert_eq!(queue.pop(), [PendingInvalidation::all("users")]);
    }

    #[test]
    fn patterns_of_one_cache_wait_for_one_walk() {
        let mut queue = InvalidationQueue::default();
        for pending in [key(1), pattern("users", 1), pattern("posts", 1), pattern("users", 2)] {
            queue.push(pending);
        }
        assert_eq!(queue.pop(), [key(1)]);
        let together = queue.pop();
        assert_eq!(together, [pattern("users", 1), pattern("users", 2)]);
        queue.put_back();
        assert_eq!((queue.unsettled(), queue.pop()), (3, together));
        assert_eq!(queue.pop(), [pattern("posts", 1)]);
        assert_eq!(queue.pop(), []);
    }

    #[test]
    fn many_patterns_of_one_cache_empty_it() {
        let mut queue = InvalidationQueue::default();
        queue.push(pattern("posts", 1));
        for n in 0..=InvalidationQueue::MAX_PATTERNS {
            queue.push(pattern("users", n));
        }
        assert_eq!(queue.pop(), [pattern("posts", 1)]);
        assert_eq!(queue.pop(), [PendingInvalidation::all("users")]);
        queue.settle();
        assert_eq!((queue.unsettled(), queue.overflows()), (0, 1));
    }

    #[test]
    fn an_invalidation_that_comes_again_while_it_is_replayed_is_replayed_again() {
        let mut queue = InvalidationQueue::default();
        queue.push(key(1));
        queue.pop();
        queue.push(key(1));
        assert_eq!(queue.unsettled(), 2);
        queue.put_back();
        assert_eq!(queue.unsettled(), 1, "one of the two is enough");
    }

    #[test]
    fn what_was_refused_goes_behind_the_others() {
        let mut queue = InvalidationQueue::default();
        queue.push(pattern("users", 1));
        queue.push(key(1));
        queue.pop();
        queue.put_last();
        assert_eq!(queue.pop(), [key(1)]);
        queue.settle();
        assert_eq!((queue.pop(), queue.unsettled()), (vec![pattern("users", 1)], 1));
    }

    #[test]
    fn a_cache_waits_until_the_last_of_its_invalidations_is_settled() {
        let mut queue = InvalidationQueue::default();
        queue.push(key(1));
        queue.push(pattern("posts", 1));
        assert!(queue.has_any_of("users") && queue.has_any_of("posts"));
        queue.pop();
        assert!(queue.has_any_of("users"), "it is being sent");
        queue.settle();
        assert!(!queue.has_any_of("users") && queue.has_any_of("posts"));
        queue.pop();
        queue.put_back();
        assert!(queue.has_any_of("posts"));
    }
}
