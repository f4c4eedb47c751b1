use std::sync::Arc;

use redis::{ScriptInvocation, cmd, pipe};

use super::link::{Away, Link};
use super::scripts;
use super::step::Step;
use crate::bus::{Bus, What};

/// Keys in one command or script; Redis serves nobody else meanwhile.
pub(crate) const AT_ONCE: usize = 256;

/// One cache's keys in L2, each `{namespace}:cache:key`.
pub(crate) struct Keyspace {
    pub(crate) link: Arc<Link>,
    pub(super) bus: Bus,
    pub(super) cache: String,
    pub(super) prefix: String,
    pub(super) tags: String,
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
    pub(crate) written: Written,
}

/// An entry's bytes, how long they live, and what must hold for them to be written.
#[derive(Clone)]
pub(crate) struct Written {
    pub(crate) bytes: Vec<u8>,
    pub(crate) ttl_ms: u64,
    /// None of the tags was invalidated after this number of the bus.
    pub(crate) stamp: u64,
    pub(crate) tags: Vec<Arc<str>>,
}

impl Written {
    /// In place of a value that L2 does not keep.
    pub(crate) fn nothing() -> Self {
        Self { bytes: Vec::new(), ttl_ms: 1, stamp: 0, tags: Vec::new() }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.bytes.is_empty()
    }

    fn args(&self, invocation: &mut ScriptInvocation<'_>) {
        invocation.arg(self.bytes.as_slice()).arg(self.ttl_ms.max(1));
        invocation.arg(self.stamp).arg(self.tags.len());
        for tag in &self.tags {
            invocation.arg(&**tag);
        }
    }
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
        let prefix = bus.prefix(cache);
        let tags = bus.beside(&format!("tags:{cache}"));
        Self { link, bus, cache: cache.to_owned(), prefix, tags }
    }

    /// One GET, or one MGET for each 256.
    pub(crate) async fn get(&self, keys: &[&str]) -> Result<Vec<Found>, Away> {
        let mut values: Vec<Option<Vec<u8>>> = Vec::with_capacity(keys.len());
        for keys in keys.chunks(AT_ONCE) {
            let mut command = cmd(if keys.len() == 1 { "GET" } else { "MGET" });
            for key in keys {
                command.arg(self.entry(key));
            }
            let single = keys.len() == 1;
            let some: Vec<Option<Vec<u8>>> = self
                .link
                .call(Step::Get, |mut connection| async move {
                    if single {
                        return Ok(vec![command.query_async(&mut connection).await?]);
                    }
                    command.query_async(&mut connection).await
                })
                .await?;
            values.extend(some);
        }
        Ok(values.into_iter().map(found).collect())
    }

    /// Takes the lease of each key that is free. `Nothing` means that it is now ours.
    pub(crate) async fn acquire(
        &self,
        keys: &[&str],
        lease: &Lease,
        ttl_ms: u64,
    ) -> Result<Vec<Found>, Away> {
        let mut acquired = Vec::with_capacity(keys.len());
        for keys in keys.chunks(AT_ONCE) {
            let mut pipe = pipe();
            for key in keys {
                pipe.cmd("SET").arg(self.entry(key)).arg(&lease.0);
                pipe.arg("NX").arg("GET").arg("PX").arg(ttl_ms.max(1));
            }
            let values: Vec<Option<Vec<u8>>> = self
                .link
                .call(Step::Acquire, |mut connection| async move {
                    pipe.query_async(&mut connection).await
                })
                .await?;
            acquired.extend(values.into_iter().map(found));
        }
        Ok(acquired)
    }

    /// Takes a key's lease from whoever holds it, entry or not, for a write.
    pub(crate) async fn seize(&self, key: &str, lease: &Lease, ttl_ms: u64) -> Result<(), Away> {
        let mut set = cmd("SET");
        set.arg(self.entry(key)).arg(&lease.0).arg("PX").arg(ttl_ms.max(1));
        self.link
            .call(
                Step::Seize,
                |mut connection| async move { set.query_async(&mut connection).await },
            )
            .await
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
            .call(Step::Claim, |mut connection| async move {
                invocation.invoke_async(&mut connection).await
            })
            .await
    }

    /// Writes the entries where nothing came in between; says which.
    pub(crate) async fn commit(&self, entries: &[Commit]) -> Result<Vec<bool>, Away> {
        let mut committed = Vec::with_capacity(entries.len());
        for entries in entries.chunks(AT_ONCE) {
            let mut invocation = scripts::COMMIT.prepare_invoke();
            for entry in entries {
                invocation.key(self.entry(&entry.key)).arg(entry.expects.as_slice());
                entry.written.args(&mut invocation);
            }
            invocation.key(&self.tags).key(self.bus.sequence());
            let some: Vec<bool> = self
                .link
                .call(Step::Commit, |mut connection| async move {
                    invocation.invoke_async(&mut connection).await
                })
                .await?;
            committed.extend(some);
        }
        Ok(committed)
    }

    /// Writes an entry after a write, if the lease still holds, and tells the other nodes; says
    /// whether it did.
    pub(crate) async fn replace(
        &self,
        lease: &Lease,
        (key, written): (&str, Written),
    ) -> Result<bool, Away> {
        let mut invocation = scripts::REPLACE.prepare_invoke();
        invocation.key(self.entry(key)).key(&self.tags).arg(&lease.0);
        written.args(&mut invocation);
        self.bus.message(&mut invocation, &self.cache, What::Key(key));
        self.link
            .call(Step::Replace, |mut connection| async move {
                invocation.invoke_async(&mut connection).await
            })
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
            .call(Step::Release, |mut connection| async move {
                invocation.invoke_async(&mut connection).await
            })
            .await;
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
