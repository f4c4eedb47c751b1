//! What those who join a flight wait on.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use strata_report::Outcome;
use tokio::sync::{Notify, SetOnce};

use super::deadlock::Waits;
use crate::error::LoadError;
use crate::l1::Entry;

/// How a flight ended: the entry and the outcome of the read that led it.
pub(crate) type Landing<V> = Result<(Entry<V>, Outcome), LoadError>;

pub(crate) type Flight<V> = Arc<FlightState<V>>;

/// Whether a flight has ended, and what else those who wait for it should know.
pub(crate) struct FlightState<V> {
    landing: SetOnce<Landing<V>>,
    is_queued: AtomicBool,
    hurry: Notify,
    /// What its own load waits for.
    pub(crate) waits: Arc<Waits>,
}

impl<V> Default for FlightState<V> {
    fn default() -> Self {
        let (landing, is_queued) = (SetOnce::new(), AtomicBool::new(false));
        Self { landing, is_queued, hurry: Notify::new(), waits: Arc::default() }
    }
}

impl<V> FlightState<V> {
    /// The first landing counts: a stale answer may have been given already.
    pub(crate) fn land(&self, landing: Landing<V>) {
        let _ = self.landing.set(landing);
    }

    pub(crate) async fn landing(&self) -> &Landing<V> {
        self.landing.wait().await
    }

    pub(crate) fn has_landed(&self) -> bool {
        self.landing.initialized()
    }

    pub(crate) fn enter_queue(&self) {
        self.is_queued.store(true, Relaxed);
    }

    pub(crate) fn leave_queue(&self) {
        self.is_queued.store(false, Relaxed);
    }

    /// Somebody who has a turn waits for it.
    pub(crate) fn hurry(&self) {
        self.hurry.notify_one();
    }

    /// Until, or if, somebody who has a turn waits for it.
    pub(crate) async fn hurried(&self) {
        self.hurry.notified().await;
    }

    /// Whether its load waits for a turn.
    pub(crate) fn is_queued(&self) -> bool {
        self.is_queued.load(Relaxed)
    }
}
