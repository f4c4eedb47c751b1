//! How the leader of a flight takes leases, so that one node of the fleet loads a key, and waits
//! while others hold them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::key_fill::Seat;
use super::nesting;
use crate::connection::Away;
use crate::key::{Key, Value};
use crate::l2::{Found, HeldLease, Keyspace, Lease, RefreshLease};
use crate::read::cache_core::Core;

/// Leases of writes, or of nodes of an earlier version, are waited for no longer than this, however
/// many follow each other: a write may take any time, and the others live on where their node has
/// died. No load waits for longer either: what it waits for may wait for it on another node.
const OTHERS_WAIT: Duration = Duration::from_millis(500);

/// So often what lies in L2 may change while leases are taken before the load begins without.
const ROUNDS: usize = 4;

/// The seats of a flight by what became of their leases.
struct Sorted<K: Key, V: Value> {
    ours: Vec<Seat<K, V>>,
    theirs: Vec<Leased<K, V>>,
    /// Redis cannot be asked, or says something else each time.
    without: Vec<Seat<K, V>>,
}

/// A seat whose lease somebody else holds.
struct Leased<K: Key, V: Value> {
    seat: Seat<K, V>,
    lease: HeldLease,
}

impl<K: Key, V: Value> Sorted<K, V> {
    fn new() -> Self {
        Self { ours: Vec::new(), theirs: Vec::new(), without: Vec::new() }
    }

    fn leased(&mut self, mut seat: Seat<K, V>, lease: HeldLease) {
        seat.sees(&lease);
        self.theirs.push(Leased { seat, lease });
    }

    fn must_wait(&self) -> bool {
        self.ours.is_empty() && self.without.is_empty() && !self.theirs.is_empty()
    }
}

impl<K: Key, V: Value> Core<K, V> {
    /// Takes the leases that are free. Where every key is leased by others, waits for them, for at
    /// most `lease_wait`, and lands what they have loaded. Where one is ours, the others' keys are
    /// loaded with it, but for refreshes: those go on waiting, while the older value is served.
    pub(crate) async fn acquire(
        self: &Arc<Self>,
        l2: &Keyspace,
        seats: Vec<Seat<K, V>>,
    ) -> Vec<Seat<K, V>> {
        let lease = Lease::of_load();
        let began = Instant::now();
        let mut sorted = Sorted::new();
        self.ask_for_leases((l2, &lease), seats, &mut sorted).await;
        while sorted.must_wait() {
            let Some(changed) = self.wait(l2, &mut sorted.theirs, began).await else { break };
            self.ask_for_leases((l2, &lease), changed, &mut sorted).await;
        }
        let Sorted { ours, theirs, without } = sorted;
        let mut ready = ours;
        ready.extend(without);
        if ready.is_empty() {
            return theirs.into_iter().map(|leased| leased.seat).collect();
        }
        let (later, now): (Vec<_>, Vec<_>) =
            theirs.into_iter().partition(|leased| leased.seat.is_refresh());
        ready.extend(now.into_iter().map(|leased| leased.seat));
        if !later.is_empty() {
            nesting::spawn_detached(Arc::clone(self).follow(later, began));
        }
        ready
    }

    /// Waits for what others refresh, without a load of its own: who reads next begins one, if
    /// need be.
    async fn follow(self: Arc<Self>, mut theirs: Vec<Leased<K, V>>, began: Instant) {
        let Some(l2) = &self.l2 else { return };
        while !theirs.is_empty() {
            let Some(changed) = self.wait(l2, &mut theirs, began).await else { break };
            let Ok(rest) = self.look_again(changed).await else { break };
            rest.into_iter().for_each(Seat::leave);
        }
        theirs.into_iter().for_each(|leased| leased.seat.leave());
    }

    /// Waits until a lease of others has changed hands or is gone, and takes out its seats; `None`
    /// where it was waited for long enough, or Redis cannot be asked.
    async fn wait(
        &self,
        l2: &Keyspace,
        theirs: &mut Vec<Leased<K, V>>,
        began: Instant,
    ) -> Option<Vec<Seat<K, V>>> {
        let until = theirs.iter().map(|leased| self.waits_until(leased, began)).min()?;
        if until <= Instant::now() {
            return None;
        }
        let leases = theirs.iter().map(|leased| leased.lease.clone()).collect();
        let waiting = l2.link.wait_for_leases(leases, began);
        let changed = timeout_at(until, waiting).await.ok()?.ok()?;
        let mut seats = Vec::with_capacity(changed.len());
        for at in changed.into_iter().rev() {
            seats.push(theirs.remove(at).seat);
        }
        Some(seats)
    }

