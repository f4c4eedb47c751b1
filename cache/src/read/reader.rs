//! The read path. L1 answers if it can. Otherwise the read joins the flight of its key, or asks L2
//! (`l2_lookup`), or leads a flight of its own (`load::leader`).

use std::sync::Arc;

use strata_report::Outcome;

use super::cache_core::Core;
use super::fence::{Joined, LookupStart};
use super::freshness::Freshness;
use super::l2_entry::L2Entry;
use super::l2_lookup::{L2Lookup, L2Lookups};
use super::load::{Flight, KeyFill, nesting};
use super::pending_read::{FlightWait, PendingAndFill, PendingRead};
use super::values::{Load, Read};
use crate::clock::Moment;
use crate::error::LoadError;
use crate::key::{Key, Value};
use crate::l1::Entry;
use crate::l2::Keyspace;
use crate::recorder::{hash_of, is_sampled};

/// The entry that L1 had for a key, and when.
pub(crate) struct Look<V> {
    entry: Entry<V>,
    now: Moment,
    freshness: Freshness,
}

impl<K: Key, V: Value> Core<K, V> {
    /// Answers one key. The caller may go away; the flight goes on.
    pub(crate) async fn read(
        self: &Arc<Self>,
        key: &K,
        load: impl FnOnce() -> Load<K, V>,
    ) -> Result<Read<V>, LoadError> {
        let looked = match self.hit(key) {
            Ok(read) => return Ok(read),
            Err(looked) => looked,
        };
        if let Some(error) = self.recursion(key) {
            return self.without_waiting(key, looked, error).read().await;
        }
        if let Ok(lookup) = self.begin_lookup(key, looked.as_ref()) {
            let mut lookups = L2Lookups::new(self, load());
            lookups.add(lookup);
            let mut pending = lookups.run().await;
            return pending.pop().unwrap_or(PendingRead::AwaitsLookup).read().await;
        }
        let (pending, fill) = self.join_or_answer(key, looked);
        if let Some(fill) = fill {
            nesting::spawn(Arc::clone(self).lead(vec![fill], load()));
        }
        pending.read().await
    }

    /// Answers many keys in order, with one flight for all keys that are not being loaded yet.
    pub(crate) async fn read_many(
        self: &Arc<Self>,
        keys: &[K],
        load: Load<K, V>,
    ) -> Vec<Result<Read<V>, LoadError>> {
        let (mut lookups, mut fills) = (L2Lookups::new(self, load), Vec::new());
        let mut pending = Vec::with_capacity(keys.len());
        for key in keys {
            pending.push(self.pending_among(key, &mut lookups, &mut fills));
        }
        // Other reads may wait for the fills, so the fills must not wait for this reader.
        let found = match fills.is_empty() && lookups.is_patient() {
            true => lookups.run().await,
            false => lookups.lead_all(fills),
        };
        PendingRead::fill_in(&mut pending, found, self);
        let mut reads = Vec::with_capacity(keys.len());
        // Fills complete in order. A task that waits for the last one first is woken up only once.
        for pending in pending.into_iter().rev() {
            reads.push(pending.read().await);
        }
        reads.reverse();
        reads
    }

