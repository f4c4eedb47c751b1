//! A node's answers to a console: looks, listings, events, Redis's own numbers, journals.

use std::collections::HashSet;
use std::time::Duration;

use strata_report::{Effect, EntryLook, KeyRow, L2Look, RedisServer, RedisState};

use super::census::{L2Census, L2Count, LONGEST};
use super::journal::Journal;
use crate::error::CacheError;
use crate::l1::{L1List, L1Survey};
use crate::l2::{L2Head, L2Match, SCAN_COUNT};
use crate::node::{Node, Shared};
use crate::pattern::Pattern;
use crate::recorder::CacheEvents;

impl Node {
    /// About how many keys of Redis a step of [`Node::scan_l2`] passes, whether they match or not.
    pub const KEYS_A_SCAN: u64 = SCAN_COUNT as u64;

    /// Fresh keys of this node's L1 that match: their number, and the first of them by name. Walks
    /// L1 in slices, so other tasks go on meanwhile. Does not change popularity or idle times.
    ///
    /// # Errors
    /// If there is no such cache.
    pub async fn list_l1(
        &self,
        cache: &str,
        list: &L1List<'_>,
    ) -> Result<(u64, Vec<KeyRow>), CacheError> {
        Ok(self.cache(cache)?.list_l1(list).await)
    }

    /// The given keys that have a fresh entry in this node's L1. Walks L1 in slices.
    ///
    /// # Errors
    /// If there is no such cache.
    pub async fn among_l1(&self, cache: &str, keys: &[String]) -> Result<Vec<KeyRow>, CacheError> {
        let keys: HashSet<&str> = keys.iter().map(String::as_str).collect();
        Ok(self.cache(cache)?.among_l1(&keys).await)
    }

    /// When entries of this node's L1 expire and how large they are. Walks L1 in slices.
    ///
    /// # Errors
    /// If there is no such cache.
    pub async fn survey_l1(&self, cache: &str) -> Result<L1Survey, CacheError> {
        Ok(self.cache(cache)?.survey_l1().await)
    }

    /// One step of a walk over L2: the matching keys, and the cursor of the next step. A walk
    /// begins and ends with cursor 0. `None` if L2 is off or cannot be asked.
    ///
    /// # Errors
    /// If there is no such cache.
    pub async fn scan_l2(
        &self,
        cache: &str,
        pattern: &Pattern,
        cursor: u64,
    ) -> Result<Option<(u64, Vec<String>)>, CacheError> {
        let cache = self.cache(cache)?;
        let Some(keyspace) = cache.keyspace() else { return Ok(None) };
        Ok(keyspace.step(pattern, cursor).await.ok())
    }

    /// Facts about keys in L2 without reading their values, in the order of `keys`; `None` for a
    /// key without an entry. The whole is `None` if L2 is off or cannot be asked.
    ///
    /// # Errors
    /// If there is no such cache.
    pub async fn heads_l2(
        &self,
        cache: &str,
        keys: &[String],
    ) -> Result<Option<Vec<Option<L2Head>>>, CacheError> {
        let cache = self.cache(cache)?;
        let Some(keyspace) = cache.keyspace() else { return Ok(None) };
        Ok(keyspace.heads(keys).await.ok())
    }

    /// The name of a key's group; `None` if the text is not a key.
    ///
    /// # Errors
    /// If there is no such cache.
    pub fn group_of(&self, cache: &str, key: &str) -> Result<Option<String>, CacheError> {
        Ok(self.cache(cache)?.group_of(key))
    }

    /// The events of a cache's keys on this node after a position in its stream. 0 starts at the
    /// first event that is kept.
    ///
    /// # Errors
    /// If there is no such cache.
    pub fn events_after(&self, cache: &str, seq: u64) -> Result<CacheEvents, CacheError> {
        Ok(self.shared().named(self.cache(cache)?.events_after(seq), cache))
    }

