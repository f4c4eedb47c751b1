use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisResult, ScriptInvocation, cmd};
use tokio::time::Instant;

use super::batches::batches;
use super::envelope::FRESH_AT;
use super::failed::{Away, Failed};
use super::keyspace::Keyspace;
use super::pending::Pending;
use super::scripts;
use super::step::Step;
use crate::bus::What;
use crate::clock::Moment;
use crate::node::Progress;
use crate::pattern::{Pattern, escape};

/// Keys asked for in one SCAN step.
const SCAN_COUNT: usize = 1_000;

/// Beyond so many tags all are taken as invalidated, and counted anew.
const MAX_TAGS_IN_REDIS: usize = 100_000;

/// Keys of a cache in L2 that match a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct L2Match {
    /// How many were found.
    pub n_keys: u64,
    /// The first of them.
    pub keys: Vec<String>,
    /// Whether all keys were looked at; else there may be more.
    pub is_whole: bool,
}

impl Keyspace {
    /// Removes keys and tells the other nodes, in one step for each batch; queues them where Redis
    /// does not take it. `Ok` says how many entries were there.
    pub(crate) async fn remove(&self, keys: &[String]) -> Result<u64, Away> {
        let (mut removed, mut left) = (0, keys);
        for some in batches(keys, String::len) {
            let asked = Moment::now();
            match self.link.ask::<u64>(Step::Remove, &self.removal(some)).await {
                Ok(n) => {
                    self.bus.proved(asked);
                    removed += n;
                }
                Err(_) => {
                    for key in left {
                        self.link.queue(self.pending_key(key));
                    }
                    return Err(Away);
                }
            }
            left = &left[some.len()..];
        }
        Ok(removed)
    }

    /// Invalidates a tag and tells the other nodes, in one step; queues it where Redis does not
    /// take it. `Ok` is the number of the message.
    pub(crate) async fn invalidate_tag(&self, tag: &str) -> Result<u64, Away> {
        let told = self.link.ask(Step::InvalidateTag, &self.tag_removal(tag)).await;
        self.or_queue(told, || self.pending_tag(tag))
    }

    /// Tells the other nodes to empty the cache; queues that where Redis does not take it.
    pub(crate) async fn announce_all(&self) {
        let told = self.link.ask::<()>(Step::Announce, &self.announcement(None)).await;
        let _: Result<(), Away> = self.or_queue(told, || self.pending(None));
    }

    fn or_queue<T>(
        &self,
        told: Result<T, Failed>,
        pending: impl FnOnce() -> Pending,
    ) -> Result<T, Away> {
        told.map_err(|_| {
            self.link.queue(pending());
            Away
        })
    }

    /// At which number of the bus each tag was last invalidated, at the latest.
    pub(crate) async fn tags(&self, tags: &[Arc<str>]) -> Result<Vec<u64>, Away> {
        let mut hmget = cmd("HMGET");
        hmget.arg(&self.tags).arg("since");
        for tag in tags {
            hmget.arg(format!("tag:{tag}"));
        }
        let numbers: Vec<Option<u64>> = self.link.ask(Step::Tags, &hmget).await?;
        // Without the hash nothing is known of any tag.
        let since = numbers.first().copied().flatten().unwrap_or(u64::MAX);
        Ok(numbers.into_iter().skip(1).map(|number| number.unwrap_or(since)).collect())
    }

    /// Marks a key as stale and tells the other nodes, in one step; queues a removal where Redis
    /// does not take it. `Ok` says how many entries were there.
    pub(crate) async fn soften(&self, key: &str) -> Result<u64, Away> {
        let mut soften = scripts::SOFTEN.prepare_invoke();
        soften.key(self.entry(key)).arg(FRESH_AT);
        self.bus.message(&mut soften, &self.cache, What::Soft(key));
        let softened = self.link.ask(Step::Soften, &soften).await;
        self.or_queue(softened, || self.pending_key(key))
    }

    /// Removes what matches, batch by batch, and tells the other nodes; queues it where Redis does
    /// not take it. `Ok` says how many entries went. Goes over the operator's connection, so that
    /// reads do not wait behind its steps.
    pub(crate) async fn remove_matching(
        &self,
        pattern: Option<&Pattern>,
        progress: &Progress,
    ) -> Result<u64, Away> {
        let removed = match self.scan_away(pattern, progress).await {
            Ok(removed) => {
                let told = self.link.ask(Step::Announce, &self.announcement(pattern)).await;
                told.map(|()| removed)
            }
            Err(failed) => Err(failed),
        };
        self.or_queue(removed, || self.pending(pattern))
    }

