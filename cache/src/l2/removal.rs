use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, ScriptInvocation, cmd};
use tokio::time::Instant;

use super::batches::{AT_ONCE, batches};
use super::envelope::FRESH_AT;
use super::failed::{Away, Failed};
use super::keyspace::Keyspace;
use super::pending::Pending;
use super::schemas::Walked;
use super::scripts;
use super::step::Step;
use crate::bus::What;
use crate::clock::Moment;
use crate::node::Progress;
use crate::pattern::Pattern;

/// Keys asked for in one SCAN step.
pub(super) const SCAN_COUNT: usize = 1_000;

/// Of so many tags Redis keeps the names; the older half of more is folded. Nodes of an earlier
/// version delete the names at 100 000.
const MAX_TAG_NAMES: usize = 90_000;

/// A walk over L2 that removes what any of the patterns matches; everything without one.
pub(super) struct Walk<'a> {
    patterns: &'a [Option<&'a Pattern>],
    walked: Option<Walked>,
    cursor: u64,
    pub(super) is_over: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn over(patterns: &'a [Option<&'a Pattern>]) -> Self {
        Self { patterns, walked: None, cursor: 0, is_over: false }
    }

    /// Over the entries of the keyspace's own schema.
    pub(super) fn over_own() -> Self {
        Self { patterns: &[None], walked: Some(Walked::Own), cursor: 0, is_over: false }
    }

    fn single(&self) -> Option<&'a Pattern> {
        if let [single] = self.patterns { *single } else { None }
    }

    fn matches(&self, text: &str) -> bool {
        self.patterns.iter().any(|one| one.is_none_or(|pattern| pattern.matches(text)))
    }
}

/// Keys of a cache in L2 that match a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct L2Match {
    /// How many were found.
    pub n_keys: u64,
    /// The first of them.
    pub keys: Vec<String>,
    /// Whether all keys were looked at; else there may be more.
    pub is_whole: bool,
    /// Keys of all caches that were passed, to within one step of SCAN.
    pub n_scanned: u64,
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
        Ok(self.tag_counts.take(self.or_queue(told, || self.pending_tag(tag))?))
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
        hmget.arg(&self.tags).arg("since").arg("horizon");
        for tag in tags {
            hmget.arg(format!("tag:{tag}"));
        }
        let numbers: Vec<Option<u64>> = self.link.ask(Step::Tags, &hmget).await?;
        let [since, horizon, ref by_name @ ..] = numbers[..] else { return Err(Away) };
        let folded = match horizon {
            Some(_) => self.folded(tags.iter().zip(by_name)).await?,
            None => Vec::new(),
        };
        // Without the hash nothing is known of any tag.
        let mut folded = folded.into_iter().map(|number| number.unwrap_or(u64::MAX));
        let mut other = || folded.next().or(since).unwrap_or(u64::MAX);
        Ok(by_name.iter().map(|number| number.unwrap_or_else(&mut other)).collect())
    }

    /// Where names were folded: the numbers of those that are not kept by name.
    async fn folded(
        &self,
        tags: impl Iterator<Item = (&Arc<str>, &Option<u64>)>,
    ) -> Result<Vec<Option<u64>>, Away> {
        let mut folded = scripts::FOLDED.prepare_invoke();
        folded.key(&self.tags);
        let mut n_asked = 0;
        for (tag, _) in tags.filter(|(_, number)| number.is_none()) {
            folded.arg(&**tag);
            n_asked += 1;
        }
        if n_asked == 0 {
            return Ok(Vec::new());
        }
        Ok(self.link.ask(Step::Tags, &folded).await?)
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
        let patterns = [pattern];
        let removed = match self.scan_away(Walk::over(&patterns), progress).await {
            Ok(removed) => {
                let told = self.link.ask(Step::Announce, &self.announcement(pattern)).await;
                told.map(|()| removed)
            }
            Err(failed) => Err(failed),
        };
        self.or_queue(removed, || self.pending(pattern))
    }

    async fn scan_away(&self, mut walk: Walk<'_>, progress: &Progress) -> Result<u64, Failed> {
        let mut removed = 0;
        while !walk.is_over && !progress.cancelled.load(Ordering::Relaxed) {
            let step = &mut walk;
            let n = self
                .link
                .operate(Step::RemoveSome, move |connection| self.unlink_some(connection, step))
                .await?;
            removed += n;
            progress.removed.fetch_add(n, Ordering::Relaxed);
            progress.scanned.fetch_add(SCAN_COUNT as u64, Ordering::Relaxed);
        }
        Ok(removed)
    }

    /// How many keys match, and the first `limit` of them. One that two schemas keep counts twice
    /// and is listed once. No step begins once so much time has passed.
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
            found.n_scanned += SCAN_COUNT as u64;
            for key in keys {
                if found.keys.len() < limit && !found.keys.contains(&key) {
                    found.keys.push(key);
                }
            }
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
        remove.key(&self.tags).arg(tag).arg(MAX_TAG_NAMES);
        self.bus.message(&mut remove, &self.cache, What::Tag(tag));
        remove
    }

    pub(super) fn announcement(&self, pattern: Option<&Pattern>) -> ScriptInvocation<'static> {
        let mut announce = scripts::ANNOUNCE.prepare_invoke();
        let what = pattern.map_or(What::All, |pattern| What::Pattern(pattern.as_str()));
        self.bus.message(&mut announce, &self.cache, what);
        announce
    }

    /// One step of a walk: removes what any of the patterns matches, under every schema.
    pub(super) async fn unlink_some(
        &self,
        mut connection: MultiplexedConnection,
        walk: &mut Walk<'_>,
    ) -> RedisResult<u64> {
        let walked = match walk.walked.take() {
            Some(walked) => walked,
            None => self.walked_on(&mut connection).await?,
        };
        let scan = self.scan(&walked, walk.single(), walk.cursor);
        let (next, mut keys): (u64, Vec<Vec<u8>>) = scan.query_async(&mut connection).await?;
        keys.retain(|key| self.names.key_of(key).is_some_and(|text| walk.matches(text)));
        let removed = match keys.is_empty() {
            true => 0,
            false => cmd("UNLINK").arg(keys).query_async(&mut connection).await?,
        };
        walk.cursor = next;
        // The first entries of another schema may have come meanwhile.
        let again = next == 0
            && walked == Walked::Plain
            && self.walked_on(&mut connection).await? != Walked::Plain;
        walk.is_over = next == 0 && !again;
        walk.walked = Some(walked).filter(|_| !again);
        Ok(removed)
    }

    /// Removes the entries of this schema alone, where another node's invalidation of them did not.
    pub(super) async fn unlink_own(
        &self,
        mut connection: MultiplexedConnection,
        keys: &[String],
    ) -> RedisResult<()> {
        for keys in keys.chunks(AT_ONCE) {
            let mut unlink = cmd("UNLINK");
            for key in keys {
                unlink.arg(self.entry(key));
            }
            let _: u64 = unlink.query_async(&mut connection).await?;
        }
        Ok(())
    }

    pub(crate) fn pending_key(&self, key: &str) -> Pending {
        Pending::Key { cache: self.cache.clone(), key: key.to_owned() }
    }

    /// What another node's invalidation of a key left of this schema.
    pub(crate) fn pending_own(&self, key: &str) -> Pending {
        let (cache, schema) = (self.cache.clone(), self.names.schema);
        Pending::Own { cache, schema, key: key.to_owned() }
    }

    /// What another node's invalidation of many keys left of this schema.
    pub(crate) fn pending_all_own(&self) -> Pending {
        Pending::AllOwn { cache: self.cache.clone(), schema: self.names.schema }
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
