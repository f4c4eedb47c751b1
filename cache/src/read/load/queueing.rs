//! How a load waits until it may run.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::OwnedSemaphorePermit;

use super::flight::Flight;
use super::key_fill::Seat;
use super::load_limit::Refused;
use crate::error::LoadError;
use crate::key::{Key, Value};
use crate::read::cache_core::Core;

/// The right of a load to run; none where it needs no turn of its own.
pub(crate) type Turn = Option<OwnedSemaphorePermit>;

impl<K: Key, V: Value> Core<K, V> {
    /// Waits until the load of these seats may run. One that is run, or waited for, by another of
    /// the same cache has its turn. Meanwhile the leases are given up, so that another node may
    /// load; what it has loaded lands. Nothing where no turn comes in time, or no seat is left.
    pub(crate) async fn turn(
        self: &Arc<Self>,
        mut seats: Vec<Seat<K, V>>,
    ) -> Option<(Turn, Vec<Seat<K, V>>)> {
        if self.is_within_a_load() {
            return Some((None, seats));
        }
        if let Some(turn) = self.loads.try_begin() {
            return Some((Some(turn), seats));
        }
        let has_leases = !self.leases(&seats).is_empty();
        self.give_back(&seats).await;
        seats.iter_mut().for_each(Seat::unleased);
        let turn = match self.queue_for_a_turn(&seats).await {
            Ok(turn) => turn,
            Err(Refused) => {
                self.stand_in(seats, &self.busy()).await;
                return None;
            }
        };
        if let Some(l2) = self.l2.as_ref().filter(|_| has_leases) {
            seats = Box::pin(self.acquire(l2, seats)).await;
        }
        (!seats.is_empty()).then_some((turn, seats))
    }

    async fn queue_for_a_turn(&self, seats: &[Seat<K, V>]) -> Result<Turn, Refused> {
        let flights: Vec<Flight<V>> = seats.iter().map(Seat::flight).collect();
        flights.iter().for_each(|flight| flight.enter_queue());
        let turn = tokio::select! {
            biased;
            () = any_is_hurried(&flights) => Ok(None),
            turn = self.loads.begin(self.policy.load_timeout) => turn.map(Some),
        };
        flights.iter().for_each(|flight| flight.leave_queue());
        turn
    }

    /// Why a load that waits for its turn is given up.
    pub(crate) fn busy(&self) -> LoadError {
        LoadError::Busy { cache: Arc::from(&*self.name), max_loads: self.loads.max() }
    }
}

/// Until somebody who has a turn waits for one of the flights.
async fn any_is_hurried<V>(flights: &[Flight<V>]) {
    let mut hurried: Vec<_> = flights.iter().map(|flight| Box::pin(flight.hurried())).collect();
    let any = |context: &mut Context<'_>| {
        let is_any = hurried.iter_mut().any(|one| one.as_mut().poll(context).is_ready());
        if is_any { Poll::Ready(()) } else { Poll::Pending }
    };
    poll_fn(any).await;
}
