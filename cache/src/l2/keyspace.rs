//! One cache's keys in Redis: reads, commits, and the content of a key.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use redis::{ScriptInvocation, cmd, pipe};

use super::batches::{EntryBytes, batches};
use super::key_names::KeyNames;
use super::leases::LeaseWaits;
use super::leases::{HeldLease, Lease};
use super::scripts;
use crate::clock::millis;
use crate::connection::{Away, Bus, CallError, Link, Step};
use crate::target::Target;

/// One cache's keys in L2, as one schema names them.
pub(crate) struct Keyspace {
    pub(crate) link: Arc<Link>,
    pub(crate) lease_waits: Arc<LeaseWaits>,
    pub(crate) bus: Bus,
    pub(crate) cache: String,
    pub(crate) names: KeyNames,
    pub(crate) tags: String,
    pub(crate) tag_counts: TagCounts,
    pub(super) entry_bytes: EntryBytes,
}

/// The content of a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum L2Content {
    Nothing,
    /// A lease: its holder is loading or writing.
    Leased(HeldLease),
    Bytes(Vec<u8>),
}

/// An entry to be written to L2 if the key's content is still as expected.
pub(crate) struct Commit {
    pub(crate) key: String,
    /// How the key's content must begin: with the own lease, or with the entry to be refreshed. In
    /// the second case the lease that must lie beside it follows.
    pub(crate) expects: Vec<u8>,
    pub(crate) written: EncodedEntry,
}

/// An entry's bytes, their time to live, and the conditions for writing them.
#[derive(Clone)]
pub(crate) struct EncodedEntry {
    pub(crate) bytes: Vec<u8>,
    pub(crate) ttl_ms: u64,
    /// None of the tags may have been invalidated after this number of the bus.
    pub(crate) stamp: u64,
    pub(crate) tags: Vec<Arc<str>>,
}

impl EncodedEntry {
    /// Replaces a value that L2 does not keep.
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

impl Keyspace {
    pub(crate) fn new(
        lease_waits: &Arc<LeaseWaits>,
        bus: Bus,
        (cache, schema): (&str, u16),
    ) -> Self {
        let (link, lease_waits) = (Arc::clone(lease_waits.link()), Arc::clone(lease_waits));
        let names = KeyNames::new(bus.stem(cache), bus.beside(&format!("schemas:{cache}")), schema);
        let tags = bus.beside(&format!("tags:{cache}"));
        let entry_bytes = EntryBytes::default();
        let tag_counts = TagCounts::default();
        Self {
            link,
            lease_waits,
            bus,
            cache: cache.to_owned(),
            names,
            tags,
            tag_counts,
            entry_bytes,
        }
    }

    /// One GET, or one MGET for each batch: 256 keys, or fewer where entries are large.
    pub(crate) async fn get(&self, keys: &[&str]) -> Result<Vec<L2Content>, Away> {
        self.refuse_while_waiting()?;
        let mut found = Vec::with_capacity(keys.len());
        while found.len() < keys.len() {
            let rest = &keys[found.len()..];
            let some = &rest[..rest.len().min(self.entry_bytes.keys_at_once())];
            let values = self.get_some(some).await?;
            found.extend(some.iter().zip(values).map(|(key, value)| self.found(key, value)));
        }
        Ok(found)
    }

    async fn get_some(&self, keys: &[&str]) -> Result<Vec<Option<Vec<u8>>>, CallError> {
        let values = if let [key] = keys {
            let mut get = cmd("GET");
            get.arg(self.entry(key));
            vec![self.link.ask::<Option<Vec<u8>>>(Step::Get, &get).await?]
        } else {
            let mut mget = cmd("MGET");
            for key in keys {
                mget.arg(self.entry(key));
            }
            self.link.ask(Step::Get, &mget).await?
        };
        let there = || values.iter().flatten();
        self.entry_bytes.saw(there().count(), there().map(Vec::len).sum());
        Ok(values)
    }

    /// A key's content for an operator, even while invalidations wait.
    pub(crate) async fn inspect(&self, key: &str) -> Result<L2Content, CallError> {
        let mut get = cmd("GET");
        get.arg(self.entry(key));
        self.link.inspect(&get).await.map(|value| self.found(key, value))
    }

