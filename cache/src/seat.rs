use std::collections::HashMap;
use std::sync::Arc;

use strata_report::Outcome;

use crate::clock::{Moment, millis};
use crate::core::{Core, Flight, Landing, Life};
use crate::held::{Head, Held};
use crate::l1::Entry;
use crate::l2::{Commit, Lease, Written};
use crate::ticket::Ticket;
use crate::{Key, LoadError, Value};

/// One key's place in a flight. The flight ends when its seat lands or is dropped.
pub(crate) struct Seat<K: Key, V: Value> {
    core: Arc<Core<K, V>>,
    pub(crate) ticket: Ticket<K>,
    id: u64,
    flight: Flight<V>,
    /// What stands in, stale, where the load fails.
    fallback: Option<Entry<V>>,
    /// Whether the fallback is being refreshed before its time.
    is_refresh: bool,
    right: Right,
    has_landed: bool,
}

/// By what right a seat may write to L2.
enum Right {
    None,
    /// It holds the lease; the bytes of an expired entry may have been claimed for it.
    Lease {
        lease: Lease,
        claimed: Option<Vec<u8>>,
    },
    /// It refreshes an entry that begins like this and stays there until then.
    Refresh {
        head: Head,
    },
}

impl<K: Key, V: Value> Seat<K, V> {
    pub(crate) fn new(
        core: Arc<Core<K, V>>,
        (ticket, id): (Ticket<K>, u64),
        flight: Flight<V>,
    ) -> Self {
        let (fallback, is_refresh, right) = (None, false, Right::None);
        Self { core, ticket, id, flight, fallback, is_refresh, right, has_landed: false }
    }

    /// For those who wait.
    pub(crate) fn flight(&self) -> Flight<V> {
        Arc::clone(&self.flight)
    }

    /// With an entry of L1 that stands in, or that is refreshed.
    pub(crate) fn standing_in(mut self, fallback: Option<Entry<V>>, is_refresh: bool) -> Self {
        self.fallback = fallback;
        self.is_refresh = is_refresh;
        self
    }

    /// Whether L2 has nothing newer than what this seat refreshes.
    pub(crate) fn has_as_new(&self, held: &Held<V>) -> bool {
        let loaded_at = Moment::now().before(held.life.age);
        // Ages from L2 are exact to a millisecond or two.
        let newer = |entry: &Entry<V>| millis(loaded_at.since(entry.loaded_at)) > 2;
        self.is_refresh && !self.fallback.as_ref().is_some_and(newer)
    }

    /// Loads anew what L2 holds. A softly invalidated entry answers those who wait at once.
    pub(crate) fn refresh(&mut self, held: Held<V>) {
        self.right = Right::Refresh { head: held.head };
        if self.is_refresh {
            return;
        }
        let entry = self.core.entry(&self.ticket, held.value, &held.life);
        let Ticket { key, token, .. } = &self.ticket;
        self.core.fence.fill(key, *token, || self.core.put_l1(key, &entry));
        let _ = self.flight.set(Ok((entry.clone(), Outcome::Stale)));
        self.fallback = Some(entry);
    }

    pub(crate) fn leased(&mut self, lease: &Lease) {
        self.right = Right::Lease { lease: lease.clone(), claimed: None };
    }

    /// The lease lies where an entry lay that had expired or could not be read.
    pub(crate) fn claimed(&mut self, lease: &Lease, held: Option<Held<V>>, bytes: Vec<u8>) {
        let claimed = held.is_some().then_some(bytes);
        self.right = Right::Lease { lease: lease.clone(), claimed };
        if self.fallback.is_none()
            && let Some(held) = held.filter(|held| held.value.is_some())
        {
            let entry = self.core.entry(&self.ticket, held.value, &held.life);
            self.fallback = Some(entry);
        }
    }

