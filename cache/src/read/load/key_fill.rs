//! One key that a load fills: its flight, and its right to write to L2.

use std::sync::Arc;

use strata_report::Outcome;
use tokio::time::Instant;

use super::flight::{Flight, FlightResult};
use crate::clock::{Moment, millis};
use crate::error::LoadError;
use crate::key::{Key, Value};
use crate::l1::Entry;
use crate::l2::{Commit, EncodedEntry, HeldLease, Keyspace, Lease};
use crate::read::cache_core::Core;
use crate::read::l2_entry::{EntryHeader, L2Entry};
use crate::read::new_entry::{EntryMeta, FillToken};

/// One key that a flight's leader fills. The flight ends when this is completed or dropped.
pub(crate) struct KeyFill<K: Key, V: Value> {
    core: Arc<Core<K, V>>,
    pub(crate) fill_token: FillToken<K>,
    id: u64,
    flight: Flight<V>,
    /// Served, stale, if the load fails.
    fallback: Option<Entry<V>>,
    /// Whether the fallback is being refreshed before its deadline.
    is_refresh: bool,
    right: WriteRight,
    /// Since when it has seen only leases that are not of loads.
    others_since: Option<Instant>,
    is_complete: bool,
}

/// What allows a fill to write to L2.
enum WriteRight {
    None,
    /// It holds the lease. The bytes of an expired entry may have been claimed for it.
    Lease {
        lease: Lease,
        claimed: Option<Vec<u8>>,
    },
    /// It refreshes an entry with this header, which stays in place meanwhile. To do so it needs
    /// the lease beside the entry.
    Refresh {
        head: EntryHeader,
        lease: Option<Lease>,
    },
}

impl<K: Key, V: Value> KeyFill<K, V> {
    pub(crate) fn new(
        core: Arc<Core<K, V>>,
        (fill_token, id): (FillToken<K>, u64),
        flight: Flight<V>,
    ) -> Self {
        let (fallback, is_refresh, right) = (None, false, WriteRight::None);
        let (others_since, is_complete) = (None, false);
        Self {
            core,
            fill_token,
            id,
            flight,
            fallback,
            is_refresh,
            right,
            others_since,
            is_complete,
        }
    }

    /// The flight, for its waiters.
    pub(crate) fn flight(&self) -> Flight<V> {
        Arc::clone(&self.flight)
    }

    /// Sets an entry of L1 that stands in, or that is refreshed.
    pub(crate) fn with_fallback(mut self, fallback: Option<Entry<V>>, is_refresh: bool) -> Self {
        self.fallback = fallback;
        self.is_refresh = is_refresh;
        self
    }

    /// Whether L2 has nothing newer than the entry that this fill refreshes.
    pub(crate) fn has_as_new(&self, held: &L2Entry<V>) -> bool {
        let loaded_at = Moment::now().before(held.meta.age);
        // Ages from L2 are exact to a millisecond or two. If an entry is marked as stale here but
        // not in L2, the one in L2 was written after the marking.
        let newer = |entry: &Entry<V>| entry.soft || millis(loaded_at.since(entry.loaded_at)) > 2;
        self.is_refresh && !self.fallback.as_ref().is_some_and(newer)
    }

    /// Refreshes L2's entry. If it was invalidated softly, it answers the waiting readers at once.
    pub(crate) fn refreshes(&mut self, held: L2Entry<V>) {
        self.overwrites(&held);
        if self.is_refresh {
            return;
        }
        let entry = self.core.entry(&self.fill_token, held.value, &held.meta);
        let FillToken { key, token, .. } = &self.fill_token;
        self.core.fence.fill(key, *token, || self.core.put_l1(key, &entry));
        self.flight.complete(Ok((entry.clone(), Outcome::Stale)));
        self.fallback = Some(entry);
    }

    /// Refreshes L2's entry, which answers no reader.
    pub(crate) fn overwrites(&mut self, held: &L2Entry<V>) {
        self.right = WriteRight::Refresh { head: held.head, lease: None };
    }

