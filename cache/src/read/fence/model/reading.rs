use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use shuttle::rand::Rng;
use shuttle::sync::{Condvar, Mutex};

use super::super::{Joined, LookupStart, Token};
use super::world::{Entry, Flaw, Slot, Source, World};

/// The result that readers of a flight wait for.
#[derive(Default)]
pub(super) struct Flight {
    result: Mutex<FlightResult>,
    completed: Condvar,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum FlightResult {
    #[default]
    UnderWay,
    /// `None` is an error.
    Completed(Option<u64>),
}

impl Flight {
    fn complete(&self, answer: Option<u64>) {
        let mut result = self.result.lock().unwrap();
        if *result == FlightResult::UnderWay {
            *result = FlightResult::Completed(answer);
        }
        self.completed.notify_all();
    }

    fn wait(&self) -> Option<u64> {
        let mut result = self.result.lock().unwrap();
        loop {
            match *result {
                FlightResult::Completed(answer) => return answer,
                FlightResult::UnderWay => result = self.completed.wait(result).unwrap(),
            }
        }
    }
}

/// A key's place in a flight.
struct KeyFill {
    world: Arc<World>,
    key: usize,
    token: Token,
    id: u64,
    flight: Arc<Flight>,
    fallback: Option<Entry>,
}

impl World {
    /// One read, and a check of the guarantee.
    pub(super) fn read(self: &Arc<Self>, key: usize) -> Option<u64> {
        self.check(key, || self.answer(key))
    }

    /// A read that finds its entry near the deadline. It is answered, and refreshes the entry.
    pub(super) fn read_ahead(self: &Arc<Self>, key: usize) -> Option<u64> {
        self.check(key, || {
            let seen = self.look(key)?;
            if let Some((fill, _)) = self.join_or_lead(key, Some(seen)).err() {
                self.fly(move || fill.fill());
            }
            Some(seen.version)
        })
    }

    fn check(&self, key: usize, read: impl FnOnce() -> Option<u64>) -> Option<u64> {
        let floor = self.acknowledged(key);
        let answer = read();
        if let Some(version) = answer {
            assert!(version >= floor, "key {key}: read {version} after {floor} was acknowledged");
        }
        answer
    }

    fn answer(self: &Arc<Self>, key: usize) -> Option<u64> {
        let seen = self.look(key);
        if let Some(entry) = seen.filter(|entry| entry.is_fresh) {
            return Some(entry.version);
        }
        if seen.is_none()
            && self.l2.is_some()
            && let LookupStart::Started(token, id) =
                self.fence.begin_lookup(&key, || self.look(key).is_none())
        {
            return self.look_into_l2(key, (token, id));
        }
        self.answer_by_flight(key, seen)
    }

    /// The reader's own lookup in L2, and a flight if L2 has no entry.
    fn look_into_l2(self: &Arc<Self>, key: usize, (token, id): (Token, u64)) -> Option<u64> {
        let l2 = self.l2.as_ref()?;
        let found = l2.lock().unwrap().get(&key).copied();
        if let Some(Slot::Value(version)) = found {
            let entry = Entry { version, epoch: token.epoch(), is_fresh: true };
            let put = || self.put_l1(key, entry);
            match self.flaw {
                Some(Flaw::SettledWithoutToken) => put(),
                _ => {
                    self.fence.end_lookup(&key, (token, id), put);
                }
            }
            return Some(version);
        }
        let flight = Arc::new(Flight::default());
        if !self.fence.begin_flight(&key, id, || Arc::clone(&flight)) {
            return self.answer_by_flight(key, None);
        }
        self.flight_begins(key, token);
        let (world, own) = (Arc::clone(self), Arc::clone(&flight));
        let fill = KeyFill { world, key, token, id, flight: own, fallback: None };
        self.fly(move || fill.fill());
        flight.wait()
    }

    fn answer_by_flight(self: &Arc<Self>, key: usize, seen: Option<Entry>) -> Option<u64> {
        let completed = match self.join_or_lead(key, seen) {
            Ok(JoinOutcome::Hit(entry)) => return Some(entry.version),
            Ok(JoinOutcome::Joined(flight)) => flight.wait(),
            Err((fill, flight)) => {
                self.fly(move || fill.fill());
                flight.wait()
            }
        };
        completed.or(seen.map(|entry| entry.version))
    }

