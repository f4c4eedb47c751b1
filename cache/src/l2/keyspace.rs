use std::sync::Arc;

use redis::{ScriptInvocation, cmd};

use super::batches::{EntryBytes, batches};
use super::lease::{HeldLease, Lease};
use super::schemas::KeyNames;
use super::scripts;
use super::tags::TagCounts;
use crate::bus::What;
use crate::connection::{Away, Bus, CallError, Link, Step};

/// One cache's keys in L2, as one schema names them.
pub(crate) struct Keyspace {
    pub(crate) link: Arc<Link>,
    pub(crate) bus: Bus,
    pub(crate) cache: String,
    pub(crate) names: KeyNames,
    pub(crate) tags: String,
    pub(crate) tag_counts: TagCounts,
    pub(super) entry_bytes: EntryBytes,
}

/// What lies at a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum L2Content {
    Nothing,
    /// Somebody's lease: they are loading or writing.
    Leased(HeldLease),
    Bytes(Vec<u8>),
}

/// An entry to be written to L2 if what lies there is still what we think.
pub(crate) struct Commit {
    pub(crate) key: String,
    /// How what lies there must begin: with our lease, or with the entry that we refresh; after
    /// that the lease that must lie beside it.
    pub(crate) expects: Vec<u8>,
    pub(crate) written: EncodedEntry,
}

/// An entry's bytes, how long they live, and what must hold for them to be written.
#[derive(Clone)]
pub(crate) struct EncodedEntry {
    pub(crate) bytes: Vec<u8>,
    pub(crate) ttl_ms: u64,
    /// None of the tags was invalidated after this number of the bus.
    pub(crate) stamp: u64,
    pub(crate) tags: Vec<Arc<str>>,
}

impl EncodedEntry {
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

impl Keyspace {
    pub(crate) fn new(link: Arc<Link>, bus: Bus, (cache, schema): (&str, u16)) -> Self {
        let names = KeyNames::new(bus.stem(cache), bus.beside(&format!("schemas:{cache}")), schema);
        let tags = bus.beside(&format!("tags:{cache}"));
        let entry_bytes = EntryBytes::default();
        let tag_counts = TagCounts::default();
        Self { link, bus, cache: cache.to_owned(), names, tags, tag_counts, entry_bytes }
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

    /// What an operator sees at a key, whatever waits.
    pub(crate) async fn inspect(&self, key: &str) -> Result<L2Content, CallError> {
        let mut get = cmd("GET");
        get.arg(self.entry(key));
        self.link.inspect(&get).await.map(|value| self.found(key, value))
    }

    /// Writes the entries where nothing came in between; says which.
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

    /// Writes an entry after a write, if the lease still holds, and tells the other nodes; says
    /// whether it did.
    pub(crate) async fn replace(
        &self,
        lease: &Lease,
        (key, written): (&str, EncodedEntry),
    ) -> Result<bool, Away> {
        let mut replace = scripts::REPLACE.prepare_invoke();
        replace.key(self.entry(key)).key(&self.tags).key(&self.names.schemas);
        replace.arg(self.names.schema).arg(&lease.0);
        written.args(&mut replace);
        self.bus.message(&mut replace, &self.cache, What::Key(key));
        Ok(self.link.ask(Step::Replace, &replace).await?)
    }

    /// While invalidations of this cache wait for Redis, what lies there may be what should be
    /// gone.
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
