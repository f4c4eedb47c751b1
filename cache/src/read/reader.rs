//! The read path: L1, else join the key's flight, else ask L2 (`scout`) and lead a flight where
//! it has nothing. `fill` is what a leader does.

use std::sync::Arc;

use strata_report::Outcome;

use super::cache_core::Core;
use super::fence::{Joined, Scouted};
use super::freshness::Standing;
use super::l2_entry::Held;
use super::l2_lookup::{Scout, Scouting};
use super::load::{Flight, Seat, nesting};
use super::pending_read::{Place, Seated, Waiting};
use super::values::{Load, Read};
use crate::clock::Moment;
use crate::error::LoadError;
use crate::key::{Key, Value};
use crate::l1::Entry;
use crate::l2::Keyspace;
use crate::recorder::{hash_of, is_sampled};

/// What L1 had for a key, and when.
pub(crate) struct Look<V> {
    entry: Entry<V>,
    now: Moment,
    standing: Standing,
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
        if let Ok(scout) = self.scout(key, looked.as_ref()) {
            let mut scouting = Scouting::new(self, load());
            scouting.send(scout);
            let mut places = scouting.look().await;
            return places.pop().unwrap_or(Place::Scouts).read().await;
        }
        let (place, seat) = self.place(key, looked);
        if let Some(seat) = seat {
            nesting::spawn(Arc::clone(self).fill(vec![seat], load()));
        }
        place.read().await
    }

    /// Answers many keys in their order with one flight for all that nobody else is loading.
    pub(crate) async fn read_many(
        self: &Arc<Self>,
        keys: &[K],
        load: Load<K, V>,
    ) -> Vec<Result<Read<V>, LoadError>> {
        let (mut scouting, mut seats) = (Scouting::new(self, load), Vec::new());
        let mut places = Vec::with_capacity(keys.len());
        for key in keys {
            places.push(self.place_among(key, &mut scouting, &mut seats));
        }
        // Others may wait for the seats, so those never wait for this reader.
        let found = match seats.is_empty() && scouting.is_patient() {
            true => scouting.look().await,
            false => scouting.take_off(seats),
        };
        Place::fill_in(&mut places, found, self);
        let mut reads = Vec::with_capacity(keys.len());
        // Seats land in order: who waits for the last one first is woken up once.
        for place in places.into_iter().rev() {
            reads.push(place.read().await);
        }
        reads.reverse();
        reads
    }

    /// One key's place among those of a call.
    fn place_among<'a>(
        self: &'a Arc<Self>,
        key: &K,
        scouting: &mut Scouting<'a, K, V>,
        seats: &mut Vec<Seat<K, V>>,
    ) -> Place<'a, K, V> {
        let looked = match self.hit(key) {
            Ok(read) => return Place::Answered(read),
            Err(looked) => looked,
        };
        if let Some(error) = self.recursion(key) {
            return self.without_waiting(key, looked, error);
        }
        let id = match self.scout(key, looked.as_ref()) {
            Ok(scout) => {
                scouting.send(scout);
                return Place::Scouts;
            }
            Err(id) => id,
        };
        if let Some((at, label)) = id.and_then(|id| scouting.repeat(id)) {
            return Place::Repeats { at, label };
        }
        let (place, seat) = self.place(key, looked);
        seats.extend(seat);
        place
    }

    /// Answers from L1 or L2, never from the source.
    pub(crate) async fn read_cached(&self, key: &K) -> Read<V> {
        match self.look(key) {
            Some(Look { entry, now, standing: Standing::Fresh }) => {
                return self.answer_at(now, entry, Outcome::L1Hit);
            }
            Some(Look { entry, now, standing: Standing::Soft | Standing::Failing }) => {
                return self.answer_at(now, entry, Outcome::Stale);
            }
            Some(Look { standing: Standing::Stale | Standing::Dead, .. }) | None => {}
        }
        let ticket = self.ticket(key)(self.fence.token(key));
        let held = Box::pin(self.ask_l2(&[&ticket.text])).await.ok();
        let held = held.and_then(|mut held| held.pop()?);
        let is_news = |held: &Held<V>| !self.knows_newer(key, held.life.version);
        let Some(held) = held.filter(|held| held.is_usable() && is_news(held)) else {
            self.recorder.outcome(ticket.label, Outcome::Missed, None);
            return Read::nothing(Outcome::Missed);
        };
        let outcome = held.outcome();
        let entry = self.entry(&ticket, held.value, &held.life);
        if !self.fence.fill(key, ticket.token, || self.put_l1(key, &entry)) {
            self.recorder.l1_fenced.add(1);
        }
        self.answer(entry, outcome)
    }

    /// Nearly every read: L1 answers, and there is nothing else to do. What was found otherwise
    /// is handed back.
    #[inline]
    fn hit(&self, key: &K) -> Result<Read<V>, Option<Look<V>>> {
        match self.look(key) {
            Some(Look { entry, now, standing: Standing::Fresh })
                if !self.refresh_is_due(&entry, now) =>
            {
                Ok(self.answer_at(now, entry, Outcome::L1Hit))
            }
            looked => Err(looked),
        }
    }

    /// Sends a scout for a key that L1 has nothing for and nobody sees to; else tells the id of who
    /// does, if anybody.
    fn scout(&self, key: &K, looked: Option<&Look<V>>) -> Result<Scout<K>, Option<u64>> {
        let is_absent = |standing| standing == Standing::Dead;
        let asks = |l2: &Keyspace| l2.link.answers_within(self.policy.load_timeout);
        let is_asked = self.l2.as_ref().is_some_and(asks) && self.trusts_l2();
        if !is_asked || looked.is_some_and(|look| !is_absent(look.standing)) {
            return Err(None);
        }
        let look_again = || {
            let entry = self.l1.get_if_present(key);
            entry.is_none_or(|entry| is_absent(self.standing(key, &entry, Moment::now())))
        };
        let ticket = self.ticket(key);
        match self.fence.scout(key, look_again) {
            Scouted::Sent(token, id) => Ok(Scout::new(ticket(token), id)),
            Scouted::Occupied(id) => Err(Some(id)),
            Scouted::Present => Err(None),
        }
    }

    /// Answers a read that must not wait for its key's flight with what L1 has, fresh or not.
    fn without_waiting(
        &self,
        key: &K,
        looked: Option<Look<V>>,
        error: LoadError,
    ) -> Place<'_, K, V> {
        match looked {
            Some(Look { entry, standing: Standing::Fresh, .. }) => {
                Place::Answered(self.answer(entry, Outcome::L1Hit))
            }
            Some(Look { standing: Standing::Dead, .. }) | None => {
                self.recorder.outcome(self.label(key), Outcome::Failed, None);
                Place::Refused(error)
            }
            Some(Look { entry, .. }) => Place::Answered(self.answer(entry, Outcome::Stale)),
        }
    }

    fn place(self: &Arc<Self>, key: &K, looked: Option<Look<V>>) -> Seated<'_, K, V> {
        let (outcome, fallback) = match looked.map(|look| (look.entry, look.standing)) {
            Some((entry, Standing::Failing)) => {
                return (Place::Answered(self.answer(entry, Outcome::Stale)), None);
            }
            Some((entry, Standing::Fresh)) => (Some(Outcome::L1Hit), Some(entry)),
            Some((entry, Standing::Soft)) => (Some(Outcome::Stale), Some(entry)),
            Some((entry, Standing::Stale)) => (None, Some(entry)),
            Some((_, Standing::Dead)) | None => (None, None),
        };
        self.board(key, outcome, fallback)
    }

    /// Joins or leads the key's flight. With an `outcome` the read is answered by `fallback`
    /// already and only sees to the refresh.
    pub(crate) fn board(
        self: &Arc<Self>,
        key: &K,
        outcome: Option<Outcome>,
        fallback: Option<Entry<V>>,
    ) -> Seated<'_, K, V> {
        let mut led = None;
        let begin = || Arc::clone(led.insert(Flight::<V>::default()));
        // Under the lock: what lay there before may be invalidated by now, and this flight would
        // bring it back where its load fails.
        let mut stands_in = None;
        let look = || {
            stands_in = self.l1.get_if_present(key);
            stands_in.clone().filter(|entry| outcome.is_none() && self.is_fresh(key, entry))
        };
        let ticket = self.ticket(key);
        let joined = self.fence.join(key, look, begin);
        let answered = outcome.zip(fallback.clone());
        let answered = answered.map(|(outcome, entry)| self.answer(entry, outcome));
        match joined {
            Joined::Hit(entry) => (Place::Answered(self.answer(entry, Outcome::L1Hit)), None),
            Joined::Flight(flight) => {
                let joined = (self.label(key), Some(Outcome::Coalesced));
                let wait = || Place::Waits(Waiting::new(self, flight, joined, fallback));
                (answered.map_or_else(wait, Place::Answered), None)
            }
            Joined::Lead(token, id) => {
                let flight = led.unwrap_or_default();
                let ticket = ticket(token);
                let label = ticket.label;
                let seat = Seat::new(Arc::clone(self), (ticket, id), Arc::clone(&flight));
                let now = Moment::now();
                let stands_in =
                    stands_in.filter(|entry| self.standing(key, entry, now) != Standing::Dead);
                let is_refresh = outcome.is_some() && stands_in.is_some();
                let seat = seat.standing_in(stands_in, is_refresh);
                let wait = || Place::Waits(Waiting::new(self, flight, (label, None), fallback));
                (answered.map_or_else(wait, Place::Answered), Some(seat))
            }
        }
    }

    #[inline]
    fn look(&self, key: &K) -> Option<Look<V>> {
        let found = if is_sampled() { self.l1_timed(key) } else { self.l1.get(key) };
        if let Some(entry) = found {
            let now = Moment::now();
            let standing = self.standing(key, &entry, now);
            if standing != Standing::Fresh {
                self.missed(key);
            }
            return Some(Look { entry, now, standing });
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