    /// One key of a call with several.
    fn pending_among<'a>(
        self: &'a Arc<Self>,
        key: &K,
        lookups: &mut L2Lookups<'a, K, V>,
        fills: &mut Vec<KeyFill<K, V>>,
    ) -> PendingRead<'a, K, V> {
        let looked = match self.hit(key) {
            Ok(read) => return PendingRead::Answered(read),
            Err(looked) => looked,
        };
        if let Some(error) = self.recursion(key) {
            return self.without_waiting(key, looked, error);
        }
        let id = match self.begin_lookup(key, looked.as_ref()) {
            Ok(lookup) => {
                lookups.add(lookup);
                return PendingRead::AwaitsLookup;
            }
            Err(id) => id,
        };
        if let Some((at, label)) = id.and_then(|id| lookups.repeat(id)) {
            return PendingRead::RepeatsLookup { at, label };
        }
        let (pending, fill) = self.join_or_answer(key, looked);
        fills.extend(fill);
        pending
    }

    /// Answers from L1 or L2, never from the source.
    pub(crate) async fn read_cached(&self, key: &K) -> Read<V> {
        match self.look(key) {
            Some(Look { entry, now, freshness: Freshness::Fresh }) => {
                return self.answer_at(now, entry, Outcome::L1Hit);
            }
            Some(Look { entry, now, freshness: Freshness::Soft | Freshness::Failing }) => {
                return self.answer_at(now, entry, Outcome::Stale);
            }
            Some(Look { freshness: Freshness::Stale | Freshness::Unusable, .. }) | None => {}
        }
        let fill_token = self.fill_token(key)(self.fence.token(key));
        let held = Box::pin(self.ask_l2(&[&fill_token.text])).await.ok();
        let held = held.and_then(|mut held| held.pop()?);
        let is_news = |held: &L2Entry<V>| !self.knows_newer(key, held.meta.version);
        let Some(held) = held.filter(|held| held.is_usable() && is_news(held)) else {
            self.recorder.outcome(fill_token.label, Outcome::Missed, None);
            return Read::nothing(Outcome::Missed);
        };
        let outcome = held.outcome();
        let entry = self.entry(&fill_token, held.value, &held.meta);
        if !self.fence.fill(key, fill_token.token, || self.put_l1(key, &entry)) {
            self.recorder.l1_fenced.add(1);
        }
        self.answer(entry, outcome)
    }

    /// The usual case: L1 has a fresh entry. Otherwise the content of L1 is handed back.
    #[inline]
    fn hit(&self, key: &K) -> Result<Read<V>, Option<Look<V>>> {
        match self.look(key) {
            Some(Look { entry, now, freshness: Freshness::Fresh })
                if !self.refresh_is_due(&entry, now) =>
            {
                Ok(self.answer_at(now, entry, Outcome::L1Hit))
            }
            looked => Err(looked),
        }
    }

    /// Begins an L2 lookup for a key that is absent from L1, if no flight or lookup is under way
    /// for it. Otherwise returns the id of that flight or lookup, if there is one.
    fn begin_lookup(&self, key: &K, looked: Option<&Look<V>>) -> Result<L2Lookup<K>, Option<u64>> {
        let is_absent = |freshness| freshness == Freshness::Unusable;
        let asks = |l2: &Keyspace| l2.link.answers_within(self.policy.load_timeout);
        let is_asked = self.l2.as_ref().is_some_and(asks) && self.trusts_l2();
        if !is_asked || looked.is_some_and(|look| !is_absent(look.freshness)) {
            return Err(None);
        }
        let look_again = || {
            let entry = self.l1.get_if_present(key);
            entry.is_none_or(|entry| is_absent(self.freshness(key, &entry, Moment::now())))
        };
        let fill_token = self.fill_token(key);
        match self.fence.begin_lookup(key, look_again) {
            LookupStart::Started(token, id) => Ok(L2Lookup::new(fill_token(token), id)),
            LookupStart::Occupied(id) => Err(Some(id)),
            LookupStart::Present => Err(None),
        }
    }

    /// Answers a read that must not wait for its key's flight with the entry of L1, fresh or not.
    fn without_waiting(
        &self,
        key: &K,
        looked: Option<Look<V>>,
        error: LoadError,
    ) -> PendingRead<'_, K, V> {
        match looked {
            Some(Look { entry, freshness: Freshness::Fresh, .. }) => {
                PendingRead::Answered(self.answer(entry, Outcome::L1Hit))
            }
            Some(Look { freshness: Freshness::Unusable, .. }) | None => {
                self.recorder.outcome(self.label(key), Outcome::Failed, None);
                PendingRead::Refused(error)
            }
            Some(Look { entry, .. }) => PendingRead::Answered(self.answer(entry, Outcome::Stale)),
        }
    }

    fn join_or_answer(
        self: &Arc<Self>,
        key: &K,
        looked: Option<Look<V>>,
    ) -> PendingAndFill<'_, K, V> {
        let (outcome, fallback) = match looked.map(|look| (look.entry, look.freshness)) {
            Some((entry, Freshness::Failing)) => {
                return (PendingRead::Answered(self.answer(entry, Outcome::Stale)), None);
            }
            Some((entry, Freshness::Fresh)) => (Some(Outcome::L1Hit), Some(entry)),
            Some((entry, Freshness::Soft)) => (Some(Outcome::Stale), Some(entry)),
            Some((entry, Freshness::Stale)) => (None, Some(entry)),
            Some((_, Freshness::Unusable)) | None => (None, None),
        };
        self.join_or_lead(key, outcome, fallback)
    }

    /// Joins the key's flight, or leads one. With an `outcome` the read is already answered by
    /// `fallback` and only starts the refresh.
    pub(crate) fn join_or_lead(
        self: &Arc<Self>,
        key: &K,
        outcome: Option<Outcome>,
        fallback: Option<Entry<V>>,
    ) -> PendingAndFill<'_, K, V> {
        let mut led = None;
        let begin = || Arc::clone(led.insert(Flight::<V>::default()));
        // Looks again under the lock: an entry from before may be invalidated by now, and this
        // flight would bring it back if its load fails.
        let mut stands_in = None;
        let look = || {
            stands_in = self.l1.get_if_present(key);
            stands_in.clone().filter(|entry| outcome.is_none() && self.is_fresh(key, entry))
        };
        let fill_token = self.fill_token(key);
        let joined = self.fence.join(key, look, begin);
        let answered = outcome.zip(fallback.clone());
        let answered = answered.map(|(outcome, entry)| self.answer(entry, outcome));
        match joined {
            Joined::Hit(entry) => (PendingRead::Answered(self.answer(entry, Outcome::L1Hit)), None),
            Joined::Flight(flight) => {
                let joined = (self.label(key), Some(Outcome::Coalesced));
                let wait = || PendingRead::Waits(FlightWait::new(self, flight, joined, fallback));
                (answered.map_or_else(wait, PendingRead::Answered), None)
            }
            Joined::Lead(token, id) => {
                let flight = led.unwrap_or_default();
                let fill_token = fill_token(token);
                let label = fill_token.label;
                let fill = KeyFill::new(Arc::clone(self), (fill_token, id), Arc::clone(&flight));
                let now = Moment::now();
                let stands_in = stands_in
                    .filter(|entry| self.freshness(key, entry, now) != Freshness::Unusable);
                let is_refresh = outcome.is_some() && stands_in.is_some();
                let fill = fill.with_fallback(stands_in, is_refresh);
                let wait =
                    || PendingRead::Waits(FlightWait::new(self, flight, (label, None), fallback));
                (answered.map_or_else(wait, PendingRead::Answered), Some(fill))
            }
        }
    }

    #[inline]
    fn look(&self, key: &K) -> Option<Look<V>> {
        let found = if is_sampled() { self.l1_timed(key) } else { self.l1.get(key) };
        if let Some(entry) = found {
            let now = Moment::now();
            let freshness = self.freshness(key, &entry, now);
            if freshness != Freshness::Fresh {
                self.missed(key);
            }
            return Some(Look { entry, now, freshness });
        }
        self.missed(key);
        None
    }

    #[cold]
    fn l1_timed(&self, key: &K) -> Option<Entry<V>> {
        let began = std::time::Instant::now();
        let found = self.l1.get(key);
        self.recorder.l1_latency.record(began.elapsed());
        self.recorder.sampled(hash_of(key), || key.to_string());
        found
    }

    #[cold]
    fn missed(&self, key: &K) {
        self.recorder.missed(hash_of(key), || key.to_string());
    }

    pub(crate) fn answer(&self, entry: Entry<V>, outcome: Outcome) -> Read<V> {
        self.answer_at(Moment::now(), entry, outcome)
    }

    #[inline]
    fn answer_at(&self, now: Moment, entry: Entry<V>, outcome: Outcome) -> Read<V> {
        self.recorder.outcome(entry.label, outcome, Some(entry.weight));
        Read::at(now, entry, outcome)
    }
}