    pub(crate) fn found_nothing(&mut self) {
        self.right = WriteRight::None;
    }

    /// Whether its readers have been answered with the entry that is refreshed.
    pub(crate) fn is_refresh(&self) -> bool {
        self.is_refresh
    }

    /// Whether no reader waits for its flight, because all have been answered.
    pub(crate) fn is_answered(&self) -> bool {
        self.is_refresh || self.flight.is_complete()
    }

    /// Records that another node holds the lease.
    pub(crate) fn sees(&mut self, lease: &HeldLease) {
        match lease.is_of_load() {
            true => self.others_since = None,
            false => _ = self.others_since.get_or_insert_with(Instant::now),
        }
    }

    /// Since when it has waited only for leases of writes, or of nodes of an earlier version.
    pub(crate) fn others_since(&self) -> Option<Instant> {
        self.others_since
    }

    /// Whether it refreshes an entry of L2 and has not taken the lease yet.
    pub(crate) fn is_refreshing(&self) -> bool {
        matches!(self.right, WriteRight::Refresh { lease: None, .. })
    }

    /// The key and the header of the entry that is refreshed.
    pub(crate) fn refreshed(&self) -> Option<(&str, &[u8])> {
        match &self.right {
            WriteRight::Refresh { head, .. } => Some((&self.fill_token.text, head)),
            WriteRight::None | WriteRight::Lease { .. } => None,
        }
    }

    pub(crate) fn leased(&mut self, lease: &Lease) {
        let lease = lease.clone();
        self.right = match self.right {
            WriteRight::Refresh { head, .. } => WriteRight::Refresh { head, lease: Some(lease) },
            WriteRight::None | WriteRight::Lease { .. } => {
                WriteRight::Lease { lease, claimed: None }
            }
        };
    }

    /// Records that its lease was given up.
    pub(crate) fn unleased(&mut self) {
        self.right = match self.right {
            WriteRight::Refresh { head, .. } => WriteRight::Refresh { head, lease: None },
            WriteRight::None | WriteRight::Lease { .. } => WriteRight::None,
        };
    }

    /// Records that the lease has replaced an entry that had expired or could not be read.
    pub(crate) fn claimed(&mut self, lease: &Lease, held: Option<L2Entry<V>>, bytes: Vec<u8>) {
        let claimed = held.is_some().then_some(bytes);
        self.right = WriteRight::Lease { lease: lease.clone(), claimed };
        if self.fallback.is_none()
            && let Some(held) = held.filter(|held| held.value.is_some())
        {
            let entry = self.core.entry(&self.fill_token, held.value, &held.meta);
            self.fallback = Some(entry);
        }
    }

    /// Whether the entry that stands in is of a newer row than the loaded value.
    pub(crate) fn has_newer(&self, version: u64) -> bool {
        let now = Moment::now();
        version > 0
            && (self.fallback.as_ref())
                .is_some_and(|entry| entry.version > version && now < entry.kept_until)
    }

    pub(crate) fn may_commit(&self) -> bool {
        matches!(self.right, WriteRight::Lease { .. } | WriteRight::Refresh { lease: Some(_), .. })
    }

    /// How the content of L2 must begin for this fill to overwrite it, including the lease that
    /// must lie beside it.
    pub(crate) fn expects(&self) -> Option<Vec<u8>> {
        match &self.right {
            WriteRight::None | WriteRight::Refresh { lease: None, .. } => None,
            WriteRight::Lease { lease, .. } => Some(lease.as_bytes().to_vec()),
            WriteRight::Refresh { head, lease: Some(lease) } => {
                Some([head.as_slice(), lease.as_bytes()].concat())
            }
        }
    }

