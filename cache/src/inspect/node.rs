//! What a node answers a console: looks, listings, events, Redis's own numbers, journals.

use std::collections::HashSet;
use std::time::Duration;

use strata_report::{Effect, EntryLook, KeyRow, L2Look, RedisServer, RedisState};

use super::census::{L2Census, L2Count, LONGEST};
use super::journal::Journal;
use crate::error::CacheError;
use crate::l1::{L1List, L1Survey};
use crate::l2::{L2Head, L2Match};
use crate::node::Node;
use crate::pattern::Pattern;
use crate::recorder::CacheEvents;

impl Node {
    /// Fresh keys of this node's L1 that match: how many in all, and the first of them by name.
    /// Walks L1 in slices, without touching popularity or idle times; other tasks go on meanwhile.
    ///
    /// # Errors
    /// When there is no such cache.
    pub async fn list_l1(
        &self,
        cache: &str,
        list: &L1List<'_>,
    ) -> Result<(u64, Vec<KeyRow>), CacheError> {
        Ok(self.cache(cache)?.list_l1(list).await)
    }

    /// Those of the keys that lie, fresh, in this node's L1. Walks L1 in slices.
    ///
    /// # Errors
    /// When there is no such cache.
    pub async fn among_l1(&self, cache: &str, keys: &[String]) -> Result<Vec<KeyRow>, CacheError> {
        let keys: HashSet<&str> = keys.iter().map(String::as_str).collect();
        Ok(self.cache(cache)?.among_l1(&keys).await)
    }

    /// When entries of this node's L1 expire and how large they are. Walks L1 in slices.
    ///
    /// # Errors
    /// When there is no such cache.
    pub async fn survey_l1(&self, cache: &str) -> Result<L1Survey, CacheError> {
        Ok(self.cache(cache)?.survey_l1().await)
    }

    /// One step of a walk over L2: keys that match, and where to go on; 0 is the end, and where
    /// to begin. `None` where L2 is off or cannot be asked.
    ///
    /// # Errors
    /// When there is no such cache.
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

    /// What is known of keys in L2 without reading their values, in the order of `keys`; a key
    /// without an entry has none. `None` where L2 is off or cannot be asked.
    ///
    /// # Errors
    /// When there is no such cache.
    pub async fn heads_l2(
        &self,
        cache: &str,
        keys: &[String],
    ) -> Result<Option<Vec<Option<L2Head>>>, CacheError> {
        let cache = self.cache(cache)?;
        let Some(keyspace) = cache.keyspace() else { return Ok(None) };
        Ok(keyspace.heads(keys).await.ok())
    }

    /// The name of a key's group; `None` where the text is no key.
    ///
    /// # Errors
    /// When there is no such cache.
    pub fn group_of(&self, cache: &str, key: &str) -> Result<Option<String>, CacheError> {
        Ok(self.cache(cache)?.group_of(key))
    }

    /// What happened to a cache's keys on this node after a place in its stream; 0 is from the
    /// first that is kept.
    ///
    /// # Errors
    /// When there is no such cache.
    pub fn events_after(&self, cache: &str, seq: u64) -> Result<CacheEvents, CacheError> {
        Ok(self.named(self.cache(cache)?.events_after(seq), cache))
    }

    /// What happened to one key on this node, as far back as is kept.
    ///
    /// # Errors
    /// When there is no such cache.
    pub fn events_of(&self, cache: &str, key: &str) -> Result<CacheEvents, CacheError> {
        let mut events = self.named(self.cache(cache)?.events_of(key), cache);
        for event in &mut events.events {
            event.key = Some(key.to_owned());
        }
        Ok(events)
    }

    /// Marks one key as stale on every level and node, as
    /// [`Cache::invalidate_softly`](crate::Cache::invalidate_softly) does.
    ///
    /// # Errors
    /// When there is no such cache, it is only observed, or the text is no key of it.
    pub async fn mark_stale(&self, cache: &str, key: &str) -> Result<Effect, CacheError> {
        Ok(self.cache(cache)?.mark_stale_text(key)?.await)
    }

    /// Removes one key from this node's L1 alone: its next read takes what L2 holds, or loads. Says
    /// whether it was there.
    ///
    /// # Errors
    /// When there is no such cache, it is only observed, or the text is no key of it.
    pub fn drop_from_l1(&self, cache: &str, key: &str) -> Result<bool, CacheError> {
        self.cache(cache)?.drop_text(key)
    }

    /// What Redis counts about itself, its slow log included; `None` where it is off or cannot be
    /// asked.
    pub async fn redis_server(&self) -> Option<RedisServer> {
        self.shared().link()?.server().await.ok()
    }