    /// Joins the key's flight, or leads a new one.
    fn join_or_lead(
        self: &Arc<Self>,
        key: usize,
        seen: Option<Entry>,
    ) -> Result<JoinOutcome, (KeyFill, Arc<Flight>)> {
        let is_refresh = seen.is_some_and(|entry| entry.is_fresh);
        let flight = Arc::new(Flight::default());
        let mut stands_in = None;
        let look = || {
            stands_in = self.look(key);
            stands_in.filter(|entry| entry.is_fresh && !is_refresh)
        };
        match self.fence.join(&key, look, || Arc::clone(&flight)) {
            Joined::Hit(entry) => Ok(JoinOutcome::Hit(entry)),
            Joined::Flight(flight) => Ok(JoinOutcome::Joined(flight)),
            Joined::Lead(token, id) => {
                self.flight_begins(key, token);
                let fallback = match self.flaw {
                    Some(Flaw::StandInFromBeforeTheLock) => seen,
                    _ => stands_in,
                };
                let (world, own) = (Arc::clone(self), Arc::clone(&flight));
                Err((KeyFill { world, key, token, id, flight: own, fallback }, flight))
            }
        }
    }

    /// Puts an entry into L1 if the fence allows it.
    fn keep(&self, key: usize, token: Token, entry: Entry) {
        match self.flaw {
            Some(Flaw::CheckedOutsideTheLock) => {
                if self.fence.token(&key) == token {
                    self.put_l1(key, entry);
                }
            }
            Some(Flaw::FilledWithoutToken) => self.put_l1(key, entry),
            _ => {
                self.fence.fill(&key, token, || self.put_l1(key, entry));
            }
        }
    }

    fn load(&self) -> Source {
        match self.source {
            Source::Any => match shuttle::rand::thread_rng().gen_range(0..4) {
                0 => Source::Fails,
                1 => Source::Vanishes,
                _ => Source::Answers,
            },
            certain => certain,
        }
    }
}

enum JoinOutcome {
    Hit(Entry),
    Joined(Arc<Flight>),
}

impl KeyFill {
    fn fill(self) {
        let lease = match self.acquire() {
            Some(Slot::Value(version)) => return self.complete(version),
            Some(Slot::Lease(lease)) => Some(lease),
            None => None,
        };
        match self.world.load() {
            Source::Vanishes => {}
            Source::Fails => self.fail(lease),
            Source::Answers | Source::Any => {
                let version = self.world.rows[self.key].load(SeqCst);
                match lease.is_none_or(|lease| self.commit(lease, version)) {
                    true => self.complete(version),
                    false => self.answer(version),
                }
            }
        }
    }

    /// The content of L2, or the lease if there is none. Without L2, or if another holder keeps the
    /// lease for long, the load goes on without a lease.
    fn acquire(&self) -> Option<Slot> {
        let l2 = self.world.l2.as_ref()?;
        let found = l2.lock().unwrap().get(&self.key).copied();
        if let Some(Slot::Value(_)) = found {
            return found;
        }
        let ours = Slot::Lease(self.world.next_lease());
        let slot = *l2.lock().unwrap().entry(self.key).or_insert(ours);
        (slot == ours || matches!(slot, Slot::Value(_))).then_some(slot)
    }

    fn commit(&self, lease: u64, version: u64) -> bool {
        let Some(l2) = &self.world.l2 else { return true };
        let mut l2 = l2.lock().unwrap();
        let ours = l2.get(&self.key) == Some(&Slot::Lease(lease));
        if ours {
            l2.insert(self.key, Slot::Value(version));
        }
        ours
    }

    fn complete(self, version: u64) {
        let entry = Entry { version, epoch: self.token.epoch(), is_fresh: true };
        self.world.keep(self.key, self.token, entry);
        self.answer(version);
    }

    /// Keeps the stale entry for a while, so that the source is not asked again.
    fn fail(self, lease: Option<u64>) {
        if let (Some(l2), Some(lease)) = (&self.world.l2, lease) {
            let mut l2 = l2.lock().unwrap();
            if l2.get(&self.key) == Some(&Slot::Lease(lease)) {
                l2.remove(&self.key);
            }
        }
        let Some(entry) = self.fallback else { return };
        self.world.keep(self.key, self.token, entry);
        self.answer(entry.version);
    }

    fn answer(self, version: u64) {
        self.leave();
        self.flight.complete(Some(version));
    }

    fn leave(&self) {
        self.world.flight_ends(self.key, self.token);
        self.world.fence.leave(&self.key, self.id);
    }
}

impl Drop for KeyFill {
    fn drop(&mut self) {
        if self.world.flaw != Some(Flaw::SeatThatStays) {
            self.leave();
        }
        self.flight.complete(None);
    }
}
