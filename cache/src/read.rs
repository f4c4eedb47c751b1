//! The read path: L1, else join the key's flight, else lead it. `fill` is what a leader does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use strata_report::Outcome;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::core::{Core, Flight, Landing, Life};
use crate::face::Later;
use crate::fence::Joined;
use crate::fill::Seat;
use crate::l1::Entry;
use crate::recorder::sample_l1;
use crate::{Key, LoadError, Read, Value};

/// Asks the source for keys; what it leaves out is "not found".
pub(crate) type Load<K, V> =
    Box<dyn FnOnce(Vec<K>) -> Later<Result<HashMap<K, V>, LoadError>> + Send>;

/// Where one read stands after L1.
enum Place<'a, K: Key, V: Value> {
    Answered(Entry<V>),
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
        if let Some(entry) = self.read_l1(key) {
            return Ok(self.answered(entry));
        }
        let deadline = Instant::now() + self.policy.load_timeout;
        match self.place(key) {
            Place::Answered(entry) => Ok(self.answered(entry)),
            Place::Joined(waiting) => waiting.until(deadline).await,
            Place::Leading(seat, waiting) => {
                tokio::spawn(Arc::clone(self).fill(vec![seat], load()));
                waiting.until(deadline).await
            }
        }
    }

    /// Answers many keys in their order with one flight for all that nobody else is loading.
    pub(crate) async fn read_many(
        self: &Arc<Self>,
        keys: &[K],
        load: Load<K, V>,
    ) -> Vec<Result<Read<V>, LoadError>> {
        let deadline = Instant::now() + self.policy.load_timeout;
        let mut seats = Vec::new();
        let mut waits = Vec::with_capacity(keys.len());
        for key in keys {
            waits.push(match self.read_l1(key).map_or_else(|| self.place(key), Place::Answered) {
                Place::Answered(entry) => Ok(self.answered(entry)),
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
        for wait in waits {
            reads.push(match wait {
                Ok(read) => Ok(read),
                Err(waiting) => waiting.until(deadline).await,
            });
        }
        reads
    }

    /// Answers from L1 or L2, never from the source.
    pub(crate) async fn read_cached(&self, key: &K) -> Read<V> {
        if let Some(entry) = self.read_l1(key) {
            return self.answered(entry);
        }
        let token = self.fence.token(key);
        let text = key.to_string();
        let entry = match self.ask_l2(std::slice::from_ref(&text)).await {
            Ok(mut found) => found.pop().and_then(|found| self.decode(&text, found)),
            Err(_) => None,
        };
        let Some((value, life)) = entry else {
            self.recorder.outcome(Outcome::Missed);
            return Read {
                value: None,
                outcome: Outcome::Missed,
                age: Duration::ZERO,
                expires_in: None,
            };
        };
        let entry = self.entry(key, value, token, life);
        if !self.fence.fill(key, token, || self.put_l1(key, &entry)) {
            self.recorder.l1_fenced.add(1);
        }
        self.recorder.outcome(Outcome::L2Hit);
        Read::of(entry, Outcome::L2Hit)
    }

    fn read_l1(&self, key: &K) -> Option<Entry<V>> {
        if !sample_l1() {
            return self.l1.get(key).filter(|entry| self.is_fresh(entry));
        }
        let began = std::time::Instant::now();
        let entry = self.l1.get(key).filter(|entry| self.is_fresh(entry));
        self.recorder.l1_latency.record(began.elapsed());
        entry
    }

    fn place(self: &Arc<Self>, key: &K) -> Place<'_, K, V> {
        let (sender, flight) = watch::channel(None::<Landing<V>>);
        let look = || self.l1.get_if_present(key).filter(|entry| self.is_fresh(entry));
        match self.fence.join(key, look, || flight.clone()) {
            Joined::Hit(entry) => Place::Answered(entry),
            Joined::Flight(flight) => Place::Joined(Waiting {
                core: self,
                flight,
                joined: Some(Outcome::Coalesced),
                outcome: Outcome::Failed,
            }),
            Joined::Lead(token, id) => {
                let seat = Seat::new(Arc::clone(self), key.clone(), (token, id), sender);
                let waiting =
                    Waiting { core: self, flight, joined: None, outcome: Outcome::Failed };
                Place::Leading(seat, waiting)
            }
        }
    }

    fn answered(&self, entry: Entry<V>) -> Read<V> {
        self.recorder.outcome(Outcome::L1Hit);
        Read::of(entry, Outcome::L1Hit)
    }
}

/// One read that waits for a flight. Its outcome is counted when the wait ends, also when the
/// caller goes away: nobody was answered then, and the read counts as failed.
struct Waiting<'a, K: Key, V: Value> {
    core: &'a Core<K, V>,
    flight: Flight<V>,
    /// The outcome of a read that joined; the flight's own for the one that leads it.
    joined: Option<Outcome>,
    outcome: Outcome,
}

impl<K: Key, V: Value> Waiting<'_, K, V> {
    async fn until(mut self, deadline: Instant) -> Result<Read<V>, LoadError> {
        let landing = match timeout_at(deadline, self.flight.wait_for(Option::is_some)).await {
            Ok(Ok(landing)) => landing.clone(),
            Ok(Err(_)) => Some(Err(LoadError::Panicked)),
            Err(_) => Some(Err(LoadError::TimedOut)),
        };
        let (entry, led) = landing.unwrap_or(Err(LoadError::Panicked))?;
        self.outcome = self.joined.unwrap_or(led);
        Ok(Read::of(entry, self.outcome))
    }
}

impl<K: Key, V: Value> Drop for Waiting<'_, K, V> {
    fn drop(&mut self) {
        self.core.recorder.outcome(self.outcome);
    }
}

impl<V> Read<V> {
    pub(crate) fn of(entry: Entry<V>, outcome: Outcome) -> Self {
        let now = Instant::now();
        Self {
            age: now.saturating_duration_since(entry.loaded_at),
            expires_in: entry.expires_at.map(|at| at.saturating_duration_since(now)),
            value: entry.value,
            outcome,
        }
    }
}

impl Life {
    /// Fresh from the source, with so long to live in L2.
    pub(crate) fn new_in_l2(left: Option<Duration>) -> Self {
        Self { age: Duration::ZERO, left }
    }
}
