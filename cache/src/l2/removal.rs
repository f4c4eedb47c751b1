use std::sync::Arc;
use std::sync::atomic::Ordering;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd};

use super::envelope::FRESH_AT;
use super::keyspace::{AT_ONCE, Keyspace};
use super::link::Away;
use super::pending::Pending;
use super::scripts;
use super::step::Step;
use crate::bus::What;
use crate::node::Progress;
use crate::pattern::{Pattern, escape};

/// Keys asked for in one SCAN step.
const SCAN_COUNT: usize = 1_000;

/// Beyond so many tags all are taken as invalidated, and counted anew.
const MAX_TAGS_IN_REDIS: usize = 100_000;

impl Keyspace {
    /// Removes keys and tells the other nodes, in one step for each 256; queues them where Redis is
    /// away. `Ok` says how many entries were there.
    pub(crate) async fn remove(&self, keys: &[String]) -> Result<u64, Away> {
        let mut removed = 0;
        for (i, some) in keys.chunks(AT_ONCE).enumerate() {
            match self.link.call(Step::Remove, |connection| self.remove_on(connection, some)).await
            {
                Ok(n) => removed += n,
                Err(Away) => {
                    for key in &keys[i * AT_ONCE..] {
                        self.link.queue(self.pending_key(key));
                    }
                    return Err(Away);
                }
            }
        }
        Ok(removed)
    }

    /// Invalidates a tag and tells the other nodes, in one step; queues it where Redis is away.
    /// `Ok` is the number of the message.
    pub(crate) async fn invalidate_tag(&self, tag: &str) -> Result<u64, Away> {
        let told = self
            .link
            .call(Step::InvalidateTag, |connection| self.invalidate_tag_on(connection, tag))
            .await;
        if told.is_err() {
            self.link.queue(Pending::Tag { cache: self.cache.clone(), tag: tag.to_owned() });
        }
        told
    }

    /// Tells the other nodes to empty the cache; queues that where Redis is away.
    pub(crate) async fn announce_all(&self) {
        let told = self.link.call(Step::Announce, |connection| self.tell(connection, None)).await;
        if told.is_err() {
            self.link.queue(self.pending(None));
        }
    }

    /// At which number of the bus each tag was last invalidated, at the latest.
    pub(crate) async fn tags(&self, tags: &[Arc<str>]) -> Result<Vec<u64>, Away> {
        let mut hmget = cmd("HMGET");
        hmget.arg(&self.tags).arg("since");
        for tag in tags {
            hmget.arg(format!("tag:{tag}"));
        }
        let numbers: Vec<Option<u64>> =
            self.link
                .call(Step::Tags, |mut connection| async move {
                    hmget.query_async(&mut connection).await
                })
                .await?;
        // Without the hash nothing is known of any tag.
        let since = numbers.first().copied().flatten().unwrap_or(u64::MAX);
        Ok(numbers.into_iter().skip(1).map(|number| number.unwrap_or(since)).collect())
    }

    /// Marks a key as stale and tells the other nodes, in one step; queues a removal where Redis is
    /// away. `Ok` says how many entries were there.
    pub(crate) async fn soften(&self, key: &str) -> Result<u64, Away> {
        let mut invocation = scripts::SOFTEN.prepare_invoke();
        invocation.key(self.entry(key)).arg(FRESH_AT);
        self.bus.message(&mut invocation, &self.cache, What::Soft(key));
        let softened = self
            .link
            .call(Step::Soften, |mut connection| async move {
                invocation.invoke_async(&mut connection).await
            })
            .await;
        if softened.is_err() {
            self.link.queue(self.pending_key(key));
        }
        softened
    }

    /// Removes what matches, batch by batch, and tells the other nodes; queues it where Redis is
    /// away. `Ok` says how many entries went.
    pub(crate) async fn remove_matching(
        &self,
        pattern: Option<&Pattern>,
        progress: &Progress,
    ) -> Result<u64, Away> {
        let removed = match self.scan_away(pattern, progress).await {
            Ok(removed) => {
                let told = self
                    .link
                    .call(Step::Announce, |connection| self.tell(connection, pattern))
                    .await;
                told.map(|()| removed)
            }
            Err(Away) => Err(Away),
        };
        if removed.is_err() {
            self.link.queue(self.pending(pattern));
        }
        removed
    }

