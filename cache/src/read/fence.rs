#[cfg(test)]
mod model;
mod sync;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::sync::PoisonError;

use sync::{AtomicU64, Hasher, Mutex, MutexGuard, N_STRIPES, Ordering};

use crate::user_code::contained;

/// Refuses fills that an invalidation has overtaken, and keeps the flights.
///
/// Keys share 256 stripes. An invalidation raises the generation of its stripe. A fill takes a
/// token before it asks L2, and is accepted only if the generation is unchanged. Check and insert
/// happen under the stripe's lock, and so do raise and removal. Therefore no reader sees an
/// overtaken value, not even for an instant. For two keys in one stripe, an invalidation of one may
/// refuse a fill of the other, and nothing worse. The epoch empties a whole cache at once: entries
/// of an older epoch no longer count.
///
/// The idea of a lease that a delete takes back comes from Facebook ("Scaling Memcache at
/// Facebook", NSDI 2013, section 3.2.1), here within one process.
pub(crate) struct Fence<K, F> {
    stripes: Box<[Mutex<Stripe<K, F>>]>,
    hasher: Hasher,
    epoch: AtomicU64,
    /// Raised when a tag is invalidated. A flight's tags are known only when it completes.
    tick: AtomicU64,
    next_flight: AtomicU64,
}

struct Stripe<K, F> {
    generation: u64,
    flights: HashMap<K, InFlight<F>>,
}

/// The work under way for a key: a flight, or the L2 lookup of one reader, which others cannot
/// join.
struct InFlight<F> {
    id: u64,
    tick: u64,
    flight: Option<F>,
}

impl<K: Eq + Hash, F> Stripe<K, F> {
    /// Ends the flight or lookup with this id. Returns whether it was still under way.
    fn end(&mut self, key: &K, id: u64) -> bool {
        let is_ours = self.flights.get(key).is_some_and(|flying| flying.id == id);
        if is_ours {
            self.flights.remove(key);
        }
        is_ours
    }
}

/// The state that must be unchanged for a fill to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    epoch: u64,
    generation: u64,
    tick: u64,
}

impl Token {
    /// The epoch that an entry filled with this token belongs to.
    pub(crate) fn epoch(self) -> u64 {
        self.epoch
    }

    /// The last invalidation of a tag before the fill began.
    pub(crate) fn tick(self) -> u64 {
        self.tick
    }
}

/// How an L2 lookup begins, or why it does not.
pub(crate) enum LookupStart {
    /// The lookup is under way.
    Started(Token, u64),
    /// A flight or a lookup with this id is under way.
    Occupied(u64),
    /// L1 has an entry by now.
    Present,
}

/// The result of joining a key after a miss in L1.
pub(crate) enum Joined<H, F> {
    /// L1 has an entry by now.
    Hit(H),
    /// A flight is under way.
    Flight(F),
    /// This reader leads a new flight.
    Lead(Token, u64),
}

impl<K: Clone + Eq + Hash, F: Clone> Fence<K, F> {
    pub(crate) fn new() -> Self {
        let stripe = || Mutex::new(Stripe { generation: 0, flights: HashMap::new() });
        Self {
            stripes: (0..N_STRIPES).map(|_| stripe()).collect(),
            hasher: Hasher::default(),
            epoch: AtomicU64::new(0),
            tick: AtomicU64::new(0),
            next_flight: AtomicU64::new(0),
        }
    }

    /// The epoch of entries that count.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Joins the key's flight, or leads a new one that others join through `flight`. Looks at L1
    /// again under the lock, because the last flight may have just completed. A flight that began
    /// before a tag was invalidated is no longer joined.
    pub(crate) fn join<H>(
        &self,
        key: &K,
        look: impl FnOnce() -> Option<H>,
        flight: impl FnOnce() -> F,
    ) -> Joined<H, F> {
        let mut stripe = self.stripe(key);
        let token = self.token_in(&stripe);
        let flying = stripe.flights.get(key).filter(|flying| flying.tick == token.tick);
        if let Some(flight) = flying.and_then(|flying| flying.flight.clone()) {
            return Joined::Flight(flight);
        }
        if let Some(hit) = look() {
            return Joined::Hit(hit);
        }
        let id = self.next_flight.fetch_add(1, Ordering::Relaxed);
        let flying = InFlight { id, tick: token.tick, flight: Some(flight()) };
        stripe.flights.insert(key.clone(), flying);
        Joined::Lead(token, id)
    }