    /// The events of one key on this node, as far back as they are kept.
    ///
    /// # Errors
    /// If there is no such cache.
    pub fn events_of(&self, cache: &str, key: &str) -> Result<CacheEvents, CacheError> {
        let mut events = self.shared().named(self.cache(cache)?.events_of(key), cache);
        for event in &mut events.events {
            event.key = Some(key.to_owned());
        }
        Ok(events)
    }

    /// Marks one key as stale on every level and node, as
    /// [`Cache::invalidate_softly`](crate::Cache::invalidate_softly) does.
    ///
    /// # Errors
    /// If there is no such cache, it is only observed, or the text is not a key of it.
    pub async fn mark_stale(&self, cache: &str, key: &str) -> Result<Effect, CacheError> {
        Ok(self.cache(cache)?.mark_stale_text(key)?.await)
    }

    /// Removes one key from this node's L1 only. Its next read takes the entry from L2, or loads.
    /// Returns whether the key was there.
    ///
    /// # Errors
    /// If there is no such cache, it is only observed, or the text is not a key of it.
    pub fn drop_from_l1(&self, cache: &str, key: &str) -> Result<bool, CacheError> {
        self.cache(cache)?.drop_text(key)
    }

    /// Redis's statistics about itself, including its slow log. `None` if Redis is off or cannot be
    /// asked.
    pub async fn redis_server(&self) -> Option<RedisServer> {
        self.shared().link()?.server().await.ok()
    }

    /// Appends lines to a journal in Redis. Returns whether they are stored.
    pub async fn append(&self, journal: Journal<'_>, lines: &[String]) -> bool {
        match self.shared().link() {
            Some(link) => link.append(self.shared().namespace(), journal, lines).await.is_ok(),
            None => false,
        }
    }

    /// Appends a line to a journal in Redis that is of this time, milliseconds since the epoch. Does
    /// nothing if the newest line is of that time or later: of several that would write a line of the
    /// same time, the first does. Returns whether it is stored.
    pub async fn append_at(&self, journal: Journal<'_>, at_ms: u64, line: &str) -> bool {
        match self.shared().link() {
            Some(link) => {
                let line = (at_ms, line);
                let appended = link.append_at(self.shared().namespace(), journal, line).await;
                appended.unwrap_or(false)
            }
            None => false,
        }
    }

    /// The newest lines of a journal, newest first. `None` if Redis is off or cannot be asked.
    pub async fn journal(&self, journal: Journal<'_>) -> Option<Vec<String>> {
        let link = self.shared().link()?;
        link.newest(self.shared().namespace(), journal).await.ok()
    }
}

impl Shared {
    /// Events that say of which node and cache they are.
    pub(crate) fn named(&self, mut events: CacheEvents, cache: &str) -> CacheEvents {
        for event in &mut events.events {
            self.id().clone_into(&mut event.node);
            cache.clone_into(&mut event.cache);
        }
        events
    }
}

impl Node {
    /// One key in this node's L1. If the cache has a time to idle, this walks L1 in slices up to
    /// the key, so as not to prolong its life. Otherwise the look counts as one use.
    ///
    /// # Errors
    /// If there is no such cache, or the text is not a key of it.
    pub async fn look_l1(&self, cache: &str, key: &str) -> Result<Option<EntryLook>, CacheError> {
        let cache = self.cache(cache)?;
        Ok(cache.look_l1(key)?.await)
    }

    /// A value of a cache, as JSON, as changed by [`redact`](crate::CacheBuilder::redact). `None`
    /// if it is hidden, as by [`opaque`](crate::CacheBuilder::opaque).
    ///
    /// # Errors
    /// If there is no such cache.
    pub fn shown(&self, cache: &str, value: String) -> Result<Option<String>, CacheError> {
        Ok(self.cache(cache)?.shown(value))
    }

