//! How entries leave L2, and how the other nodes are told.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, ScriptInvocation, cmd};

use super::batches::{AT_ONCE, batches};
use super::envelope::FRESH_AT;
use super::key_names::WalkScope;
use super::keyspace::Keyspace;
use super::scripts;
use super::walk::SCAN_COUNT;
use crate::clock::Moment;
use crate::connection::{Away, CallError, Link, PendingInvalidation, Step};
use crate::pattern::{Pattern, escape};
use crate::target::Target;

impl Link {
    /// Removes every key of a namespace, including the bus and write-behinds. Returns how many.
    pub(crate) async fn erase(&self, namespace: &str) -> Result<u64, CallError> {
        let glob = format!("{}*", escape(&format!("{{{namespace}}}")));
        let (mut cursor, mut erased) = (0, 0);
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&glob).arg("COUNT").arg(SCAN_COUNT);
            let (next, n) = self
                .operate(Step::RemoveSome, |mut connection| async move {
                    let (next, keys) = self.scan(&mut connection, &scan).await?;
                    let n: u64 = match keys.is_empty() {
                        true => 0,
                        false => cmd("UNLINK").arg(keys).query_async(&mut connection).await?,
                    };
                    Ok((next, n))
                })
                .await?;
            erased += n;
            cursor = next;
            if cursor == 0 {
                return Ok(erased);
            }
        }
    }
}

/// A walk over L2 that removes the entries matching any of the patterns; all entries without one.
pub(crate) struct RemovalWalk<'a> {
    patterns: &'a [Option<&'a Pattern>],
    walked: Option<WalkScope>,
    cursor: u64,
    pub(crate) is_over: bool,
}

impl<'a> RemovalWalk<'a> {
    pub(crate) fn over(patterns: &'a [Option<&'a Pattern>]) -> Self {
        Self { patterns, walked: None, cursor: 0, is_over: false }
    }

    /// A walk over the entries of the keyspace's own schema.
    pub(crate) fn over_own() -> Self {
        Self { patterns: &[None], walked: Some(WalkScope::Own), cursor: 0, is_over: false }
    }

    fn single(&self) -> Option<&'a Pattern> {
        if let [single] = self.patterns { *single } else { None }
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        self.patterns.iter().any(|one| one.is_none_or(|pattern| pattern.matches(text)))
    }
}

impl Keyspace {
    /// Removes keys and tells the other nodes, in one step for each batch. Queues them if Redis
    /// does not accept it. `Ok` has the number of entries that were there.
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
                        self.link.queue(self.pending(Target::key(key)));
                    }
                    return Err(Away);
                }
            }
            left = &left[some.len()..];
        }
        Ok(removed)
    }

    /// Tells the other nodes to empty the cache. Queues that if Redis does not accept it.
    pub(crate) async fn announce_all(&self) {
        let told = self.link.ask::<()>(Step::Announce, &self.announcement(None)).await;
        let _: Result<(), Away> = self.or_queue(told, || self.pending(Target::All));
    }

    pub(crate) fn or_queue<T>(
        &self,
        told: Result<T, CallError>,
        pending: impl FnOnce() -> PendingInvalidation,
    ) -> Result<T, Away> {
        told.map_err(|_| {
            self.link.queue(pending());
            Away
        })
    }

    /// Marks a key as stale and tells the other nodes, in one step. Queues a removal if Redis does
    /// not accept it. `Ok` has the number of entries that were there.
    pub(crate) async fn mark_stale(&self, key: &str) -> Result<u64, Away> {
        let mut mark_stale = scripts::MARK_STALE.prepare_invoke();
        mark_stale.key(self.entry(key)).arg(FRESH_AT);
        self.bus.stale_message(&mut mark_stale, &self.cache, key);
        let marked = self.link.ask(Step::MarkStale, &mark_stale).await;
        self.or_queue(marked, || self.pending(Target::key(key)))
    }

    /// Removes matching entries, batch by batch, and tells the other nodes. Queues it if Redis does
    /// not accept it. `Ok` has the number of removed entries. Uses the operator's connection, so
    /// that reads do not wait behind its steps.
    pub(crate) async fn remove_matching(
        &self,
        pattern: Option<&Pattern>,
        progress: &Progress,
    ) -> Result<u64, Away> {
        let patterns = [pattern];
        let removed = match self.scan_away(RemovalWalk::over(&patterns), progress).await {
            Ok(removed) => {
                let told = self.link.ask(Step::Announce, &self.announcement(pattern)).await;
                told.map(|()| removed)
            }
            Err(failed) => Err(failed),
        };
        self.or_queue(removed, || self.pending(Target::matching(pattern)))
    }

    async fn scan_away(
        &self,
        mut walk: RemovalWalk<'_>,
        progress: &Progress,
    ) -> Result<u64, CallError> {
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

    /// Removes keys, and announces each.
    pub(crate) fn removal(&self, keys: &[String]) -> ScriptInvocation<'static> {
        let mut remove = scripts::REMOVE.prepare_invoke();
        for key in keys {
            remove.key(self.entry(key));
        }
        // The script sends one message a key. The messages differ only in their target.
        self.bus.message(&mut remove, &self.cache, &Target::key(""));
        self.bus.sends((keys.len() as u64).saturating_sub(1));
        for key in keys {
            remove.arg(key);
        }
        remove
    }

    pub(crate) fn announcement(&self, pattern: Option<&Pattern>) -> ScriptInvocation<'static> {
        let mut announce = scripts::ANNOUNCE.prepare_invoke();
        self.bus.message(&mut announce, &self.cache, &Target::matching(pattern));
        announce
    }

    /// One step of a walk: removes entries that match any of the patterns, under every schema.
    pub(crate) async fn unlink_some(
        &self,
        mut connection: MultiplexedConnection,
        walk: &mut RemovalWalk<'_>,
    ) -> RedisResult<u64> {
        let walked = match walk.walked.take() {
            Some(walked) => walked,
            None => self.walked_on(&mut connection).await?,
        };
        let scan = self.scan(&walked, walk.single(), walk.cursor);
        let (next, mut keys) = self.link.scan(&mut connection, &scan).await?;
        keys.retain(|key| self.names.key_of(key).is_some_and(|text| walk.matches(text)));
        let removed = match keys.is_empty() {
            true => 0,
            false => cmd("UNLINK").arg(keys).query_async(&mut connection).await?,
        };
        walk.cursor = next;
        // Another schema may have written its first entries meanwhile.
        let again = next == 0
            && walked == WalkScope::Plain
            && self.walked_on(&mut connection).await? != WalkScope::Plain;
        walk.is_over = next == 0 && !again;
        walk.walked = Some(walked).filter(|_| !again);
        Ok(removed)
    }

    /// Removes the entries of this schema only, if another node's invalidation did not remove them.
    pub(crate) async fn unlink_own(
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

    pub(crate) fn pending(&self, target: Target) -> PendingInvalidation {
        PendingInvalidation { cache: self.cache.clone(), target, own_schema: None }
    }

    /// The entries of this schema that another node's invalidation left: of one key, or all.
    pub(crate) fn pending_own(&self, target: Target) -> PendingInvalidation {
        PendingInvalidation { own_schema: Some(self.names.schema), ..self.pending(target) }
    }
}

/// The progress of a pattern invalidation. A caller may share it to watch or cancel the run.
#[derive(Debug, Default)]
pub struct Progress {
    /// Keys examined in L2, to within one step of SCAN.
    pub scanned: AtomicU64,
    /// Entries removed from L2.
    pub removed: AtomicU64,
    /// Set to stop after the current batch.
    pub cancelled: AtomicBool,
}