    /// Writes each entry unless something came in between. Returns which were written.
    pub(crate) async fn commit(&self, entries: &[Commit]) -> Result<Vec<bool>, Away> {
        let mut committed = Vec::with_capacity(entries.len());
        for entries in batches(entries, |entry| entry.written.bytes.len()) {
            let mut commit = scripts::COMMIT.prepare_invoke();
            commit.arg(self.names.schema);
            for entry in entries {
                commit.key(self.entry(&entry.key)).arg(entry.expects.as_slice());
                entry.written.args(&mut commit);
            }
            commit.key(&self.tags).key(self.bus.sequence()).key(&self.names.schemas);
            committed.extend(self.link.ask::<Vec<bool>>(Step::Commit, &commit).await?);
        }
        Ok(committed)
    }

    /// Writes an entry after a write if the lease is still held, and tells the other nodes. Returns
    /// whether it was written.
    pub(crate) async fn replace(
        &self,
        lease: &Lease,
        (key, written): (&str, EncodedEntry),
    ) -> Result<bool, Away> {
        let mut replace = scripts::REPLACE.prepare_invoke();
        replace.key(self.entry(key)).key(&self.tags).key(&self.names.schemas);
        replace.arg(self.names.schema).arg(&lease.0);
        written.args(&mut replace);
        self.bus.message(&mut replace, &self.cache, &Target::key(key));
        Ok(self.link.ask(Step::Replace, &replace).await?)
    }

    /// Fails while invalidations of this cache wait, since L2 may hold entries that should have
    /// been removed.
    pub(crate) fn refuse_while_waiting(&self) -> Result<(), Away> {
        if self.link.waits_for(&self.cache) { Err(Away) } else { Ok(()) }
    }

    pub(crate) fn found(&self, key: &str, value: Option<Vec<u8>>) -> L2Content {
        match value {
            None => L2Content::Nothing,
            Some(bytes) if Lease::is_one(&bytes) => {
                L2Content::Leased(HeldLease::new(self.entry(key), bytes))
            }
            Some(bytes) => L2Content::Bytes(bytes),
        }
    }
}

/// A schema that has taken a lease counts for this much longer than the lease, to allow for clocks.
const LONGER: Duration = Duration::from_secs(24 * 3600);

impl Keyspace {
    pub(crate) fn entry(&self, key: &str) -> String {
        self.names.entry(key)
    }

    /// A time at which a lease taken now has certainly ended.
    pub(crate) fn ended_ms(&self, ttl_ms: u64) -> u64 {
        self.bus.clock().now_ms().saturating_add(ttl_ms).saturating_add(millis(LONGER))
    }

    /// As [`KeyNames::register`], in a round trip of its own.
    pub(crate) async fn register(&self, step: Step, ttl_ms: u64) -> Result<(), Away> {
        if self.names.schema == 0 {
            return Ok(());
        }
        let mut register = pipe();
        self.names.register(&mut register, self.ended_ms(ttl_ms));
        Ok(self.link.ask(step, &register).await?)
    }
}

/// How many tags of a cache Redis knows, according to its answer to this node's last invalidation.
#[derive(Debug, Default)]
pub(crate) struct TagCounts {
    by_name: AtomicU64,
    folded: AtomicU64,
    forgotten: AtomicU64,
}

/// The answer to the invalidation of a tag: its number, the names kept, and how many were folded
/// and forgotten since they are counted.
pub(crate) type TagAnswer = (u64, u64, u64, u64);

impl TagCounts {
    /// Records an answer, and returns the number of the message.
    pub(crate) fn take(&self, (number, by_name, folded, forgotten): TagAnswer) -> u64 {
        self.by_name.store(by_name, Relaxed);
        self.folded.store(folded, Relaxed);
        self.forgotten.store(forgotten, Relaxed);
        number
    }

    /// The number of tags that Redis knows, and of those that it has forgotten.
    pub(crate) fn known_and_forgotten(&self) -> (u64, u64) {
        let forgotten = self.forgotten.load(Relaxed);
        let in_slices = self.folded.load(Relaxed).saturating_sub(forgotten);
        (self.by_name.load(Relaxed).saturating_add(in_slices), forgotten)
    }
}
