//! The state of a flight that its readers wait for.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use strata_report::Outcome;
use tokio::sync::{Notify, SetOnce};

use super::deadlock::WaitNode;
use crate::error::LoadError;
use crate::l1::Entry;

/// The result of a flight: the entry and the outcome of the read that led it.
pub(crate) type FlightResult<V> = Result<(Entry<V>, Outcome), LoadError>;

pub(crate) type Flight<V> = Arc<FlightState<V>>;

/// The state of a flight, shared by its leader and its waiters.
pub(crate) struct FlightState<V> {
    result: SetOnce<FlightResult<V>>,
    is_queued: AtomicBool,
    expedite: Notify,
    /// What its load waits for.
    pub(crate) waits: Arc<WaitNode>,
}

impl<V> Default for FlightState<V> {
    fn default() -> Self {
        let (result, is_queued) = (SetOnce::new(), AtomicBool::new(false));
        Self { result, is_queued, expedite: Notify::new(), waits: Arc::default() }
    }
}

impl<V> FlightState<V> {
    /// Sets the result. The first result counts, since a stale answer may have been given already.
    pub(crate) fn complete(&self, result: FlightResult<V>) {
        let _ = self.result.set(result);
    }

    pub(crate) async fn result(&self) -> &FlightResult<V> {
        self.result.wait().await
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.result.initialized()
    }

    pub(crate) fn enter_queue(&self) {
        self.is_queued.store(true, Relaxed);
    }

    pub(crate) fn leave_queue(&self) {
        self.is_queued.store(false, Relaxed);
    }

    /// Tells the flight not to wait for a permit, because a load that has a permit waits for it.
    pub(crate) fn expedite(&self) {
        self.expedite.notify_one();
    }

    /// Waits until a load that has a permit waits for this flight.
    pub(crate) async fn expedited(&self) {
        self.expedite.notified().await;
    }

    /// Whether its load waits for a permit.
    pub(crate) fn is_queued(&self) -> bool {
        self.is_queued.load(Relaxed)
    }
}
