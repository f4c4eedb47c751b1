//! A reader asks L2 itself, before there is a flight. That saves a task and two wake-ups if L2 has
//! the entry.

use std::mem;
use std::sync::Arc;

use strata_report::Outcome;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::cache_core::Core;
use super::l2_entry::L2Entry;
use super::load::{Flight, KeyFill, nesting};
use super::new_entry::FillToken;
use super::pending_read::{FlightWait, PendingAndFill, PendingRead};
use super::values::{Load, Read};
use crate::connection::Away;
use crate::key::{Key, Value};
use crate::l2::AT_ONCE;
use crate::recorder::Label;

/// A key for which one reader asks L2, before there is a flight.
pub(crate) struct L2Lookup<K> {
    fill_token: FillToken<K>,
    id: u64,
    /// How many further reads of the same call wait for it.
    n_repeats: usize,
}

impl<K> L2Lookup<K> {
    pub(crate) fn new(fill_token: FillToken<K>, id: u64) -> Self {
        Self { fill_token, id, n_repeats: 0 }
    }
}

/// The L2 lookups of one call. Keys that L2 does not have continue in flights of their own, and so
/// do all keys if the reader goes away. If the reader merely stops polling, other readers do not
/// wait for it: the next one leads a flight in place of the lookup.
pub(crate) struct L2Lookups<'a, K: Key, V: Value> {
    core: &'a Arc<Core<K, V>>,
    lookups: Vec<L2Lookup<K>>,
    load: Option<Load<K, V>>,
    began: Instant,
}

impl<'a, K: Key, V: Value> L2Lookups<'a, K, V> {
    pub(crate) fn new(core: &'a Arc<Core<K, V>>, load: Load<K, V>) -> Self {
        Self { core, lookups: Vec::new(), load: Some(load), began: Instant::now() }
    }

    pub(crate) fn add(&mut self, lookup: L2Lookup<K>) {
        self.lookups.push(lookup);
    }

    /// Adds a read of the key of this lookup, if the lookup is one of these. Returns the lookup's
    /// index.
    pub(crate) fn repeat(&mut self, id: u64) -> Option<(usize, Label)> {
        let at = self.lookups.binary_search_by_key(&id, |lookup| lookup.id).ok()?;
        self.lookups[at].n_repeats += 1;
        Some((at, self.lookups[at].fill_token.label))
    }

    /// Whether L2 answers or times out before the load timeout is over. It may be asked about tags
    /// as well.
    pub(crate) fn is_patient(&self) -> bool {
        let n_calls = 1 + self.lookups.len().div_ceil(AT_ONCE) as u32;
        let timeout = self.core.l2.as_ref().map(|l2| l2.link.timeout()).unwrap_or_default();
        timeout.saturating_mul(n_calls) <= self.core.policy.load_timeout
    }