    /// The commit that writes the claimed entry back.
    pub(crate) fn restore(&self) -> Option<Commit> {
        let WriteRight::Lease { lease, claimed: Some(bytes) } = &self.right else { return None };
        let left = self.fallback.as_ref()?.kept_until.since(Moment::now());
        Some(Commit {
            key: self.fill_token.text.clone(),
            expects: lease.as_bytes().to_vec(),
            written: EncodedEntry {
                bytes: bytes.clone(),
                ttl_ms: millis(left),
                stamp: u64::MAX,
                tags: Vec::new(),
            },
        })
    }

    /// The lease that it holds, and the lease's key in Redis.
    pub(crate) fn lease(&self, l2: &Keyspace) -> Option<(&Lease, String)> {
        let text = &self.fill_token.text;
        match &self.right {
            WriteRight::Lease { lease, .. } => Some((lease, l2.entry(text))),
            WriteRight::Refresh { lease: Some(lease), .. } => Some((lease, l2.beside(text))),
            WriteRight::None | WriteRight::Refresh { lease: None, .. } => None,
        }
    }

    /// Completes without changing the entry that is being refreshed.
    pub(crate) fn leave(mut self) {
        let left = self.fallback.take().filter(|entry| Moment::now() < entry.kept_until);
        let stays = left.map(|entry| (self.stale_or_hit(&entry), entry));
        self.answer(stays.map(|(outcome, entry)| (entry, outcome)).ok_or(LoadError::TimedOut));
    }

    pub(crate) fn complete_from_l2(self, held: L2Entry<V>) {
        let outcome = held.outcome();
        self.complete(held.value, &held.meta, outcome);
    }

    /// Keeps the value in L1 if the fence allows it, and answers the waiting readers.
    pub(crate) fn complete(self, value: Option<Arc<V>>, meta: &EntryMeta, outcome: Outcome) {
        let entry = self.core.entry(&self.fill_token, value, meta);
        let entry = if self.keep(&entry) { entry } else { entry.unkept() };
        self.answer(Ok((entry, outcome)));
    }

    pub(crate) fn complete_unkept(self, value: Option<Arc<V>>, meta: &EntryMeta) {
        let entry = self.core.entry(&self.fill_token, value, meta);
        self.core.recorder.l1_fenced.add(1);
        self.answer(Ok((entry.unkept(), Outcome::Loaded)));
    }

    /// Answers with the stale entry, and does not ask the source again before the retry interval is
    /// over. Answers with the error if there is no stale entry.
    pub(crate) fn fail(mut self, error: LoadError) {
        let now = Moment::now();
        let Some(entry) = self.fallback.take().filter(|entry| now < entry.kept_until) else {
            return self.answer(Err(error));
        };
        let retry_at = Some(now.after(self.core.policy.retry_after));
        let outcome = self.stale_or_hit(&entry);
        let entry = Entry { retry_at, ..entry };
        self.keep(&entry);
        self.answer(Ok((entry, outcome)));
    }

    fn stale_or_hit(&self, entry: &Entry<V>) -> Outcome {
        match self.core.is_fresh(&self.fill_token.key, entry) {
            true => Outcome::L1Hit,
            false => Outcome::Stale,
        }
    }

    /// Puts the entry into L1. Returns whether the fence allowed it.
    fn keep(&self, entry: &Entry<V>) -> bool {
        let FillToken { key, token, .. } = &self.fill_token;
        let is_kept = self.core.fence.fill(key, *token, || self.core.put_l1(key, entry));
        if !is_kept {
            self.core.recorder.l1_fenced.add(1);
        }
        is_kept
    }

    fn answer(mut self, result: FlightResult<V>) {
        self.is_complete = true;
        self.core.fence.leave(&self.fill_token.key, self.id);
        // A stale answer may have been given already.
        self.flight.complete(result);
    }
}

impl<K: Key, V: Value> Drop for KeyFill<K, V> {
    fn drop(&mut self) {
        if self.is_complete {
            return;
        }
        self.core.fence.leave(&self.fill_token.key, self.id);
        self.flight.complete(Err(LoadError::Panicked));
    }
}