    /// Whether what stands in is of a newer row than what was loaded.
    pub(crate) fn has_newer(&self, version: u64) -> bool {
        let now = Moment::now();
        version > 0
            && (self.fallback.as_ref())
                .is_some_and(|entry| entry.version > version && now < entry.kept_until)
    }

    pub(crate) fn may_commit(&self) -> bool {
        self.expects().is_some()
    }

    /// How what lies in L2 must begin for this seat to overwrite it.
    pub(crate) fn expects(&self) -> Option<&[u8]> {
        match &self.right {
            Right::None => None,
            Right::Lease { lease, .. } => Some(lease.as_bytes()),
            Right::Refresh { head } => Some(head),
        }
    }

    /// Writes back what was claimed.
    pub(crate) fn restore(&self) -> Option<Commit> {
        let Right::Lease { lease, claimed: Some(bytes) } = &self.right else { return None };
        let left = self.fallback.as_ref()?.kept_until.since(Moment::now());
        Some(Commit {
            key: self.ticket.text.clone(),
            expects: lease.as_bytes().to_vec(),
            written: Written {
                bytes: bytes.clone(),
                ttl_ms: millis(left),
                stamp: u64::MAX,
                tags: Vec::new(),
            },
        })
    }

    /// The leases that seats hold, each with its keys.
    pub(crate) fn leases<'a>(
        seats: impl IntoIterator<Item = &'a Self>,
    ) -> HashMap<Lease, Vec<String>> {
        let mut leases: HashMap<Lease, Vec<String>> = HashMap::new();
        for seat in seats {
            if let Right::Lease { lease, .. } = &seat.right {
                leases.entry(lease.clone()).or_default().push(seat.ticket.text.clone());
            }
        }
        leases
    }

    pub(crate) fn land_held(self, held: Held<V>) {
        let outcome = held.outcome();
        self.land(held.value, &held.life, outcome);
    }

    /// Keeps the value in L1 if the fence lets it, and answers those who wait.
    pub(crate) fn land(self, value: Option<Arc<V>>, life: &Life, outcome: Outcome) {
        let entry = self.core.entry(&self.ticket, value, life);
        self.keep(&entry);
        self.answer(Ok((entry, outcome)));
    }

    pub(crate) fn land_unkept(self, value: Option<Arc<V>>, life: &Life) {
        let entry = self.core.entry(&self.ticket, value, life);
        self.core.recorder.l1_fenced.add(1);
        self.answer(Ok((entry, Outcome::Loaded)));
    }

    /// Answers with what stands in, and asks nobody again before the retry interval is over;
    /// with the error where nothing can stand in.
    pub(crate) fn fail(mut self, error: LoadError) {
        let now = Moment::now();
        let Some(entry) = self.fallback.take().filter(|entry| now < entry.kept_until) else {
            return self.answer(Err(error));
        };
        let retry_at = Some(now.after(self.core.policy.retry_after));
        let outcome = if self.core.is_fresh(&self.ticket.key, &entry) {
            Outcome::L1Hit
        } else {
            Outcome::Stale
        };
        let entry = Entry { retry_at, ..entry };
        self.keep(&entry);
        self.answer(Ok((entry, outcome)));
    }

    fn keep(&self, entry: &Entry<V>) {
        let Ticket { key, token, .. } = &self.ticket;
        if !self.core.fence.fill(key, *token, || self.core.put_l1(key, entry)) {
            self.core.recorder.l1_fenced.add(1);
        }
    }

    fn answer(mut self, landing: Landing<V>) {
        self.has_landed = true;
        self.core.fence.leave(&self.ticket.key, self.id);
        // A stale answer may have been given already.
        let _ = self.flight.set(landing);
    }
}

impl<K: Key, V: Value> Drop for Seat<K, V> {
    fn drop(&mut self) {
        if self.has_landed {
            return;
        }
        self.core.fence.leave(&self.ticket.key, self.id);
        let _ = self.flight.set(Err(LoadError::Panicked));
    }
}