    /// One key in L2, under this node's schema. `None` if L2 is off or cannot be asked.
    ///
    /// # Errors
    /// If there is no such cache, or the text is not a key of it.
    pub async fn look_l2(&self, cache: &str, key: &str) -> Result<Option<L2Look>, CacheError> {
        Ok(self.cache(cache)?.look_l2(key)?.await)
    }

    /// Keys in this node's L1 that match: their number, and `limit` of them. Walks L1 in slices.
    ///
    /// # Errors
    /// If there is no such cache.
    pub async fn match_l1(
        &self,
        cache: &str,
        pattern: &Pattern,
        limit: usize,
    ) -> Result<(u64, Vec<String>), CacheError> {
        Ok(self.cache(cache)?.match_l1(pattern, limit).await)
    }

    /// Keys in L2 that match, found by SCAN: their number, and the first `limit` of them. `None` if
    /// L2 is off or cannot be asked. A key under two schemas counts twice and is listed once. SCAN
    /// may count a key twice while Redis resizes.
    ///
    /// # Errors
    /// If there is no such cache.
    pub async fn match_l2(
        &self,
        cache: &str,
        pattern: &Pattern,
        limit: usize,
    ) -> Result<Option<(u64, Vec<String>)>, CacheError> {
        let found = self.match_l2_within(cache, pattern, limit, Duration::MAX).await?;
        Ok(found.map(|found| (found.n_keys, found.keys)))
    }

    /// As [`match_l2`](Self::match_l2), but ends after about this time and reports whether it
    /// examined all keys. Redis may hold millions of other applications' keys, which SCAN passes
    /// too.
    ///
    /// # Errors
    /// If there is no such cache.
    pub async fn match_l2_within(
        &self,
        cache: &str,
        pattern: &Pattern,
        limit: usize,
        within: Duration,
    ) -> Result<Option<L2Match>, CacheError> {
        let cache = self.cache(cache)?;
        let Some(keyspace) = cache.keyspace() else {
            return Ok(None);
        };
        Ok(keyspace.matching(pattern, limit, within).await.ok())
    }

    /// The state of Redis. `configured: false` if the node has no Redis.
    pub async fn redis_state(&self) -> RedisState {
        match self.shared().link() {
            Some(link) => link.redis_state().await,
            None => RedisState::default(),
        }
    }

    /// Counts the keys of every cache of the namespace in L2 by one paced SCAN, and estimates their
    /// size in bytes from a sample: `(cache, entries, weight_bytes)`. Entries of every schema
    /// count. Caches without keys and this node's structures are left out. `None` if L2 cannot be
    /// asked, or if the count takes longer than a minute.
    pub async fn count_l2(&self) -> Option<Vec<(String, u64, u64)>> {
        let link = self.shared().link()?;
        let within = (None, LONGEST);
        let census = link.census(self.shared().namespace(), within).await.ok()?;
        let mut counts = census.counts;
        if census.given_up_after.is_some() {
            return None;
        }
        counts.retain(|count| !self.shared().has_structures(&count.cache));
        let parts = |count: L2Count| (count.cache, count.entries, count.weight_bytes);
        Some(counts.into_iter().map(parts).collect())
    }

    /// As [`count_l2`](Self::count_l2), but counts only if no other node of the namespace is
    /// counting or has just counted; otherwise it returns that node's result. For callers that ask
    /// repeatedly. `None` before the first count, and if L2 cannot be asked. A count that takes
    /// longer than a minute is given up, and the result says how far it came.
    pub async fn census_l2(&self) -> Option<L2Census> {
        self.census_l2_within(LONGEST).await
    }

    /// As [`census_l2`](Self::census_l2), but gives up after this time.
    pub async fn census_l2_within(&self, within: Duration) -> Option<L2Census> {
        let link = self.shared().link()?;
        let mut census = link.census_in_turn(self.shared().bus(), within).await.ok()??;
        census.counts.retain(|count| !self.shared().has_structures(&count.cache));
        Some(census)
    }
}
