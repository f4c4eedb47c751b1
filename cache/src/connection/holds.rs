use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

pub use super::query::Step;

/// A side of a round trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Before the command is sent.
    Before,
    /// After its answer has come.
    After,
}

type Gates = HashMap<(Step, Side), Arc<Gate>>;

/// Lets a test hold up a node between any two of its steps.
#[derive(Clone, Default)]
pub struct Holds {
    held: Arc<Mutex<Gates>>,
    /// Keeps the cost close to nothing while no test holds a step, as in a benchmark.
    used: Arc<AtomicBool>,
}

/// Holds up the next call that reaches one place. Releases it when dropped.
pub struct Hold {
    holds: Holds,
    place: (Step, Side),
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    arrived: Notify,
    open: Notify,
}

impl Holds {
    /// Holds up the next call, and only that one, at this side of this step.
    pub fn hold(&self, step: Step, side: Side) -> Hold {
        self.used.store(true, Ordering::Release);
        let gate = Arc::<Gate>::default();
        self.held().insert((step, side), Arc::clone(&gate));
        Hold { holds: self.clone(), place: (step, side), gate }
    }

    pub(crate) async fn before(&self, step: Step) {
        self.pass((step, Side::Before)).await;
    }

    pub(crate) async fn after(&self, step: Step) {
        self.pass((step, Side::After)).await;
    }

    async fn pass(&self, place: (Step, Side)) {
        if !self.used.load(Ordering::Acquire) {
            return;
        }
        let gate = self.held().remove(&place);
        if let Some(gate) = gate {
            gate.arrived.notify_one();
            gate.open.notified().await;
        }
    }

    fn held(&self) -> MutexGuard<'_, Gates> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// Waits until a call is held up.
    pub async fn arrived(&self) {
        self.gate.arrived.notified().await;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.holds.held().remove(&self.place);
        self.gate.open.notify_one();
    }
}
