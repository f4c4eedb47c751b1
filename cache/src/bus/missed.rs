//! Which caches' messages a gap may have lost.

use std::collections::{HashMap, HashSet};

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, pipe};

use crate::connection::Bus;

/// The field for the last number that was recorded per cache. No cache can have such a name.
const RECORDED: &str = "#";

/// The field for the last number given out by a node that does not record it.
const UNRECORDED: &str = "*";

/// The caches whose messages were or may have been missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missed {
    Any,
    /// Only the messages of these caches.
    Of(HashSet<String>),
}

impl Missed {
    pub(crate) fn of(cache: &str) -> Self {
        Self::Of(HashSet::from([cache.to_owned()]))
    }

    pub(crate) fn is_of(&self, cache: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Of(caches) => caches.contains(cache),
        }
    }
}

/// The number of each cache's last message, as Redis stores it.
#[derive(Debug)]
pub(crate) struct LastNumbers {
    sequence: u64,
    last: HashMap<String, u64>,
}

impl LastNumbers {
    pub(crate) async fn read(
        bus: &Bus,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<Self> {
        // This order needs no transaction, and Redis accepts none while its memory is full. A
        // message that arrives in between raises a number and cannot hide one.
        let (sequence, last): (Option<u64>, HashMap<String, u64>) = pipe()
            .get(bus.sequence())
            .cmd("HGETALL")
            .arg(bus.last())
            .query_async(connection)
            .await?;
        Ok(Self { sequence: sequence.unwrap_or(0), last })
    }

    /// The caches that had messages after this number.
    pub(crate) fn after(&self, seen: u64) -> Missed {
        let number = |field: &str| self.last.get(field).copied();
        let are_recorded = number(RECORDED).is_some_and(|last| last >= self.sequence);
        if self.sequence < seen || !are_recorded || number(UNRECORDED).is_none_or(|n| n > seen) {
            return Missed::Any;
        }
        let is_cache = |name: &str| name != RECORDED && name != UNRECORDED;
        let caches = self.last.iter().filter(|(name, last)| is_cache(name) && **last > seen);
        Missed::Of(caches.map(|(name, _)| name.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seen: u64, sequence: u64, last: &[(&str, u64)]) -> Missed {
        let last = last.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
        LastNumbers { sequence, last }.after(seen)
    }

    #[test]
    fn a_cache_has_missed_nothing_whose_last_message_was_seen() {
        let last = [("#", 90), ("*", 10), ("users", 90), ("posts", 40), ("tags", 41)];
        let missed = after(40, 90, &last);
        assert!(missed.is_of("users") && missed.is_of("tags"));
        assert!(!missed.is_of("posts") && !missed.is_of("another"));
    }

    #[test]
    fn a_message_that_nobody_recorded_may_be_of_any_cache() {
        assert_eq!(after(40, 90, &[("#", 90), ("*", 41), ("users", 90)]), Missed::Any);
        assert_eq!(after(40, 91, &[("#", 90), ("*", 10), ("users", 90)]), Missed::Any);
    }

    #[test]
    fn where_redis_has_lost_the_numbers_any_cache_may_have_missed_something() {
        assert_eq!(after(40, 90, &[]), Missed::Any);
        assert_eq!(after(40, 90, &[("#", 90), ("users", 90)]), Missed::Any);
    }

    #[test]
    fn numbers_that_fell_may_hide_a_message_of_any_cache() {
        assert_eq!(after(40, 30, &[("#", 30), ("*", 10), ("users", 30)]), Missed::Any);
    }
}