    /// Begins an L2 lookup if nothing is under way for the key and it `is_absent` from L1. The next
    /// reader leads a flight in its place, so readers do not wait for another reader's lookup.
    pub(crate) fn begin_lookup(&self, key: &K, is_absent: impl FnOnce() -> bool) -> LookupStart {
        let mut stripe = self.stripe(key);
        if let Some(flying) = stripe.flights.get(key) {
            return LookupStart::Occupied(flying.id);
        }
        if !is_absent() {
            return LookupStart::Present;
        }
        let token = self.token_in(&stripe);
        let id = self.next_flight.fetch_add(1, Ordering::Relaxed);
        stripe.flights.insert(key.clone(), InFlight { id, tick: token.tick, flight: None });
        LookupStart::Started(token, id)
    }

    /// Turns a lookup into a flight that others can join. Returns `false` if an invalidation or a
    /// flight came in between.
    pub(crate) fn begin_flight(&self, key: &K, id: u64, flight: impl FnOnce() -> F) -> bool {
        let mut stripe = self.stripe(key);
        let lookup = stripe.flights.get_mut(key).filter(|lookup| lookup.id == id);
        lookup.map(|lookup| lookup.flight = Some(flight())).is_some()
    }

    /// Ends a lookup, and runs `fill` unless an invalidation or a flight came in between. Returns
    /// whether the token is still current.
    pub(crate) fn end_lookup(
        &self,
        key: &K,
        (token, id): (Token, u64),
        fill: impl FnOnce(),
    ) -> bool {
        let mut stripe = self.stripe(key);
        let is_current = self.is_current(&stripe, token);
        if stripe.end(key, id) && is_current {
            fill();
        }
        is_current
    }

    fn is_current(&self, stripe: &Stripe<K, F>, token: Token) -> bool {
        stripe.generation == token.generation && self.epoch() == token.epoch
    }

    /// A token without a flight.
    pub(crate) fn token(&self, key: &K) -> Token {
        self.token_in(&self.stripe(key))
    }

    fn token_in(&self, stripe: &Stripe<K, F>) -> Token {
        let tick = self.tick.load(Ordering::Acquire);
        Token { epoch: self.epoch(), generation: stripe.generation, tick }
    }

    /// Keeps readers from joining the flights that are under way. Returns the new tick.
    pub(crate) fn raise_tick(&self) -> u64 {
        self.tick.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Runs `fill` unless an invalidation has overtaken the token. Returns whether it ran.
    pub(crate) fn fill(&self, key: &K, token: Token, fill: impl FnOnce()) -> bool {
        let stripe = self.stripe(key);
        let is_current = self.is_current(&stripe, token);
        if is_current {
            fill();
        }
        is_current
    }

    /// As [`Fence::fill`], for a write: it also overtakes every other fill of the key.
    pub(crate) fn fill_and_overtake(&self, key: &K, token: Token, fill: impl FnOnce()) -> bool {
        let mut stripe = self.stripe(key);
        let is_current = self.is_current(&stripe, token);
        if is_current {
            stripe.generation += 1;
            stripe.flights.remove(key);
            fill();
        }
        is_current
    }

    /// Ends a flight, unless an invalidation has already dropped it.
    pub(crate) fn leave(&self, key: &K, id: u64) {
        if contained(|| self.stripe(key).end(key, id)).is_some() {
            return;
        }
        // If the key's own code panics, the flight is found by its number, since an ended flight
        // must not be joined.
        for stripe in &self.stripes {
            let ended: Vec<_> =
                lock(stripe).flights.extract_if(|_, flying| flying.id == id).collect();
            contained(|| drop(ended));
        }
    }

    /// Overtakes every fill of the key, drops its flight, and runs `act` in the same step.
    pub(crate) fn overtake<R>(&self, key: &K, act: impl FnOnce() -> R) -> R {
        let mut stripe = self.stripe(key);
        stripe.generation += 1;
        stripe.flights.remove(key);
        act()
    }

    /// Runs `act` while no fill of the key can come in between.
    pub(crate) fn hold<R>(&self, key: &K, act: impl FnOnce() -> R) -> R {
        let _stripe = self.stripe(key);
        act()
    }

    /// Overtakes every fill of every key and drops all flights. Entries stay.
    pub(crate) fn overtake_all(&self) {
        for stripe in &self.stripes {
            let dropped = {
                let mut stripe = lock(stripe);
                stripe.generation += 1;
                std::mem::take(&mut stripe.flights)
            };
            // Keys and values may panic when they are dropped.
            contained(|| drop(dropped));
        }
    }

    /// Empties the cache in one step: entries of the old epoch no longer count.
    pub(crate) fn raise_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.overtake_all();
    }

    fn stripe(&self, key: &K) -> MutexGuard<'_, Stripe<K, F>> {
        let hash = self.hasher.hash_one(key) as usize;
        lock(&self.stripes[hash % N_STRIPES])
    }
}

// A poisoned stripe is still consistent: generation and flights are changed in single steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