    async fn scan_away(&self, pattern: Option<&Pattern>, progress: &Progress) -> Result<u64, Away> {
        let mut cursor = 0;
        let mut removed = 0;
        loop {
            let (next, n) = self
                .link
                .call_slow(Step::RemoveSome, |connection| {
                    self.unlink_step(connection, pattern, cursor)
                })
                .await?;
            removed += n;
            progress.removed.fetch_add(n, Ordering::Relaxed);
            progress.scanned.fetch_add(SCAN_COUNT as u64, Ordering::Relaxed);
            cursor = next;
            if cursor == 0 || progress.cancelled.load(Ordering::Relaxed) {
                return Ok(removed);
            }
        }
    }

    /// How many keys match, and the first `limit` of them.
    pub(crate) async fn matching(
        &self,
        pattern: &Pattern,
        limit: usize,
    ) -> Result<(u64, Vec<String>), Away> {
        let mut cursor = 0;
        let mut count = 0;
        let mut first = Vec::new();
        loop {
            let (next, keys) = self
                .link
                .call_slow(Step::Inspect, |connection| {
                    self.scan_step(connection, Some(pattern), cursor)
                })
                .await?;
            count += keys.len() as u64;
            let texts = keys.iter().filter_map(|key| self.key_of(key));
            first.extend(texts.take(limit.saturating_sub(first.len())).map(str::to_owned));
            cursor = next;
            if cursor == 0 {
                return Ok((count, first));
            }
        }
    }

    pub(super) async fn remove_on(
        &self,
        mut connection: MultiplexedConnection,
        keys: &[String],
    ) -> RedisResult<u64> {
        let mut invocation = scripts::REMOVE.prepare_invoke();
        for key in keys {
            invocation.key(self.entry(key));
        }
        // One message a key; only what they are about differs.
        self.bus.message(&mut invocation, &self.cache, What::Key(""));
        self.bus.sends(keys.len() as u64 - 1);
        for key in keys {
            invocation.arg(key);
        }
        invocation.invoke_async(&mut connection).await
    }

    pub(super) async fn invalidate_tag_on(
        &self,
        mut connection: MultiplexedConnection,
        tag: &str,
    ) -> RedisResult<u64> {
        let mut invocation = scripts::INVALIDATE_TAG.prepare_invoke();
        invocation.key(&self.tags).arg(tag).arg(MAX_TAGS_IN_REDIS);
        self.bus.message(&mut invocation, &self.cache, What::Tag(tag));
        invocation.invoke_async(&mut connection).await
    }

    pub(super) async fn tell(
        &self,
        mut connection: MultiplexedConnection,
        pattern: Option<&Pattern>,
    ) -> RedisResult<()> {
        let mut invocation = scripts::ANNOUNCE.prepare_invoke();
        let what = pattern.map_or(What::All, |pattern| What::Pattern(pattern.as_str()));
        self.bus.message(&mut invocation, &self.cache, what);
        invocation.invoke_async(&mut connection).await
    }

    pub(super) async fn scan_step(
        &self,
        mut connection: MultiplexedConnection,
        pattern: Option<&Pattern>,
        cursor: u64,
    ) -> RedisResult<(u64, Vec<Vec<u8>>)> {
        let glob = format!("{}{}", escape(&self.prefix), pattern.map_or("*", Pattern::as_str));
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(glob).arg("COUNT").arg(SCAN_COUNT);
        scan.query_async(&mut connection).await
    }

    async fn unlink_step(
        &self,
        connection: MultiplexedConnection,
        pattern: Option<&Pattern>,
        cursor: u64,
    ) -> RedisResult<(u64, u64)> {
        self.unlink_any(connection, &[pattern], cursor).await
    }

    /// Removes what any of the patterns matches; Redis itself compares with a single one.
    pub(super) async fn unlink_any(
        &self,
        mut connection: MultiplexedConnection,
        patterns: &[Option<&Pattern>],
        cursor: u64,
    ) -> RedisResult<(u64, u64)> {
        let single = if let [single] = patterns { *single } else { None };
        let (next, mut keys) = self.scan_step(connection.clone(), single, cursor).await?;
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

    fn pending(&self, pattern: Option<&Pattern>) -> Pending {
        let cache = self.cache.clone();
        match pattern {
            Some(pattern) => Pending::Pattern { cache, pattern: pattern.clone() },
            None => Pending::All { cache },
        }
    }
}
