//! What the leader of a flight does, detached from its caller: ask L2, else take the lease
//! (`leases`), load, commit to L2 while nothing came in between, and put into L1 while the fence
//! lets it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use strata_report::Outcome;
use tokio::time::timeout;

use super::deadlock::Waits;
use super::key_fill::Seat;
use super::leases::texts;
use super::nesting;
use super::queueing::Turn;
use crate::connection::Away;
use crate::error::LoadError;
use crate::key::{Key, Value};
use crate::l2::{Commit, Written};
use crate::read::cache_core::Core;
use crate::read::l2_entry::Held;
use crate::read::new_entry::{Life, Ticket};
use crate::read::values::{Load, Loaded};
use crate::recorder::LoadEnded;

/// Entries above so many bytes are written down one at a time.
const LARGE: usize = 64 * 1024;

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
            (Some(l2), Ok(held)) => self.acquire(l2, self.land_held(seats, held)).await,
            _ => seats,
        };
        if seats.is_empty() {
            return;
        }
        // Whoever began what nobody waits for may end before it does.
        let is_detached = seats.iter().all(Seat::is_answered);
        let loading = self.load(seats, load);
        match is_detached {
            true => nesting::detached(loading).await,
            false => loading.await,
        }
    }

    /// Lands the seats that L2 has an entry for; the rest stays.
    pub(crate) fn land_held(
        &self,
        seats: Vec<Seat<K, V>>,
        held: Vec<Option<Held<V>>>,
    ) -> Vec<Seat<K, V>> {
        let both = seats.into_iter().zip(held);
        both.filter_map(|(seat, held)| self.land_or_refresh(seat, held)).collect()
    }

    /// Lands the seat if what L2 holds for it is fresh and news.
    pub(crate) fn land_or_refresh(
        &self,
        mut seat: Seat<K, V>,
        held: Option<Held<V>>,
    ) -> Option<Seat<K, V>> {
        let act = || {
            match held.filter(Held::is_usable) {
                None => seat.found_nothing(),
                Some(held) if self.knows_newer(&seat.ticket.key, held.life.version) => {
                    seat.overwrites(&held);
                }
                Some(held) if held.is_fresh() && !seat.has_as_new(&held) => {
                    seat.land_held(held);
                    return None;
                }
                Some(held) => seat.refreshes(held),
            }
            Some(seat)
        };
        self.recorder.contain(act).flatten()
    }

    async fn load(self: &Arc<Self>, seats: Vec<Seat<K, V>>, load: Load<K, V>) {
        let Some((turn, seats)) = self.turn(seats).await else { return };
        // A key that cannot be copied fails alone.
        let copied = |seat: Seat<K, V>| {
            let key = self.recorder.contain(|| seat.ticket.key.clone())?;
            Some((seat, key))
        };
        let (seats, keys): (Vec<_>, Vec<_>) = seats.into_iter().filter_map(copied).unzip();
        if !seats.is_empty() {
            let leases = self.leases(&seats);
            self.keeping_leases(leases, self.load_and_land(seats, (keys, turn), load)).await;
        }
    }

    async fn load_and_land(
        &self,
        seats: Vec<Seat<K, V>>,
        (keys, turn): (Vec<K>, Turn),
        load: Load<K, V>,
    ) {
        let began = std::time::Instant::now();
        let flights = seats.iter().map(|seat| Arc::clone(&seat.flight().waits)).collect();
        let loaded = self.ask_source(turn, (keys, flights), load).await;
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
        turn: Turn,
        whose: (Vec<K>, Vec<Arc<Waits>>),
        load: Load<K, V>,
    ) -> Result<HashMap<K, Loaded<V>>, LoadError> {
        self.recorder.load_began();
        let loading = |keys| async move {
            // Until the load has ended, also where nobody waits for it any more.
            let _turn = turn;
            // Making the future may panic as well as running it.
            load(keys).await
        };
        let running = nesting::spawn_load(self, whose, loading);
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
            let written = || {
                let Ticket { text, stamp, .. } = &seat.ticket;
                let written = self.encode(text, value.as_deref(), &life, *stamp);
                // What is refreshed would stay and be served for as long as it may live.
                written.or_else(|| seat.refreshed().map(|_| Written::nothing()))
            };
            if let Some(expects) = seat.expects()
                && let Some(written) = written()
            {
                let key = seat.ticket.text.clone();
                if written.bytes.len() > LARGE {
                    // Many of them take long to write down, and their leases must be kept.
                    tokio::task::yield_now().await;
                }
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
        for ((place, commit), committed) in places.into_iter().zip(&commits).zip(committed) {
            kept[place] = committed;
            let count = match committed {
                true => &self.recorder.l2_puts,
                false => &self.recorder.l2_refused,
            };
            count.add(u64::from(!(committed && commit.written.is_nothing())));
        }
    }

    /// After a failed load: what was claimed goes back to L2, where it may stand in on any node,
    /// leases are given up, and readers get what stands in, or the error.
    pub(crate) async fn stand_in(&self, seats: Vec<Seat<K, V>>, error: &LoadError) {
        self.give_back(&seats).await;
        for seat in seats {
            self.recorder.contain(|| seat.fail(error.clone()));
        }
    }

    /// Gives up leases; what was claimed for them goes back to L2.
    pub(crate) async fn give_back(&self, seats: &[Seat<K, V>]) {
        let restores: Vec<Commit> = seats.iter().filter_map(Seat::restore).collect();
        if let Some(l2) = self.l2.as_ref().filter(|_| !restores.is_empty()) {
            let _: Result<Vec<bool>, Away> = l2.commit(&restores).await;
        }
        self.release(seats).await;
    }
}