    fn waits_until(&self, leased: &Leased<K, V>, began: Instant) -> Instant {
        // Whoever writes the key holds its lease and waits for this read.
        let is_own = self.recorder.contain(|| self.is_within_a_write(&leased.seat.ticket.key));
        if is_own == Some(true) {
            return began;
        }
        let longest = began + self.policy.lease_wait;
        let since = match leased.seat.others_since() {
            Some(since) => since,
            None if nesting::is_run_by_a_load() => began,
            None => return longest,
        };
        longest.min(since + OTHERS_WAIT)
    }

    async fn ask_for_leases(
        &self,
        ask: (&Keyspace, &Lease),
        mut seats: Vec<Seat<K, V>>,
        sorted: &mut Sorted<K, V>,
    ) {
        for _ in 0..ROUNDS {
            if seats.is_empty() {
                return;
            }
            // What lies in L2 is not taken while the bus is silent.
            if !self.trusts_l2() {
                break;
            }
            let (refreshing, absent): (Vec<_>, Vec<_>) =
                seats.into_iter().partition(Seat::is_refreshing);
            seats = self.ask_for_absent(ask, absent, sorted).await;
            seats.extend(self.ask_for_refreshes(ask, refreshing, sorted).await);
        }
        sorted.without.extend(seats);
    }

    /// Answers the seats for which something else lies in L2 than was thought.
    async fn ask_for_absent(
        &self,
        (l2, lease): (&Keyspace, &Lease),
        seats: Vec<Seat<K, V>>,
        sorted: &mut Sorted<K, V>,
    ) -> Vec<Seat<K, V>> {
        let mut again = Vec::new();
        if seats.is_empty() {
            return again;
        }
        let Ok(found) = l2.acquire(&texts(&seats), lease, self.lease_ms()).await else {
            sorted.without.extend(seats);
            return again;
        };
        for (mut seat, found) in seats.into_iter().zip(found) {
            match found {
                Found::Nothing => {
                    seat.leased(lease);
                    sorted.ours.push(seat);
                }
                Found::Leased(lease) => sorted.leased(seat, lease),
                Found::Bytes(bytes) => {
                    let Some(seat) = self.take_place((l2, lease), seat, bytes).await else {
                        continue;
                    };
                    if seat.may_commit() { &mut sorted.ours } else { &mut again }.push(seat);
                }
            }
        }
        again
    }

    /// Lands the seat if an entry lies there by now; takes the place of what expired or cannot be
    /// read.
    async fn take_place(
        &self,
        (l2, lease): (&Keyspace, &Lease),
        mut seat: Seat<K, V>,
        bytes: Vec<u8>,
    ) -> Option<Seat<K, V>> {
        let held = match self.read_back(&seat.ticket.text, &bytes).await {
            // It may well count.
            Err(Away) => return Some(seat),
            Ok(Some(held)) if held.is_usable() => return self.land_or_refresh(seat, Some(held)),
            Ok(held) => held,
        };
        let claim = (lease, self.lease_ms());
        if l2.claim(&seat.ticket.text, &bytes, claim).await != Ok(true) {
            return Some(seat);
        }
        let claimed = || {
            seat.claimed(lease, held, bytes);
            seat
        };
        self.recorder.contain(claimed)
    }

    /// Answers the seats whose entries are no longer those that were to be refreshed.
    async fn ask_for_refreshes(
        &self,
        (l2, lease): (&Keyspace, &Lease),
        seats: Vec<Seat<K, V>>,
        sorted: &mut Sorted<K, V>,
    ) -> Vec<Seat<K, V>> {
        if seats.is_empty() {
            return Vec::new();
        }
        let entries: Vec<(&str, &[u8])> = seats.iter().filter_map(Seat::refreshed).collect();
        let Ok(leases) = l2.acquire_refreshes(&entries, (lease, self.lease_ms())).await else {
            sorted.without.extend(seats);
            return Vec::new();
        };
        let mut moved = Vec::new();
        for (mut seat, found) in seats.into_iter().zip(leases) {
            match found {
                RefreshLease::Ours => {
                    seat.leased(lease);
                    sorted.ours.push(seat);
                }
                RefreshLease::Held(lease) => sorted.leased(seat, lease),
                RefreshLease::Moved => moved.push(seat),
            }
        }
        match self.look_again(moved).await {
            Ok(again) => again,
            Err(without) => {
                sorted.without.extend(without);
                Vec::new()
            }
        }
    }

    /// Asks L2 anew and lands what it holds; answers the rest, or all where it cannot be asked.
    async fn look_again(&self, seats: Vec<Seat<K, V>>) -> Result<Vec<Seat<K, V>>, Vec<Seat<K, V>>> {
        if seats.is_empty() {
            return Ok(seats);
        }
        let Ok(held) = self.ask_l2(&texts(&seats)).await else { return Err(seats) };
        Ok(self.land_held(seats, held))
    }
}

pub(crate) fn texts<K: Key, V: Value>(seats: &[Seat<K, V>]) -> Vec<&str> {
    seats.iter().map(|seat| seat.ticket.text.as_str()).collect()
}