    async fn scan_away(
        &self,
        pattern: Option<&Pattern>,
        progress: &Progress,
    ) -> Result<u64, Failed> {
        let mut cursor = 0;
        let mut removed = 0;
        loop {
            let (next, n) = self.unlink_step(pattern, cursor).await?;
            removed += n;
            progress.removed.fetch_add(n, Ordering::Relaxed);
            progress.scanned.fetch_add(SCAN_COUNT as u64, Ordering::Relaxed);
            cursor = next;
            if cursor == 0 || progress.cancelled.load(Ordering::Relaxed) {
                return Ok(removed);
            }
        }
    }

    async fn unlink_step(
        &self,
        pattern: Option<&Pattern>,
        cursor: u64,
    ) -> Result<(u64, u64), Failed> {
        let patterns = [pattern];
        let unlinking = |connection| self.unlink_any(connection, &patterns, cursor);
        self.link.operate(Step::RemoveSome, unlinking).await
    }

    /// How many keys match, and the first `limit` of them. No step begins once so much time has
    /// passed.
    pub(crate) async fn matching(
        &self,
        pattern: &Pattern,
        limit: usize,
        within: Duration,
    ) -> Result<L2Match, Failed> {
        let (began, mut cursor) = (Instant::now(), 0);
        let mut found = L2Match::default();
        while !found.is_whole && began.elapsed() < within {
            let (next, keys) = self.step(pattern, cursor).await?;
            found.n_keys += keys.len() as u64;
            found.keys.extend(keys.into_iter().take(limit.saturating_sub(found.keys.len())));
            (cursor, found.is_whole) = (next, next == 0);
        }
        Ok(found)
    }

    /// Removes keys, and announces each.
    pub(super) fn removal(&self, keys: &[String]) -> ScriptInvocation<'static> {
        let mut remove = scripts::REMOVE.prepare_invoke();
        for key in keys {
            remove.key(self.entry(key));
        }
        // One message a key; only what they are about differs.
        self.bus.message(&mut remove, &self.cache, What::Key(""));
        self.bus.sends((keys.len() as u64).saturating_sub(1));
        for key in keys {
            remove.arg(key);
        }
        remove
    }

    pub(super) fn tag_removal(&self, tag: &str) -> ScriptInvocation<'static> {
        let mut remove = scripts::INVALIDATE_TAG.prepare_invoke();
        remove.key(&self.tags).arg(tag).arg(MAX_TAGS_IN_REDIS);
        self.bus.message(&mut remove, &self.cache, What::Tag(tag));
        remove
    }

    pub(super) fn announcement(&self, pattern: Option<&Pattern>) -> ScriptInvocation<'static> {
        let mut announce = scripts::ANNOUNCE.prepare_invoke();
        let what = pattern.map_or(What::All, |pattern| What::Pattern(pattern.as_str()));
        self.bus.message(&mut announce, &self.cache, what);
        announce
    }

    /// One step of SCAN over what matches.
    pub(super) fn scan(&self, pattern: Option<&Pattern>, cursor: u64) -> Cmd {
        let glob = format!("{}{}", escape(&self.prefix), pattern.map_or("*", Pattern::as_str));
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(glob).arg("COUNT").arg(SCAN_COUNT);
        scan
    }

    /// Removes what any of the patterns matches; Redis itself compares with a single one.
    pub(super) async fn unlink_any(
        &self,
        mut connection: MultiplexedConnection,
        patterns: &[Option<&Pattern>],
        cursor: u64,
    ) -> RedisResult<(u64, u64)> {
        let single = if let [single] = patterns { *single } else { None };
        let scan = self.scan(single, cursor);
        let (next, mut keys): (u64, Vec<Vec<u8>>) = scan.query_async(&mut connection).await?;
        if patterns.len() > 1 {
            let is_matched = |text: &str| patterns.iter().flatten().any(|one| one.matches(text));
            keys.retain(|key| self.key_of(key).is_some_and(is_matched));
        }
        if keys.is_empty() {
            return Ok((next, 0));
        }
        let removed = cmd("UNLINK").arg(keys).query_async(&mut connection).await?;
        Ok((next, removed))
    }

    pub(crate) fn pending_key(&self, key: &str) -> Pending {
        Pending::Key { cache: self.cache.clone(), key: key.to_owned() }
    }

    pub(crate) fn pending_tag(&self, tag: &str) -> Pending {
        Pending::Tag { cache: self.cache.clone(), tag: tag.to_owned() }
    }

    pub(crate) fn pending(&self, pattern: Option<&Pattern>) -> Pending {
        let cache = self.cache.clone();
        match pattern {
            Some(pattern) => Pending::Pattern { cache, pattern: pattern.clone() },
            None => Pending::All { cache },
        }
    }
}
