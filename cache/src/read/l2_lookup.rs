//! A reader's own look into L2, before there is a flight.

use std::mem;
use std::sync::Arc;

use strata_report::Outcome;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::cache_core::Core;
use super::l2_entry::Held;
use super::load::{Flight, Seat, nesting};
use super::new_entry::Ticket;
use super::pending_read::{Place, Seated, Waiting};
use super::values::{Load, Read};
use crate::connection::Away;
use crate::key::{Key, Value};
use crate::l2::AT_ONCE;
use crate::recorder::Label;

/// A key that one reader alone sees to, until L2 has answered.
pub(crate) struct Scout<K> {
    ticket: Ticket<K>,
    id: u64,
    /// So many more reads of the same call wait for it.
    n_repeats: usize,
}

impl<K> Scout<K> {
    pub(crate) fn new(ticket: Ticket<K>, id: u64) -> Self {
        Self { ticket, id, n_repeats: 0 }
    }
}

/// The scouts of one call. Their reader asks L2 itself, which saves a task and two wake-ups where
/// L2 has the entries; that is most reads that L1 cannot answer. What L2 has not goes on in
/// flights of its own, and so does everything if the reader goes away. One that merely stops
/// asking keeps nobody waiting: who comes next leads a flight in the scout's place.
pub(crate) struct Scouting<'a, K: Key, V: Value> {
    core: &'a Arc<Core<K, V>>,
    scouts: Vec<Scout<K>>,
    load: Option<Load<K, V>>,
    began: Instant,
}

impl<'a, K: Key, V: Value> Scouting<'a, K, V> {
    pub(crate) fn new(core: &'a Arc<Core<K, V>>, load: Load<K, V>) -> Self {
        Self { core, scouts: Vec::new(), load: Some(load), began: Instant::now() }
    }

    pub(crate) fn send(&mut self, scout: Scout<K>) {
        self.scouts.push(scout);
    }

    /// One more read of the key whose scout has this id, if it is ours: its place among ours.
    pub(crate) fn repeat(&mut self, id: u64) -> Option<(usize, Label)> {
        let at = self.scouts.binary_search_by_key(&id, |scout| scout.id).ok()?;
        self.scouts[at].n_repeats += 1;
        Some((at, self.scouts[at].ticket.label))
    }

    /// Whether L2 answers or times out before the reader gives up; about tags it is asked as well.
    pub(crate) fn is_patient(&self) -> bool {
        let n_calls = 1 + self.scouts.len().div_ceil(AT_ONCE) as u32;
        let timeout = self.core.l2.as_ref().map(|l2| l2.link.timeout()).unwrap_or_default();
        timeout.saturating_mul(n_calls) <= self.core.policy.load_timeout
    }