    /// Appends lines to a journal in Redis; says whether they are there.
    pub async fn append(&self, journal: Journal<'_>, lines: &[String]) -> bool {
        match self.shared().link() {
            Some(link) => link.append(self.shared().namespace(), journal, lines).await.is_ok(),
            None => false,
        }
    }

    /// The newest lines of a journal, newest first; `None` where Redis is off or cannot be asked.
    pub async fn journal(&self, journal: Journal<'_>) -> Option<Vec<String>> {
        let link = self.shared().link()?;
        link.newest(self.shared().namespace(), journal).await.ok()
    }

    fn named(&self, mut events: CacheEvents, cache: &str) -> CacheEvents {
        for event in &mut events.events {
            self.id().clone_into(&mut event.node);
            cache.clone_into(&mut event.cache);
        }
        events
    }
}

impl Node {
    /// One key in this node's L1. Where the cache has a time to idle, this walks L1 in slices up to
    /// the key, so as not to prolong it; elsewhere it counts as one use.
    ///
    /// # Errors
    /// When there is no such cache, or the text is no key of it.
    pub async fn look_l1(&self, cache: &str, key: &str) -> Result<Option<EntryLook>, CacheError> {
        let cache = self.cache(cache)?;
        Ok(cache.look_l1(key)?.await)
    }

    /// A value of a cache, as JSON, as its [`opaque`](crate::CacheBuilder::opaque) and
    /// [`redact`](crate::CacheBuilder::redact) let people see it; `None` where it is hidden.
    ///
    /// # Errors
    /// When there is no such cache.
    pub fn shown(&self, cache: &str, value: String) -> Result<Option<String>, CacheError> {
        Ok(self.cache(cache)?.shown(value))
    }

    /// One key in L2, as this node's schema keeps it; `None` where L2 is off or cannot be asked.
    ///
    /// # Errors
    /// When there is no such cache, or the text is no key of it.
    pub async fn look_l2(&self, cache: &str, key: &str) -> Result<Option<L2Look>, CacheError> {
        Ok(self.cache(cache)?.look_l2(key)?.await)
    }

    /// Keys in this node's L1 that match: how many, and `limit` of them. Walks L1 in slices.
    ///
    /// # Errors
    /// When there is no such cache.
    pub async fn match_l1(
        &self,
        cache: &str,
        pattern: &Pattern,
        limit: usize,
    ) -> Result<(u64, Vec<String>), CacheError> {
        Ok(self.cache(cache)?.match_l1(pattern, limit).await)
    }

    /// Keys in L2 that match, by SCAN: how many, and the first `limit` of them; `None` where L2 is
    /// off or cannot be asked. A key that two schemas keep counts twice and is listed once. SCAN may
    /// count a key twice while Redis resizes.
    ///
    /// # Errors
    /// When there is no such cache.
    pub async fn match_l2(
        &self,
        cache: &str,
        pattern: &Pattern,
        limit: usize,
    ) -> Result<Option<(u64, Vec<String>)>, CacheError> {
        let found = self.match_l2_within(cache, pattern, limit, Duration::MAX).await?;
        Ok(found.map(|found| (found.n_keys, found.keys)))
    }

    /// As [`match_l2`](Self::match_l2), but ends after about this time and says whether it looked
    /// at all keys: Redis may hold millions of others' keys, which SCAN passes one by one.
    ///
    /// # Errors
    /// When there is no such cache.
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

    /// What Redis says of itself. `configured: false` without Redis.
    pub async fn redis_state(&self) -> RedisState {
        match self.shared().link() {
            Some(link) => link.redis_state().await,
            None => RedisState::default(),
        }
    }

    /// Counts the keys of every cache of the namespace in L2 by one paced SCAN, and estimates
    /// their size in bytes from a sample: `(cache, entries, weight_bytes)`. Entries of every schema
    /// count. A cache without keys
    /// is left out, and so are this node's structures. `None` where L2 cannot be asked, or where that
    /// takes longer than a minute.
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

    /// As [`count_l2`](Self::count_l2), but counts only where no other node of the namespace does
    /// or has just done so: else it answers what that one found. For those who ask again and again.
    /// `None` before the first count, and where L2 cannot be asked. A count that takes longer than
    /// a minute is given up, and says how far it came.
    pub async fn census_l2(&self) -> Option<L2Census> {
        self.census_l2_within(LONGEST).await
    }

    /// As [`census_l2`](Self::census_l2), and gives up after this time.
    pub async fn census_l2_within(&self, within: Duration) -> Option<L2Census> {
        let link = self.shared().link()?;
        let mut census = link.census_in_turn(self.shared().bus(), within).await.ok()??;
        census.counts.retain(|count| !self.shared().has_structures(&count.cache));
        Some(census)
    }
}
