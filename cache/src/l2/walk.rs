//! Walks over the keys of L2 by SCAN.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisResult, cmd, from_redis_value_ref, pipe};
use tokio::time::Instant;

use super::envelope::{Envelope, HEADER};
use super::key_names::WalkScope;
use super::keyspace::Keyspace;
use super::leases::Lease;
use crate::connection::{AnyReply, CallError};
use crate::pattern::Pattern;

/// Facts about a key in L2, without its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum L2Head {
    /// An entry.
    Entry {
        /// The time since it was loaded, in milliseconds.
        age_ms: u64,
        /// The time until it is no longer fresh, in milliseconds; 0 if it is not fresh.
        expires_in_ms: u64,
        /// Its size, bytes.
        bytes: u64,
    },
    /// Something that no cache has written: another type of value, or bytes that are not an entry.
    SomethingElse,
}

impl Keyspace {
    /// One step of a walk. Returns the next cursor and the matching keys, whatever their schema.
    pub(crate) async fn step(
        &self,
        pattern: &Pattern,
        cursor: u64,
    ) -> Result<(u64, Vec<String>), CallError> {
        let walked = self.walked().await?;
        let scan = |cursor| self.scan(&walked, Some(pattern), cursor);
        let (next, keys) = self.link.walk_on(cursor, scan).await?;
        let texts = keys.iter().filter_map(|key| self.names.key_of(key));
        Ok((next, texts.filter(|text| pattern.matches(text)).map(str::to_owned).collect()))
    }

    /// The content of these keys under this schema, or else under another one. `None` for a key
    /// that has nothing or a lease.
    pub(crate) async fn heads(&self, keys: &[String]) -> Result<Vec<Option<L2Head>>, CallError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let schemas = self.schemas_from_own().await?;
        let mut ask = pipe();
        // For a key of another type both commands fail, without affecting the others.
        ask.ignore_errors();
        for key in keys {
            for schema in &schemas {
                let entry = self.names.entry_of(*schema, key);
                ask.cmd("GETRANGE").arg(&entry).arg(0).arg(HEADER - 1);
                ask.cmd("STRLEN").arg(&entry);
            }
        }
        let answers: Vec<RedisResult<AnyReply>> = self.link.walk_step(&ask).await?;
        let now_ms = self.bus.clock().now_ms();
        let head = |of_entry: &[RedisResult<AnyReply>]| {
            let [head, bytes] = of_entry else { return None };
            read((head, bytes), now_ms)
        };
        let of_keys = answers.chunks_exact(2 * schemas.len());
        Ok(of_keys.map(|of_key| of_key.chunks_exact(2).find_map(head)).collect())
    }

    /// The schemas that may have entries, this one first.
    async fn schemas_from_own(&self) -> Result<Vec<u16>, CallError> {
        let own = self.names.schema;
        let mut schemas = vec![own];
        if let WalkScope::Every(others) = self.walked().await? {
            schemas.extend([0].into_iter().chain(others).filter(|other| *other != own));
        }
        Ok(schemas)
    }
}

fn read(
    (head, bytes): (&RedisResult<AnyReply>, &RedisResult<AnyReply>),
    now_ms: u64,
) -> Option<L2Head> {
    let (Ok(head), Ok(bytes)) = (head, bytes) else { return Some(L2Head::SomethingElse) };
    let head: Vec<u8> = from_redis_value_ref(head).ok()?;
    let bytes: u64 = from_redis_value_ref(bytes).ok()?;
    if head.is_empty() || Lease::is_one(&head) {
        return None;
    }
    let Some((created_ms, fresh_until_ms)) = Envelope::times(&head) else {
        return Some(L2Head::SomethingElse);
    };
    Some(L2Head::Entry {
        age_ms: now_ms.saturating_sub(created_ms),
        expires_in_ms: fresh_until_ms.saturating_sub(now_ms),
        bytes,
    })
}

/// Keys asked for in one SCAN step.
pub(crate) const SCAN_COUNT: usize = 1_000;

/// Keys of a cache in L2 that match a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct L2Match {
    /// How many match.
    pub n_keys: u64,
    /// The first of them.
    pub keys: Vec<String>,
    /// Whether all keys were examined; otherwise there may be more.
    pub is_whole: bool,
    /// How many keys of all caches SCAN passed, to within one step.
    pub n_scanned: u64,
}

impl Keyspace {
    /// How many keys match, and the first `limit` of them. A key under two schemas counts twice and
    /// is listed once. No step begins after this time has passed.
    pub(crate) async fn matching(
        &self,
        pattern: &Pattern,
        limit: usize,
        within: Duration,
    ) -> Result<L2Match, CallError> {
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
}

impl Keyspace {
    fn list_schemas(&self) -> Cmd {
        let mut list = cmd("ZRANGE");
        list.arg(&self.names.schemas).arg(0).arg(-1);
        list
    }

    /// The scope of an operator's walk.
    pub(crate) async fn walked(&self) -> Result<WalkScope, CallError> {
        let others: Vec<u16> = self.link.inspect(&self.list_schemas()).await?;
        Ok(WalkScope::of(&self.names, others))
    }

    /// The scope of a walk that removes.
    pub(crate) async fn walked_on(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<WalkScope> {
        let others: Vec<u16> = self.list_schemas().query_async(connection).await?;
        Ok(WalkScope::of(&self.names, others))
    }

    /// One SCAN step over keys that may match. The caller must match its results again.
    pub(crate) fn scan(&self, walked: &WalkScope, pattern: Option<&Pattern>, cursor: u64) -> Cmd {
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(self.names.glob(walked, pattern));
        scan.arg("COUNT").arg(SCAN_COUNT);
        scan
    }
}
