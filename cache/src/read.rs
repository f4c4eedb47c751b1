//! The read path: L1, else join the key's flight, else lead it. `fill` is what a leader does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use strata_report::Outcome;
use tokio::sync::watch;

use crate::clock::Moment;
use crate::core::{Core, Landing, Standing};
use crate::face::Later;
use crate::fence::Joined;
use crate::held::Held;
use crate::l1::Entry;
use crate::recorder::{hash_of, is_sampled};
use crate::seat::Seat;
use crate::waiting::Waiting;
use crate::{Key, LoadError, Loaded, Read, Value};

/// Asks the source for keys; what it leaves out is "not found".
pub(crate) type Load<K, V> =
    Box<dyn FnOnce(Vec<K>) -> Later<Result<HashMap<K, Loaded<V>>, LoadError>> + Send>;

/// What L1 had for a key, and when.
struct Look<V> {
    entry: Entry<V>,
    now: Moment,
    standing: Standing,
}

/// Where one read stands after L1.
enum Place<'a, K: Key, V: Value> {
    Answered(Entry<V>, Outcome),
    /// Answered stale; this read leads the refresh.
    Refreshing(Entry<V>, Outcome, Seat<K, V>),
    /// Waits for a flight that another read leads.
    Joined(Waiting<'a, K, V>),
    /// Leads a flight.
    Leading(Seat<K, V>, Waiting<'a, K, V>),
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
        match self.place(key, looked) {
            Place::Answered(entry, outcome) => Ok(self.answer(entry, outcome)),
            Place::Refreshing(entry, outcome, seat) => {
                tokio::spawn(Arc::clone(self).fill(vec![seat], load()));
                Ok(self.answer(entry, outcome))
            }
            Place::Joined(waiting) => waiting.for_the_flight().await,
            Place::Leading(seat, waiting) => {
                tokio::spawn(Arc::clone(self).fill(vec![seat], load()));
                waiting.for_the_flight().await
            }
        }
    }

    /// Answers many keys in their order with one flight for all that nobody else is loading.
    pub(crate) async fn read_many(
        self: &Arc<Self>,
        keys: &[K],
        load: Load<K, V>,
    ) -> Vec<Result<Read<V>, LoadError>> {
        let mut seats = Vec::new();
        let mut places = Vec::with_capacity(keys.len());
        for key in keys {
            let looked = match self.hit(key) {
                Ok(read) => {
                    places.push(Ok(read));
                    continue;
                }
                Err(looked) => looked,
            };
            places.push(match self.place(key, looked) {
                Place::Answered(entry, outcome) => Ok(self.answer(entry, outcome)),
                Place::Refreshing(entry, outcome, seat) => {
                    seats.push(seat);
                    Ok(self.answer(entry, outcome))
                }
                Place::Joined(waiting) => Err(waiting),
                Place::Leading(seat, waiting) => {
                    seats.push(seat);
                    Err(waiting)
                }
            });
        }
        if !seats.is_empty() {
            tokio::spawn(Arc::clone(self).fill(seats, load));
        }
        let mut reads = Vec::with_capacity(keys.len());
        // Seats land in order: who waits for the last one first is woken up once.
        for place in places.into_iter().rev() {
            reads.push(match place {
                Ok(read) => Ok(read),
                Err(waiting) => waiting.for_the_flight().await,
            });
        }
        reads.reverse();
        reads
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
        let token = self.fence.token(key);
        let text = key.to_string();
        let held = self.ask_l2(&[&text]).await.ok();
        let held = held.and_then(|mut held| held.pop()?);
        let Some(held) = held.filter(Held::is_usable) else {
            self.recorder.outcome(self.label(key), Outcome::Missed, None);
            return Read::nothing(Outcome::Missed);
        };
        let outcome = held.outcome();
        let entry = self.entry(key, held.value, token, &held.life);
        if !self.fence.fill(key, token, || self.put_l1(key, &entry)) {
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

    fn place(self: &Arc<Self>, key: &K, looked: Option<Look<V>>) -> Place<'_, K, V> {
        let (outcome, fallback) = match looked.map(|look| (look.entry, look.standing)) {
            Some((entry, Standing::Failing)) => return Place::Answered(entry, Outcome::Stale),
            Some((entry, Standing::Fresh)) => (Some(Outcome::L1Hit), Some(entry)),
            Some((entry, Standing::Soft)) => (Some(Outcome::Stale), Some(entry)),
            Some((entry, Standing::Stale)) => (None, Some(entry)),
            Some((_, Standing::Dead)) | None => (None, None),
        };
        self.board(key, outcome, fallback)
    }

    /// Joins or leads the key's flight. With an `outcome` the read is answered by `fallback`
    /// already and only sees to the refresh.
    fn board(
        self: &Arc<Self>,
        key: &K,
        outcome: Option<Outcome>,
        fallback: Option<Entry<V>>,
    ) -> Place<'_, K, V> {
        let (sender, flight) = watch::channel(None::<Landing<V>>);
        // Under the lock: what lay there before may be invalidated by now, and this flight would
        // bring it back where its load fails.
        let mut stands_in = None;
        let look = || {
            stands_in = self.l1.get_if_present(key);
            stands_in.clone().filter(|entry| outcome.is_none() && self.is_fresh(entry))
        };
        let joined = self.fence.join(key, look, || flight.clone());
        match (joined, outcome, fallback) {
            (Joined::Hit(entry), ..) => Place::Answered(entry, Outcome::L1Hit),
            (Joined::Flight(_), Some(outcome), Some(entry)) => Place::Answered(entry, outcome),
            (Joined::Flight(flight), _, fallback) => {
                let joined = (self.label(key), Some(Outcome::Coalesced));
                Place::Joined(Waiting::new(self, flight, joined, fallback))
            }
            (Joined::Lead(token, id), outcome, fallback) => {
                let seat = Seat::new(Arc::clone(self), key.clone(), (token, id), sender);
                let now = Moment::now();
                let stands_in =
                    stands_in.filter(|entry| self.standing(entry, now) != Standing::Dead);
                let is_refresh = outcome.is_some() && stands_in.is_some();
                let seat = seat.standing_in(stands_in, is_refresh);
                match (outcome, fallback) {
                    (Some(outcome), Some(entry)) => Place::Refreshing(entry, outcome, seat),
                    (_, fallback) => Place::Leading(
                        seat,
                        Waiting::new(self, flight, (self.label(key), None), fallback),
                    ),
                }
            }
        }
    }

    #[inline]
    fn look(&self, key: &K) -> Option<Look<V>> {
        let found = if is_sampled() { self.l1_timed(key) } else { self.l1.get(key) };
        if let Some(entry) = found {
            let now = Moment::now();
            let standing = self.standing(&entry, now);
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

    fn answer(&self, entry: Entry<V>, outcome: Outcome) -> Read<V> {
        self.answer_at(Moment::now(), entry, outcome)
    }

    #[inline]
    fn answer_at(&self, now: Moment, entry: Entry<V>, outcome: Outcome) -> Read<V> {
        self.recorder.outcome(entry.label, outcome, Some(entry.weight));
        Read::at(now, entry, outcome)
    }
}

impl<V> Read<V> {
    #[inline]
    pub(crate) fn at(now: Moment, entry: Entry<V>, outcome: Outcome) -> Self {
        Self {
            age: now.since(entry.loaded_at),
            expires_in: Some(entry.fresh_until.since(now)),
            value: entry.value,
            outcome,
        }
    }

    fn nothing(outcome: Outcome) -> Self {
        Self { value: None, outcome, age: Duration::ZERO, expires_in: None }
    }
}
