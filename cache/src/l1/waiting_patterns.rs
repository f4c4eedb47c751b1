//! Patterns that were invalidated and whose entries are still in L1.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::key::Key;
use crate::pattern::Pattern;
use crate::user_code::contained;

/// Patterns that have been invalidated and whose entries have not all been removed from L1 yet. The
/// entries no longer count from the moment that the pattern is added.
///
/// Each pattern has a number of the fence's tick, and each entry has the number from before its
/// fill began. A pattern overtakes the entries with a smaller number. These are numbers rather than
/// times, because clocks stand still in tests and may be coarse elsewhere.
#[derive(Debug, Default)]
pub(crate) struct WaitingPatterns {
    /// The largest number among them; 0 if no pattern waits.
    newest: AtomicU64,
    patterns: RwLock<Vec<WaitingPattern>>,
}

#[derive(Debug)]
pub(crate) struct WaitingPattern {
    number: u64,
    pattern: Pattern,
    /// Whether every fill that began before has been refused or is in L1, where a walk finds it.
    is_settled: bool,
}

/// There are too many patterns to compare each key with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

impl WaitingPatterns {
    /// The greatest number of patterns that a read compares its key with.
    pub(crate) const MAX: usize = 256;

    /// Whether a waiting pattern has overtaken an entry with this number. Usually no pattern waits,
    /// and this costs a read one comparison.
    #[inline]
    pub(crate) fn overtake(&self, key: &impl Key, number: u64) -> bool {
        number < self.newest.load(Ordering::Acquire) && self.match_any(key, number)
    }

    #[cold]
    fn match_any(&self, key: &impl Key, number: u64) -> bool {
        // A key that cannot be printed may match.
        let Some(text) = contained(|| key.to_string()) else { return true };
        let patterns = self.patterns.read().unwrap_or_else(PoisonError::into_inner);
        patterns.iter().any(|waiting| number < waiting.number && waiting.pattern.matches(&text))
    }

    /// Adds a pattern under the number that `next_number` returns. It is in force from now on. The
    /// caller must then refuse every fill that is under way and call [`settled`](Self::settled).
    pub(crate) fn add(
        &self,
        pattern: &Pattern,
        next_number: impl FnOnce() -> u64,
    ) -> Result<u64, TooMany> {
        let mut patterns = self.patterns.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = patterns.iter().position(|waiting| waiting.pattern == *pattern) {
            patterns.remove(same);
        }
        if patterns.len() >= Self::MAX {
            return Err(TooMany);
        }
        let number = next_number();
        patterns.push(WaitingPattern { number, pattern: pattern.clone(), is_settled: false });
        self.newest.fetch_max(number, Ordering::Release);
        Ok(number)
    }

    pub(crate) fn settled(&self, number: u64) {
        let mut patterns = self.patterns.write().unwrap_or_else(PoisonError::into_inner);
        for waiting in patterns.iter_mut().filter(|waiting| waiting.number == number) {
            waiting.is_settled = true;
        }
    }

    /// Whether a walk would have anything to do.
    pub(crate) fn is_any(&self) -> bool {
        !self.settled_numbers().is_empty()
    }

    /// The patterns for which a walk that begins now removes entries.
    pub(crate) fn settled_numbers(&self) -> Vec<u64> {
        if self.newest.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        let patterns = self.patterns.read().unwrap_or_else(PoisonError::into_inner);
        patterns.iter().filter(|waiting| waiting.is_settled).map(|waiting| waiting.number).collect()
    }

    /// Ends the wait of these patterns: no entry in L1 is left for them.
    pub(crate) fn walked(&self, numbers: &[u64]) {
        self.retain(|number| !numbers.contains(&number));
    }

    /// Forgets the patterns up to this number, whose entries no longer count for another reason.
    pub(crate) fn forget_upto(&self, number: u64) {
        self.retain(|other| other > number);
    }

    fn retain(&self, stays: impl Fn(u64) -> bool) {
        let mut patterns = self.patterns.write().unwrap_or_else(PoisonError::into_inner);
        patterns.retain(|waiting| stays(waiting.number));
        let newest = patterns.iter().map(|waiting| waiting.number).max();
        self.newest.store(newest.unwrap_or(0), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn a_pattern_overtakes_what_began_before_it_until_it_has_been_walked() {
        let waiting = WaitingPatterns::default();
        assert!(!waiting.overtake(&41_u64, 0));
        let number = waiting.add(&pattern("4*"), || 7).unwrap();
        assert!(waiting.overtake(&41_u64, 6));
        assert!(!waiting.overtake(&41_u64, 7), "its fill began later");
        assert!(!waiting.overtake(&51_u64, 6), "it does not match");
        waiting.settled(number);
        waiting.walked(&waiting.settled_numbers());
        assert!(!waiting.overtake(&41_u64, 6));
    }

    #[test]
    fn a_walk_takes_off_only_what_was_settled_before_it_began() {
        let waiting = WaitingPatterns::default();
        for (text, number) in [("1*", 1), ("2*", 2), ("3*", 3)] {
            waiting.add(&pattern(text), || number).unwrap();
        }
        waiting.settled(1);
        waiting.settled(2);
        let walk = waiting.settled_numbers();
        // The pattern comes again while the walk is under way, which has already passed some
        // entries.
        waiting.add(&pattern("2*"), || 4).unwrap();
        waiting.settled(4);
        waiting.walked(&walk);
        assert!(!waiting.overtake(&1_u64, 0));
        assert!(waiting.overtake(&2_u64, 3) && waiting.overtake(&3_u64, 0));
        assert_eq!(waiting.settled_numbers(), [4]);
    }

    #[test]
    fn no_more_wait_than_a_read_may_compare() {
        let waiting = WaitingPatterns::default();
        for number in 1..=WaitingPatterns::MAX as u64 {
            waiting.add(&pattern(&number.to_string()), || number).unwrap();
        }
        assert_eq!(waiting.add(&pattern("x"), || 999), Err(TooMany));
        waiting.add(&pattern("7"), || 1_000).unwrap();
        waiting.forget_upto(999);
        assert!(waiting.overtake(&7_u64, 999) && !waiting.overtake(&8_u64, 0));
    }
}
