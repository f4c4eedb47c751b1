use std::sync::Arc;
use std::sync::atomic::Ordering;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd, pipe};

use super::envelope::FRESH_AT;
use super::link::{Away, Link, SLOW_TIMEOUT, in_time};
use super::pending::Pending;
use super::{MAGIC, scripts};
use crate::bus::{Bus, What};
use crate::node::Progress;
use crate::pattern::{Pattern, escape};

/// Keys asked for in one SCAN step.
const SCAN_COUNT: usize = 1_000;

/// One cache's keys in L2, each `namespace:cache:key`.
pub(crate) struct Keyspace {
    pub(crate) link: Arc<Link>,
    bus: Bus,
    cache: String,
    prefix: String,
}

/// What lies at a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    /// Somebody's lease: they are loading.
    Leased,
    Bytes(Vec<u8>),
}

/// An entry to be written to L2 if what lies there is still what we think.
pub(crate) struct Commit {
    pub(crate) key: String,
    /// How what lies there must begin: with our lease, or with the entry that we refresh.
    pub(crate) expects: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) ttl_ms: u64,
}

/// The right to fill a key in L2. Starts with a word that no entry starts with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lease(String);

impl Lease {
    const PREFIX: &'static str = "lease:";

    pub(crate) fn new() -> Self {
        Self(format!("{}{:032x}", Self::PREFIX, rand::random::<u128>()))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Keyspace {
    pub(crate) fn new(link: Arc<Link>, bus: Bus, cache: &str) -> Self {
        let prefix = format!("{}:{cache}:", bus.namespace());
        Self { link, bus, cache: cache.to_owned(), prefix }
    }

    /// One GET, or one MGET.
    pub(crate) async fn get(&self, keys: &[String]) -> Result<Vec<Found>, Away> {
        let command = match keys {
            [key] => cmd("GET").arg(self.entry(key)).to_owned(),
            keys => keys.iter().fold(cmd("MGET"), |mut mget, key| {
                mget.arg(self.entry(key));
                mget
            }),
        };
        let single = keys.len() == 1;
        let values: Vec<Option<Vec<u8>>> = self
            .link
            .call(|mut connection| async move {
                if single {
                    return Ok(vec![command.query_async(&mut connection).await?]);
                }
                command.query_async(&mut connection).await
            })
            .await?;
        Ok(values.into_iter().map(found).collect())
    }

    /// Takes the lease of each key that is free. `Nothing` means that it is now ours.
    pub(crate) async fn acquire(
        &self,
        keys: &[String],
        lease: &Lease,
        ttl_ms: u64,
    ) -> Result<Vec<Found>, Away> {
        let mut pipe = pipe();
        for key in keys {
            pipe.cmd("SET").arg(self.entry(key)).arg(&lease.0);
            pipe.arg("NX").arg("GET").arg("PX").arg(ttl_ms.max(1));
        }
        let values: Vec<Option<Vec<u8>>> = self
            .link
            .call(|mut connection| async move { pipe.query_async(&mut connection).await })
            .await?;
        Ok(values.into_iter().map(found).collect())
    }

    /// Takes a key's lease from whoever holds it, entry or not, for a write.
    pub(crate) async fn seize(&self, key: &str, lease: &Lease, ttl_ms: u64) -> Result<(), Away> {
        let mut set = cmd("SET");
        set.arg(self.entry(key)).arg(&lease.0).arg("PX").arg(ttl_ms.max(1));
        self.link.call(|mut connection| async move { set.query_async(&mut connection).await }).await
    }

    /// Puts our lease in the place of bytes that cannot be used, if they still lie there.
    pub(crate) async fn claim(
        &self,
        key: &str,
        seen: &[u8],
        (lease, ttl_ms): (&Lease, u64),
    ) -> Result<bool, Away> {
        let mut invocation = scripts::CLAIM.prepare_invoke();
        invocation.key(self.entry(key)).arg(seen).arg(&lease.0).arg(ttl_ms.max(1));
        self.link
            .call(|mut connection| async move { invocation.invoke_async(&mut connection).await })
            .await
    }

    /// Writes the entries where nothing came in between; says which.
    pub(crate) async fn commit(&self, entries: &[Commit]) -> Result<Vec<bool>, Away> {
        let mut invocation = scripts::COMMIT.prepare_invoke();
        for entry in entries {
            invocation.key(self.entry(&entry.key)).arg(entry.expects.as_slice());
            invocation.arg(entry.bytes.as_slice()).arg(entry.ttl_ms.max(1));
        }
        self.link
            .call(|mut connection| async move { invocation.invoke_async(&mut connection).await })
            .await
    }

    /// Writes an entry after a write and tells the other nodes; says whether the lease still held.
    pub(crate) async fn replace(
        &self,
        lease: &Lease,
        (key, bytes, ttl_ms): (&str, Vec<u8>, u64),
    ) -> Result<bool, Away> {
        let mut invocation = scripts::REPLACE.prepare_invoke();
        invocation.key(self.entry(key)).arg(&lease.0).arg(bytes).arg(ttl_ms.max(1));
        self.bus.message(&mut invocation, &self.cache, What::Key(key));
        self.link
            .call(|mut connection| async move { invocation.invoke_async(&mut connection).await })
            .await
    }

    /// Gives leases back after a failed load. Nobody waits for it to work: leases expire.
    pub(crate) async fn release(&self, lease: &Lease, keys: &[String]) {
        let mut invocation = scripts::RELEASE.prepare_invoke();
        invocation.arg(&lease.0);
        for key in keys {
            invocation.key(self.entry(key));
        }
        let _: Result<(), Away> = self
            .link
            .call(|mut connection| async move { invocation.invoke_async(&mut connection).await })
            .await;
    }

    /// Removes a key and tells the other nodes, in one step; queues it where Redis is away.
    /// `Ok` says how many entries were there.
    pub(crate) async fn remove(&self, key: &str) -> Result<u64, Away> {
        let removed = self.link.call(|connection| self.remove_on(connection, key)).await;
        if removed.is_err() {
            self.link.queue(Pending::Key { cache: self.cache.clone(), key: key.to_owned() });
        }
        removed
    }

    /// Marks a key as stale and tells the other nodes, in one step; queues a removal where Redis is
    /// away. `Ok` says how many entries were there.
    pub(crate) async fn soften(&self, key: &str) -> Result<u64, Away> {
        let mut invocation = scripts::SOFTEN.prepare_invoke();
        invocation.key(self.entry(key)).arg(MAGIC).arg(FRESH_AT);
        self.bus.message(&mut invocation, &self.cache, What::Soft(key));
        let softened = self
            .link
            .call(|mut connection| async move { invocation.invoke_async(&mut connection).await })
            .await;
        if softened.is_err() {
            self.link.queue(Pending::Key { cache: self.cache.clone(), key: key.to_owned() });
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
                let told = self.link.call(|connection| self.tell(connection, pattern)).await;
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
                .call_slow(|connection| self.unlink_step(connection, pattern, cursor))
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
                .call_slow(|connection| self.scan_step(connection, Some(pattern), cursor))
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

    /// Sends a queued invalidation again on the connection that is being probed.
    pub(crate) async fn replay(
        &self,
        connection: MultiplexedConnection,
        pending: &Pending,
    ) -> RedisResult<()> {
        let pattern = match pending {
            Pending::Key { key, .. } => {
                return in_time(SLOW_TIMEOUT, self.remove_on(connection, key)).await.map(|_| ());
            }
            Pending::Pattern { pattern, .. } => Some(pattern),
            Pending::All { .. } => None,
        };
        let mut cursor = 0;
        loop {
            let step = self.unlink_step(connection.clone(), pattern, cursor);
            (cursor, _) = in_time(SLOW_TIMEOUT, step).await?;
            if cursor == 0 {
                return in_time(SLOW_TIMEOUT, self.tell(connection, pattern)).await;
            }
        }
    }

    async fn remove_on(
        &self,
        mut connection: MultiplexedConnection,
        key: &str,
    ) -> RedisResult<u64> {
        let mut invocation = scripts::REMOVE.prepare_invoke();
        invocation.key(self.entry(key)).arg(MAGIC);
        self.bus.message(&mut invocation, &self.cache, What::Key(key));
        invocation.invoke_async(&mut connection).await
    }

    async fn tell(
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
        mut connection: MultiplexedConnection,
        pattern: Option<&Pattern>,
        cursor: u64,
    ) -> RedisResult<(u64, u64)> {
        let (next, keys) = self.scan_step(connection.clone(), pattern, cursor).await?;
        if keys.is_empty() {
            return Ok((next, 0));
        }
        let removed = cmd("UNLINK").arg(keys).query_async(&mut connection).await?;
        Ok((next, removed))
    }

    fn pending(&self, pattern: Option<&Pattern>) -> Pending {
        let cache = self.cache.clone();
        match pattern {
            Some(pattern) => Pending::Pattern { cache, pattern: pattern.clone() },
            None => Pending::All { cache },
        }
    }

    pub(crate) fn entry(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    pub(super) fn key_of<'a>(&self, entry: &'a [u8]) -> Option<&'a str> {
        std::str::from_utf8(entry).ok()?.strip_prefix(&self.prefix)
    }
}

fn found(value: Option<Vec<u8>>) -> Found {
    match value {
        None => Found::Nothing,
        Some(bytes) if bytes.starts_with(Lease::PREFIX.as_bytes()) => Found::Leased,
        Some(bytes) => Found::Bytes(bytes),
    }
}
