//! Where the entries of a cache's schemas lie, so that two versions of a program keep their own.
//!
//! Schema 0 keeps `{namespace}:cache:key`, schema n `{namespace}:cache@n:key`; no cache can have an
//! `@` in its name. Which of them may have entries stands in Redis, see
//! [`ANNOUNCE`](crate::bus::ANNOUNCE): whoever removes a key removes it under each of them.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisResult, cmd, pipe};

use super::failed::{Away, Failed};
use super::keyspace::Keyspace;
use super::removal::SCAN_COUNT;
use super::step::Step;
use crate::clock::millis;
use crate::pattern::{Pattern, escape};

/// A schema that has taken a lease counts for so much longer than the lease, whatever the clocks.
const LONGER: Duration = Duration::from_secs(24 * 3600);

/// The names that a cache's entries go by in L2.
pub(super) struct Names {
    pub(super) schema: u16,
    /// What the keys of all schemas begin with.
    stem: String,
    /// What this schema's keys begin with.
    prefix: String,
    /// The key of the list of schemas.
    pub(super) schemas: String,
}

/// Whose keys a walk is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Walked {
    /// There are no others than those of schema 0, so Redis itself compares.
    Plain,
    /// Those of this schema alone.
    Own,
    /// Those of all schemas; these may have entries besides 0.
    Every(Vec<u16>),
}

impl Names {
    pub(super) fn new(stem: String, schemas: String, schema: u16) -> Self {
        let prefix = prefix(&stem, schema);
        Self { schema, stem, prefix, schemas }
    }

    /// Where this schema's entry of a key lies.
    pub(super) fn entry(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Where the entry of a key lies under another schema.
    pub(super) fn entry_of(&self, schema: u16, key: &str) -> String {
        format!("{}{key}", prefix(&self.stem, schema))
    }

    /// The key of an entry of any schema.
    pub(super) fn key_of<'a>(&self, entry: &'a [u8]) -> Option<&'a str> {
        let rest = std::str::from_utf8(entry).ok()?.strip_prefix(&self.stem)?;
        if let Some(key) = rest.strip_prefix(':') {
            return Some(key);
        }
        let (schema, key) = rest.strip_prefix('@')?.split_once(':')?;
        schema.parse::<u16>().ok().map(|_| key)
    }

    /// Takes note that this schema may have entries from now on, with whatever takes a lease, before
    /// it does. Schema 0 needs none.
    pub(super) fn register(&self, pipe: &mut Pipeline, until_ms: u64) {
        if self.schema > 0 {
            pipe.cmd("ZADD").arg(&self.schemas).arg("GT").arg(until_ms).arg(self.schema).ignore();
        }
    }

    fn glob(&self, walked: &Walked, pattern: Option<&Pattern>) -> String {
        let stem = escape(&self.stem);
        match walked {
            Walked::Plain => format!("{stem}:{}", pattern.map_or("*", Pattern::as_str)),
            Walked::Own => format!("{}*", escape(&self.prefix)),
            Walked::Every(_) => format!("{stem}[:@]*"),
        }
    }
}

impl Walked {
    fn of(names: &Names, mut others: Vec<u16>) -> Self {
        if names.schema > 0 && !others.contains(&names.schema) {
            others.push(names.schema);
        }
        if others.is_empty() { Self::Plain } else { Self::Every(others) }
    }
}

impl Keyspace {
    pub(crate) fn entry(&self, key: &str) -> String {
        self.names.entry(key)
    }

    /// When a lease that is taken now has ended for certain.
    pub(super) fn ended_ms(&self, ttl_ms: u64) -> u64 {
        self.bus.clock().now_ms().saturating_add(ttl_ms).saturating_add(millis(LONGER))
    }

    /// As [`Names::register`], in a round trip of its own.
    pub(super) async fn register(&self, step: Step, ttl_ms: u64) -> Result<(), Away> {
        if self.names.schema == 0 {
            return Ok(());
        }
        let mut register = pipe();
        self.names.register(&mut register, self.ended_ms(ttl_ms));
        Ok(self.link.ask(step, &register).await?)
    }

    fn list_schemas(&self) -> Cmd {
        let mut list = cmd("ZRANGE");
        list.arg(&self.names.schemas).arg(0).arg(-1);
        list
    }

    /// Whose keys a walk is about that an operator asks for.
    pub(super) async fn walked(&self) -> Result<Walked, Failed> {
        let others: Vec<u16> = self.link.inspect(&self.list_schemas()).await?;
        Ok(Walked::of(&self.names, others))
    }

    /// Whose keys a walk is about that removes.
    pub(super) async fn walked_on(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<Walked> {
        let others: Vec<u16> = self.list_schemas().query_async(connection).await?;
        Ok(Walked::of(&self.names, others))
    }

    /// One step of SCAN over what may match; what it answers is compared again.
    pub(super) fn scan(&self, walked: &Walked, pattern: Option<&Pattern>, cursor: u64) -> Cmd {
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(self.names.glob(walked, pattern));
        scan.arg("COUNT").arg(SCAN_COUNT);
        scan
    }
}

fn prefix(stem: &str, schema: u16) -> String {
    if schema == 0 { format!("{stem}:") } else { format!("{stem}@{schema}:") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(schema: u16) -> Names {
        Names::new("{test}:users".to_owned(), "{test}!schemas:users".to_owned(), schema)
    }

    #[test]
    fn schema_0_keeps_the_keys_that_it_always_had() {
        assert_eq!(names(0).entry("a:b"), "{test}:users:a:b");
        assert_eq!(names(7).entry("a:b"), "{test}:users@7:a:b");
        assert_eq!(names(7).entry_of(0, "1"), "{test}:users:1");
    }

    #[test]
    fn an_entry_tells_its_key_whatever_its_schema_and_no_other_caches() {
        for schema in [0, 1, u16::MAX] {
            let entry = names(schema).entry("a:b@c");
            assert_eq!(names(3).key_of(entry.as_bytes()), Some("a:b@c"));
        }
        for other in ["{test}:users2:1", "{test}:users@x:1", "{test}:users@2", "{test}:user:1"] {
            assert_eq!(names(0).key_of(other.as_bytes()), None, "{other}");
        }
    }
}
