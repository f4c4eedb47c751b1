//! How a load waits for one of the permits of its cache.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::OwnedSemaphorePermit;

use super::flight::Flight;
use super::key_fill::KeyFill;
use super::load_limit::NoPermit;
use crate::error::LoadError;
use crate::key::{Key, Value};
use crate::read::cache_core::Core;

/// The permit of a load; none if it needs no permit of its own.
pub(crate) type LoadPermit = Option<OwnedSemaphorePermit>;

impl<K: Key, V: Value> Core<K, V> {
    /// Waits for a permit to load these keys. A load that another load of the same cache runs or
    /// waits for needs none. Meanwhile the leases are given up, so that another node may load, and
    /// its entries complete the fills. `None` if no permit came in time, or no fill is left.
    pub(crate) async fn load_permit(
        self: &Arc<Self>,
        mut fills: Vec<KeyFill<K, V>>,
    ) -> Option<(LoadPermit, Vec<KeyFill<K, V>>)> {
        if self.is_within_a_load() {
            return Some((None, fills));
        }
        if let Some(permit) = self.loads.try_acquire() {
            return Some((Some(permit), fills));
        }
        let has_leases = !self.leases(&fills).is_empty();
        self.give_back(&fills).await;
        fills.iter_mut().for_each(KeyFill::unleased);
        let permit = match self.queue_for_permit(&fills).await {
            Ok(permit) => permit,
            Err(NoPermit) => {
                self.serve_stale_or_fail(fills, &self.busy()).await;
                return None;
            }
        };
        if let Some(l2) = self.l2.as_ref().filter(|_| has_leases) {
            fills = Box::pin(self.acquire(l2, fills)).await;
        }
        (!fills.is_empty()).then_some((permit, fills))
    }

    async fn queue_for_permit(&self, fills: &[KeyFill<K, V>]) -> Result<LoadPermit, NoPermit> {
        let flights: Vec<Flight<V>> = fills.iter().map(KeyFill::flight).collect();
        flights.iter().for_each(|flight| flight.enter_queue());
        let permit = tokio::select! {
            biased;
            () = any_is_expedited(&flights) => Ok(None),
            permit = self.loads.acquire(self.policy.load_timeout) => permit.map(Some),
        };
        flights.iter().for_each(|flight| flight.leave_queue());
        permit
    }

    /// The error of a load that got no permit in time.
    pub(crate) fn busy(&self) -> LoadError {
        LoadError::Busy { cache: Arc::from(&*self.name), max_loads: self.loads.max() }
    }
}

/// Waits until a load that has a permit waits for one of the flights.
async fn any_is_expedited<V>(flights: &[Flight<V>]) {
    let mut expedited: Vec<_> = flights.iter().map(|flight| Box::pin(flight.expedited())).collect();
    let any = |context: &mut Context<'_>| {
        let is_any = expedited.iter_mut().any(|one| one.as_mut().poll(context).is_ready());
        if is_any { Poll::Ready(()) } else { Poll::Pending }
    };
    poll_fn(any).await;
}
