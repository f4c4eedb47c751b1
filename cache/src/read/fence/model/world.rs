use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicU64 as Count;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex as Note};

use shuttle::sync::Mutex;
use shuttle::sync::atomic::AtomicU64;
use shuttle::thread::JoinHandle;

use super::super::{Fence, Token};
use super::reading::Flight;

pub(super) const N_KEYS: usize = 2;

/// One cache on one node. State that only serves checks uses the standard library's types, so that
/// the scheduler does not count it as steps.
pub(super) struct World {
    pub(super) fence: Fence<usize, Arc<Flight>>,
    pub(super) l1: Mutex<HashMap<usize, Entry>>,
    pub(super) l2: Option<Mutex<HashMap<usize, Slot>>>,
    /// The source: a version for each key, which only grows.
    pub(super) rows: [AtomicU64; N_KEYS],
    pub(super) flaw: Option<Flaw>,
    pub(super) source: Source,
    /// Whether flights run in threads of their own, as in the real code. If the leader runs its
    /// flight itself, the orders are few enough to try all of them.
    pub(super) detached: bool,
    acknowledged: [Count; N_KEYS],
    next_lease: Count,
    flights: Note<HashSet<(usize, u64)>>,
    tasks: Note<Vec<JoinHandle<()>>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) version: u64,
    pub(super) epoch: u64,
    pub(super) is_fresh: bool,
}

/// The content of L2 for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Value(u64),
    Lease(u64),
}

/// The behaviour of a load.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    Answers,
    Fails,
    /// The flight's task is dropped in the middle of it.
    Vanishes,
    Any,
}

/// A mistake that the model must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The token is compared first, and the entry put after the lock was released.
    CheckedOutsideTheLock,
    /// The entry is put whatever the token.
    FilledWithoutToken,
    /// The entry that stands in was looked up before the flight was joined.
    StandInFromBeforeTheLock,
    /// L1 is emptied before L2.
    L1BeforeL2,
    /// A writer puts its entry without overtaking the fills under way.
    WriteThatOvertakesNobody,
    /// A lookup's entry is put although an invalidation came in between.
    SettledWithoutToken,
    /// A dropped fill leaves its flight behind.
    SeatThatStays,
}

impl World {
    pub(super) fn new(source: Source) -> Self {
        Self {
            fence: Fence::new(),
            l1: Mutex::default(),
            l2: None,
            rows: [AtomicU64::new(1), AtomicU64::new(1)],
            flaw: None,
            source,
            detached: false,
            acknowledged: Default::default(),
            next_lease: Count::default(),
            flights: Note::default(),
            tasks: Note::default(),
        }
    }

    pub(super) fn with_l2(self) -> Self {
        Self { l2: Some(Mutex::default()), ..self }
    }

    /// With every row in L2.
    pub(super) fn with_l2_full(self) -> Self {
        let slots = (0..N_KEYS).map(|key| (key, Slot::Value(1))).collect();
        Self { l2: Some(Mutex::new(slots)), ..self }
    }

    pub(super) fn detached(self) -> Self {
        Self { detached: true, ..self }
    }

    pub(super) fn with(self, flaw: Option<Flaw>) -> Self {
        Self { flaw, ..self }
    }

    /// With an entry in L1 that was loaded before.
    pub(super) fn holding(self, is_fresh: bool) -> Arc<Self> {
        self.l1.lock().unwrap().insert(0, Entry { version: 1, epoch: 0, is_fresh });
        Arc::new(self)
    }

    /// The entry in L1 unless it is of an older epoch.
    pub(super) fn look(&self, key: usize) -> Option<Entry> {
        let entry = self.l1.lock().unwrap().get(&key).copied();
        entry.filter(|entry| entry.epoch == self.fence.epoch())
    }

    pub(super) fn put_l1(&self, key: usize, entry: Entry) {
        self.l1.lock().unwrap().insert(key, entry);
    }

    pub(super) fn next_lease(&self) -> u64 {
        self.next_lease.fetch_add(1, SeqCst)
    }

    /// The version that a reader starting now must at least see.
    pub(super) fn acknowledged(&self, key: usize) -> u64 {
        self.acknowledged[key].load(SeqCst)
    }

    pub(super) fn acknowledge(&self, key: usize, version: u64) {
        self.acknowledged[key].fetch_max(version, SeqCst);
    }

    /// Only an invalidation, which changes the generation, lets a second flight begin.
    pub(super) fn flight_begins(&self, key: usize, token: Token) {
        let alone = self.flights.lock().unwrap().insert((key, token.generation));
        assert!(alone, "two flights for key {key} in generation {}", token.generation);
    }

    pub(super) fn flight_ends(&self, key: usize, token: Token) {
        self.flights.lock().unwrap().remove(&(key, token.generation));
    }

    pub(super) fn fly(&self, flight: impl FnOnce() + Send + 'static) {
        if self.detached { self.spawn(flight) } else { flight() }
    }

    pub(super) fn spawn(&self, task: impl FnOnce() + Send + 'static) {
        let task = shuttle::thread::spawn(task);
        self.tasks.lock().unwrap().push(task);
    }

    /// Waits for all spawned tasks, then reads once more. Every read must now return the row.
    pub(super) fn settle(self: &Arc<Self>) {
        loop {
            let task = self.tasks.lock().unwrap().pop();
            let Some(task) = task else { break };
            task.join().unwrap();
        }
        assert!(self.flights.lock().unwrap().is_empty(), "a flight has no end");
        for key in 0..N_KEYS {
            self.read(key);
        }
        while let Some(task) = self.tasks.lock().unwrap().pop() {
            task.join().unwrap();
        }
    }
}
