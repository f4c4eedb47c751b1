//! What the leader of a flight does, detached from its caller: ask L2, else take the lease, load,
//! commit to L2 while nothing came in between, and put into L1 while the fence lets it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use strata_report::Outcome;
use tokio::time::{Instant, timeout};

use crate::core::{Core, Life};
use crate::held::Held;
use crate::l2::{Away, Commit, Found, Keyspace, Lease};
use crate::read::Load;
use crate::recorder::{LoadEnded, Recorder};
use crate::seat::Seat;
use crate::{Key, LoadError, Loaded, Value, clock};

const FIRST_LOOK: Duration = Duration::from_millis(2);
const LAST_LOOK: Duration = Duration::from_millis(25);

impl<K: Key, V: Value> Core<K, V> {
    pub(crate) async fn fill(self: Arc<Self>, seats: Vec<Seat<K, V>>, load: Load<K, V>) {
        let held = self.ask_l2(&texts(&seats)).await;
        self.fill_with(seats, held, load).await;
    }

    /// Goes on from what L2 has answered for the seats.
    pub(crate) async fn fill_with(
        self: Arc<Self>,
        seats: Vec<Seat<K, V>>,
        held: Result<Vec<Option<Held<V>>>, Away>,
        load: Load<K, V>,
    ) {
        let seats = match (&self.l2, held) {
            (Some(l2), Ok(held)) => self.acquire(l2, land_held(&self.recorder, seats, held)).await,
            _ => seats,
        };
        if !seats.is_empty() {
            self.load(seats, load).await;
        }
    }

    /// Takes the leases that are free. Where every key is leased by others, looks again for at
    /// most `lease_wait`; where one is ours, the others' keys cost the load no more.
    async fn acquire(&self, l2: &Keyspace, seats: Vec<Seat<K, V>>) -> Vec<Seat<K, V>> {
        let lease = Lease::new();
        let deadline = Instant::now() + self.policy.lease_wait;
        let mut pause = FIRST_LOOK;
        let (mut ready, mut waiting): (Vec<_>, Vec<_>) =
            seats.into_iter().partition(Seat::may_commit);
        // What lies in L2 is not taken while the bus is silent.
        while !waiting.is_empty() && self.trusts_l2() {
            let Ok(found) = l2.acquire(&texts(&waiting), &lease, self.lease_ms()).await else {
                break;
            };
            let mut rest = Vec::new();
            for (seat, found) in waiting.into_iter().zip(found) {
                rest.extend(self.take_lease(l2, seat, (found, &lease)).await);
            }
            waiting = rest;
            let now = Instant::now();
            let ours = !ready.is_empty() || waiting.iter().any(Seat::may_commit);
            if waiting.is_empty() || ours || now >= deadline {
                break;
            }
            tokio::time::sleep(pause.min(deadline - now)).await;
            pause = (pause * 2).min(LAST_LOOK);
        }
        ready.extend(waiting);
        ready
    }

    /// Lands the seat if an entry lies there by now; takes what expired or cannot be read.
    async fn take_lease(
        &self,
        l2: &Keyspace,
        mut seat: Seat<K, V>,
        (found, lease): (Found, &Lease),
    ) -> Option<Seat<K, V>> {
        match found {
            Found::Nothing => seat.leased(lease),
            Found::Leased => {}
            Found::Bytes(bytes) => match self.read_back(&seat.ticket.text, &bytes) {
                Some(held) if held.is_usable() => {
                    self.recorder.contain(|| seat.land_held(held));
                    return None;
                }
                held => {
                    let claim = (lease, self.lease_ms());
                    if l2.claim(&seat.ticket.text, &bytes, claim).await == Ok(true) {
                        let claimed = || {
                            seat.claimed(lease, held, bytes);
                            seat
                        };
                        return self.recorder.contain(claimed);
                    }
                }
            },
        }
        Some(seat)
    }

    async fn load(&self, seats: Vec<Seat<K, V>>, load: Load<K, V>) {
        // A key that cannot be copied fails alone.
        let copied = |seat: Seat<K, V>| {
            let key = self.recorder.contain(|| seat.ticket.key.clone())?;
            Some((seat, key))
        };
        let (seats, keys): (Vec<_>, Vec<_>) = seats.into_iter().filter_map(copied).unzip();
        if seats.is_empty() {
            return;
        }
        let began = std::time::Instant::now();
        let loaded = self.ask_source(keys, load).await;
        let took = began.elapsed();
        match loaded {
            Ok(values) => {
                self.recorder.load_ended(took, LoadEnded::Answered);
                self.recorder.load_of(seats.iter().map(|seat| seat.ticket.label), took);
                self.land_loaded(seats, values, took).await;
            }
            Err(error) => {
                self.recorder.load_ended(took, LoadEnded::Failed);
                self.stand_in(seats, &error).await;
            }
        }
    }

