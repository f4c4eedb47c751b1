//! A reader's own look into L2, before there is a flight.

use std::sync::Arc;
use std::{iter, mem};

use strata_report::Outcome;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::core::{Core, Flight};
use crate::held::Held;
use crate::l2::{AT_ONCE, Away};
use crate::place::{Place, Seated};
use crate::read::Load;
use crate::seat::Seat;
use crate::ticket::Ticket;
use crate::waiting::Waiting;
use crate::{Key, Read, Value};

/// A key that one reader alone sees to, until L2 has answered.
pub(crate) struct Scout<K> {
    pub(crate) ticket: Ticket<K>,
    pub(crate) id: u64,
}

impl<K> Scout<K> {
    /// Where among scouts the one with this id is; ids grow.
    pub(crate) fn at(scouts: &[Self], id: u64) -> Option<usize> {
        scouts.binary_search_by_key(&id, |scout| scout.id).ok()
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
    pub(crate) fn new(core: &'a Arc<Core<K, V>>, scouts: Vec<Scout<K>>, load: Load<K, V>) -> Self {
        Self { core, scouts, load: Some(load), began: Instant::now() }
    }

    /// Whether L2 answers or times out before the reader gives up.
    pub(crate) fn is_patient(&self) -> bool {
        let n_calls = self.scouts.len().div_ceil(AT_ONCE) as u32;
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
        let held = self.core.ask_l2(&texts).await;
        let is_away = held.is_err();
        let (places, seats, held) = self.part(held.unwrap_or_default());
        if let Some(load) = self.load.take().filter(|_| !seats.is_empty()) {
            let held = if is_away { Err(Away) } else { Ok(held) };
            tokio::spawn(Arc::clone(self.core).fill_with(seats, held, load));
        }
        places
    }

    /// Begins flights for all, together with those that have begun.
    pub(crate) fn take_off(mut self, mut seats: Vec<Seat<K, V>>) -> Vec<Place<'a, K, V>> {
        let (places, own, _) = self.part(Vec::new());
        seats.extend(own);
        if let Some(load) = self.load.take() {
            tokio::spawn(Arc::clone(self.core).fill(seats, load));
        }
        places
    }

    /// Answers what is fresh; for the rest flights begin, which go on from what L2 holds.
    fn part(&mut self, held: Vec<Option<Held<V>>>) -> Parted<'a, K, V> {
        let scouts = mem::take(&mut self.scouts);
        let mut places = Vec::with_capacity(scouts.len());
        let (mut seats, mut rest) = (Vec::new(), Vec::new());
        let held = held.into_iter().chain(iter::repeat_with(|| None));
        for (scout, held) in scouts.into_iter().zip(held) {
            let held = match held {
                Some(held) if held.is_fresh() => {
                    places.push(Place::Answered(self.settle(&scout, held)));
                    continue;
                }
                held => held,
            };
            let flight = Flight::<V>::default();
            let id = scout.id;
            let (place, seat) =
                if self.core.fence.take_off(&scout.ticket.key, id, || Arc::clone(&flight)) {
                    rest.push(held);
                    self.lead(scout, flight)
                } else {
                    // What L2 held may have been invalidated; the flight looks again.
                    let (place, seat) = self.core.board(&scout.ticket.key, None, None);
                    rest.extend(seat.as_ref().map(|_| None));
                    (place, seat)
                };
            places.push(place);
            seats.extend(seat);
        }
        (places, seats, rest)
    }

    fn settle(&self, scout: &Scout<K>, held: Held<V>) -> Read<V> {
        let Scout { ticket, id } = scout;
        let entry = self.core.entry(ticket, held.value, &held.life);
        let put = || self.core.put_l1(&ticket.key, &entry);
        if !self.core.fence.settle(&ticket.key, (ticket.token, *id), put) {
            self.core.recorder.l1_fenced.add(1);
        }
        self.core.answer(entry, Outcome::L2Hit)
    }

    fn lead(&self, scout: Scout<K>, flight: Flight<V>) -> Seated<'a, K, V> {
        let Scout { ticket, id } = scout;
        let waiting = Waiting::new(self.core, Arc::clone(&flight), (ticket.label, None), None);
        let seat = Seat::new(Arc::clone(self.core), (ticket, id), flight);
        (Place::Waits(waiting.since(self.began)), Some(seat))
    }
}

/// The reads in their order, the seats of those that wait, and what L2 holds for each seat.
type Parted<'a, K, V> = (Vec<Place<'a, K, V>>, Vec<Seat<K, V>>, Vec<Option<Held<V>>>);

impl<K: Key, V: Value> Drop for Scouting<'_, K, V> {
    fn drop(&mut self) {
        if self.scouts.is_empty() {
            return;
        }
        // Seats end their flights where there is no runtime that could go on with them.
        let (_, seats, _) = self.part(Vec::new());
        if let (Some(load), Ok(runtime)) = (self.load.take(), Handle::try_current()) {
            runtime.spawn(Arc::clone(self.core).fill(seats, load));
        }
    }
}