    /// Asks L2. Answers the reads that it can, and has the others wait for flights; in the order
    /// of the scouts.
    pub(crate) async fn look(mut self) -> Vec<Place<'a, K, V>> {
        if self.scouts.is_empty() {
            return Vec::new();
        }
        let texts: Vec<&str> = self.scouts.iter().map(|scout| &*scout.ticket.text).collect();
        // In a box: callers' futures hold this one, and rustc refuses those that nest too deep.
        let held = Box::pin(self.core.ask_l2(&texts)).await;
        let is_away = held.is_err();
        let (places, seats, held) = self.part(held.unwrap_or_default());
        if let Some(load) = self.load.take().filter(|_| !seats.is_empty()) {
            let held = if is_away { Err(Away) } else { Ok(held) };
            nesting::spawn(Arc::clone(self.core).fill_with(seats, held, load));
        }
        places
    }

    /// Begins flights for all, together with those that have begun.
    pub(crate) fn take_off(mut self, mut seats: Vec<Seat<K, V>>) -> Vec<Place<'a, K, V>> {
        let (places, own, _) = self.part(Vec::new());
        seats.extend(own);
        if let Some(load) = self.load.take().filter(|_| !seats.is_empty()) {
            nesting::spawn(Arc::clone(self.core).fill(seats, load));
        }
        places
    }

    /// Answers what is fresh; for the rest flights begin, which go on from what L2 holds.
    fn part(&mut self, held: Vec<Option<Held<V>>>) -> Parted<'a, K, V> {
        let mut places = Vec::with_capacity(self.scouts.len());
        let (mut seats, mut rest) = (Vec::new(), Vec::new());
        let mut held = held.into_iter();
        // One by one: those that are left are seen to even if code of a key or a value panics.
        self.scouts.reverse();
        while let Some(scout) = self.scouts.pop() {
            let held = held.next().flatten();
            if let Some(read) = held.as_ref().and_then(|held| self.settle(&scout, held)) {
                places.push(Place::Answered(read));
                continue;
            }
            let (place, seat) = match self.lead(scout) {
                Ok(seated) => {
                    rest.push(held);
                    seated
                }
                Err(scout) => {
                    // What L2 held may have been invalidated; the flight looks again.
                    let (place, seat) = self.core.board(&scout.ticket.key, None, None);
                    rest.extend(seat.as_ref().map(|_| None));
                    (place.since(self.began), seat)
                }
            };
            places.push(place);
            seats.extend(seat);
        }
        (places, seats, rest)
    }

    /// Answers with a fresh entry. Where its weigher panics, a flight finds the same.
    fn settle(&self, scout: &Scout<K>, held: &Held<V>) -> Option<Read<V>> {
        let Scout { ticket, id, .. } = scout;
        let is_news = || !self.core.knows_newer(&ticket.key, held.life.version);
        if !held.is_fresh() || !self.core.recorder.contain(is_news)? {
            return None;
        }
        let entry = || self.core.entry(ticket, held.value.clone(), &held.life);
        let entry = self.core.recorder.contain(entry)?;
        let put = || self.core.put_l1(&ticket.key, &entry);
        if !self.core.fence.settle(&ticket.key, (ticket.token, *id), put) {
            self.core.recorder.l1_fenced.add(1);
        }
        Some(self.core.answer(entry, Outcome::L2Hit))
    }

    fn lead(&self, scout: Scout<K>) -> Result<Seated<'a, K, V>, Scout<K>> {
        let label = scout.ticket.label;
        let seat = self.seat(scout)?;
        let waiting = Waiting::new(self.core, seat.flight(), (label, None), None);
        Ok((Place::Waits(waiting.since(self.began)), Some(seat)))
    }

    /// The seat in the flight that the scout makes room for, if it is still there.
    fn seat(&self, scout: Scout<K>) -> Result<Seat<K, V>, Scout<K>> {
        let flight = Flight::<V>::default();
        if !self.core.fence.take_off(&scout.ticket.key, scout.id, || Arc::clone(&flight)) {
            return Err(scout);
        }
        Ok(Seat::new(Arc::clone(self.core), (scout.ticket, scout.id), flight))
    }
}

/// The reads in their order, the seats of those that wait, and what L2 holds for each seat.
type Parted<'a, K, V> = (Vec<Place<'a, K, V>>, Vec<Seat<K, V>>, Vec<Option<Held<V>>>);

impl<K: Key, V: Value> Drop for Scouting<'_, K, V> {
    /// The reader has gone away.
    fn drop(&mut self) {
        let mut seats = Vec::new();
        for scout in mem::take(&mut self.scouts) {
            for _ in 0..=scout.n_repeats {
                self.core.recorder.outcome(scout.ticket.label, Outcome::Failed, None);
            }
            // Perhaps while the reader panics, where a second panic would end the process.
            let seat = self.core.recorder.contain(|| self.seat(scout).ok());
            seats.extend(seat.flatten());
        }
        // Seats end their flights where there is no runtime that could go on with them.
        if let (Some(load), Ok(runtime)) = (self.load.take(), Handle::try_current())
            && !seats.is_empty()
        {
            nesting::spawn_on(&runtime, Arc::clone(self.core).fill(seats, load));
        }
    }
}