    /// Asks L2. Answers the reads that it can, and lets the others wait for flights, in the order
    /// of the lookups.
    pub(crate) async fn run(mut self) -> Vec<PendingRead<'a, K, V>> {
        if self.lookups.is_empty() {
            return Vec::new();
        }
        let texts: Vec<&str> = self.lookups.iter().map(|lookup| &*lookup.fill_token.text).collect();
        // Boxed, because callers' futures contain this one, and rustc refuses futures that nest too
        // deep.
        let held = Box::pin(self.core.ask_l2(&texts)).await;
        let is_away = held.is_err();
        let (pending, fills, held) = self.split(held.unwrap_or_default());
        if let Some(load) = self.load.take().filter(|_| !fills.is_empty()) {
            let held = if is_away { Err(Away) } else { Ok(held) };
            nesting::spawn(Arc::clone(self.core).lead_with(fills, held, load));
        }
        pending
    }

    /// Begins flights for all lookups, together with those fills.
    pub(crate) fn lead_all(mut self, mut fills: Vec<KeyFill<K, V>>) -> Vec<PendingRead<'a, K, V>> {
        let (pending, own, _) = self.split(Vec::new());
        fills.extend(own);
        if let Some(load) = self.load.take().filter(|_| !fills.is_empty()) {
            nesting::spawn(Arc::clone(self.core).lead(fills, load));
        }
        pending
    }

    /// Answers the fresh keys. For the rest it begins flights, which continue from L2's content.
    fn split(&mut self, held: Vec<Option<L2Entry<V>>>) -> SplitLookups<'a, K, V> {
        let mut pending = Vec::with_capacity(self.lookups.len());
        let (mut fills, mut rest) = (Vec::new(), Vec::new());
        let mut held = held.into_iter();
        // One by one, so that the rest is still handled if code of a key or a value panics.
        self.lookups.reverse();
        while let Some(lookup) = self.lookups.pop() {
            let held = held.next().flatten();
            if let Some(read) = held.as_ref().and_then(|held| self.answer_hit(&lookup, held)) {
                pending.push(PendingRead::Answered(read));
                continue;
            }
            let (read, fill) = match self.lead(lookup) {
                Ok(seated) => {
                    rest.push(held);
                    seated
                }
                Err(lookup) => {
                    // L2's entry may have been invalidated since, so the flight asks again.
                    let (read, fill) = self.core.join_or_lead(&lookup.fill_token.key, None, None);
                    rest.extend(fill.as_ref().map(|_| None));
                    (read.since(self.began), fill)
                }
            };
            pending.push(read);
            fills.extend(fill);
        }
        (pending, fills, rest)
    }

    /// Answers with a fresh entry. If its weigher panics, a flight answers with the same entry.
    fn answer_hit(&self, lookup: &L2Lookup<K>, held: &L2Entry<V>) -> Option<Read<V>> {
        let L2Lookup { fill_token, id, .. } = lookup;
        let is_news = || !self.core.knows_newer(&fill_token.key, held.meta.version);
        if !held.is_fresh() || !self.core.recorder.contain(is_news)? {
            return None;
        }
        let entry = || self.core.entry(fill_token, held.value.clone(), &held.meta);
        let entry = self.core.recorder.contain(entry)?;
        let put = || self.core.put_l1(&fill_token.key, &entry);
        let is_kept = self.core.fence.end_lookup(&fill_token.key, (fill_token.token, *id), put);
        if !is_kept {
            self.core.recorder.l1_fenced.add(1);
        }
        let entry = if is_kept { entry } else { entry.unkept() };
        Some(self.core.answer(entry, Outcome::L2Hit))
    }

    fn lead(&self, lookup: L2Lookup<K>) -> Result<PendingAndFill<'a, K, V>, L2Lookup<K>> {
        let label = lookup.fill_token.label;
        let fill = self.fill(lookup)?;
        let waiting = FlightWait::new(self.core, fill.flight(), (label, None), None);
        Ok((PendingRead::Waits(waiting.since(self.began)), Some(fill)))
    }

    /// The fill in the flight that replaces the lookup, if the lookup is still under way.
    fn fill(&self, lookup: L2Lookup<K>) -> Result<KeyFill<K, V>, L2Lookup<K>> {
        let flight = Flight::<V>::default();
        if !self.core.fence.begin_flight(&lookup.fill_token.key, lookup.id, || Arc::clone(&flight))
        {
            return Err(lookup);
        }
        Ok(KeyFill::new(Arc::clone(self.core), (lookup.fill_token, lookup.id), flight))
    }
}

/// The reads in order, the fills of those that wait, and the content of L2 for each fill.
type SplitLookups<'a, K, V> =
    (Vec<PendingRead<'a, K, V>>, Vec<KeyFill<K, V>>, Vec<Option<L2Entry<V>>>);

impl<K: Key, V: Value> Drop for L2Lookups<'_, K, V> {
    /// The reader has gone away.
    fn drop(&mut self) {
        let mut fills = Vec::new();
        for lookup in mem::take(&mut self.lookups) {
            for _ in 0..=lookup.n_repeats {
                self.core.recorder.outcome(lookup.fill_token.label, Outcome::Failed, None);
            }
            // The reader may be panicking, and a second panic would end the process.
            let fill = self.core.recorder.contain(|| self.fill(lookup).ok());
            fills.extend(fill.flatten());
        }
        // Without a runtime to continue in, dropping the fills ends their flights.
        if let (Some(load), Ok(runtime)) = (self.load.take(), Handle::try_current())
            && !fills.is_empty()
        {
            nesting::spawn_on(&runtime, Arc::clone(self.core).lead(fills, load));
        }
    }
}