    /// The load in a task of its own, so that neither its panic nor its slowness is ours.
    async fn ask_source(
        &self,
        keys: Vec<K>,
        load: Load<K, V>,
    ) -> Result<HashMap<K, Loaded<V>>, LoadError> {
        self.recorder.load_began();
        // Making the future may panic as well as running it.
        let running = tokio::spawn(async move { load(keys).await });
        let abort = running.abort_handle();
        match timeout(self.policy.load_timeout * 2, running).await {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(_)) => Err(LoadError::Panicked),
            Err(_) => {
                abort.abort();
                Err(LoadError::TimedOut)
            }
        }
    }

    async fn land_loaded(
        &self,
        seats: Vec<Seat<K, V>>,
        values: HashMap<K, Loaded<V>>,
        took: Duration,
    ) {
        // Shared: where an invalidation came between two seats of one key, both lead.
        let values: HashMap<K, Loaded<Arc<V>>> =
            values.into_iter().map(|(key, loaded)| (key, loaded.shared())).collect();
        // Looked up once each: a key whose own code panics fails alone.
        let found = |seat: Seat<K, V>| {
            let loaded = self.recorder.contain(|| values.get(&seat.ticket.key))?;
            Some((seat, loaded))
        };
        let (lagging, seats): (Vec<_>, Vec<_>) =
            seats.into_iter().filter_map(found).partition(|(seat, loaded)| {
                loaded.is_some_and(|loaded| seat.has_newer(loaded.version))
            });
        if !lagging.is_empty() {
            let lagging = lagging.into_iter().map(|(seat, _)| seat).collect();
            self.stand_in(lagging, &LoadError::Lagging).await;
        }
        let mut landings = Vec::with_capacity(seats.len());
        let (mut commits, mut unwritten) = (Vec::new(), Vec::new());
        for (seat, loaded) in seats {
            let life = Life::of(loaded, self.l2_fresh_for(loaded), took);
            let value = loaded.map(|loaded| Arc::clone(&loaded.value));
            if let Some(expects) = seat.expects().map(<[u8]>::to_vec)
                && let Some(written) =
                    self.encode(&seat.ticket.text, value.as_deref(), &life, seat.ticket.stamp)
            {
                let key = seat.ticket.text.clone();
                commits.push((landings.len(), Commit { key, expects, written }));
            } else {
                unwritten.push(landings.len());
            }
            landings.push((seat, value, life));
        }
        let mut kept = vec![true; landings.len()];
        self.commit(commits, &mut kept).await;
        self.release(unwritten.into_iter().map(|place| &landings[place].0)).await;
        for ((seat, value, life), kept) in landings.into_iter().zip(kept) {
            self.recorder.contain(|| match kept {
                true => seat.land(value, &life, Outcome::Loaded),
                false => seat.land_unkept(value, &life),
            });
        }
    }

    /// Writes to L2. What an invalidation has overtaken is not kept: such a value answers those
    /// who wait, and no level holds it.
    async fn commit(&self, commits: Vec<(usize, Commit)>, kept: &mut [bool]) {
        let Some(l2) = self.l2.as_ref().filter(|_| !commits.is_empty()) else { return };
        let (places, commits): (Vec<usize>, Vec<Commit>) = commits.into_iter().unzip();
        let Ok(committed) = l2.commit(&commits).await else { return };
        for (place, committed) in places.into_iter().zip(committed) {
            kept[place] = committed;
            if committed { &self.recorder.l2_puts } else { &self.recorder.l2_refused }.add(1);
        }
    }

    /// After a failed load: what was claimed goes back to L2, where it may stand in on any node,
    /// leases are given up, and readers get what stands in, or the error.
    async fn stand_in(&self, seats: Vec<Seat<K, V>>, error: &LoadError) {
        let restores: Vec<Commit> = seats.iter().filter_map(Seat::restore).collect();
        if let Some(l2) = self.l2.as_ref().filter(|_| !restores.is_empty()) {
            let _: Result<Vec<bool>, Away> = l2.commit(&restores).await;
        }
        self.release(&seats).await;
        for seat in seats {
            self.recorder.contain(|| seat.fail(error.clone()));
        }
    }

    async fn release<'a>(&self, seats: impl IntoIterator<Item = &'a Seat<K, V>>) {
        let Some(l2) = &self.l2 else { return };
        for (lease, keys) in Seat::leases(seats) {
            l2.release(&lease, &keys).await;
        }
    }

    /// Leases outlive the longest load.
    pub(crate) fn lease_ms(&self) -> u64 {
        clock::millis(self.policy.load_timeout * 2 + Duration::from_secs(1))
    }
}

/// Lands the seats that L2 has an entry for; the rest stays.
fn land_held<K: Key, V: Value>(
    recorder: &Recorder,
    seats: Vec<Seat<K, V>>,
    held: Vec<Option<Held<V>>>,
) -> Vec<Seat<K, V>> {
    let mut rest = Vec::new();
    for (mut seat, held) in seats.into_iter().zip(held) {
        match held {
            Some(held) if held.is_fresh() && !seat.has_as_new(&held) => {
                recorder.contain(|| seat.land_held(held));
            }
            Some(held) if held.is_usable() => {
                let refreshed = || {
                    seat.refresh(held);
                    seat
                };
                rest.extend(recorder.contain(refreshed));
            }
            _ => rest.push(seat),
        }
    }
    rest
}

fn texts<K: Key, V: Value>(seats: &[Seat<K, V>]) -> Vec<&str> {
    seats.iter().map(|seat| seat.ticket.text.as_str()).collect()
}
