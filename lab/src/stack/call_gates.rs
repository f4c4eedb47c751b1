use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::{CancellationToken, DropGuard};

/// Where a call can be held up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Items are read from the database: before the answer.
    Select,
    /// Items are written to the database: before the commit.
    Commit,
    /// Items are written to the database: between the commit and the answer.
    Update,
    /// A strategy that does so itself removes a key from Redis: before it is gone.
    Remove,
}

/// One call that is held up. Goes on when this is dropped.
pub(crate) struct HeldCall {
    gate: Gate,
    stop: CancellationToken,
}

/// The calls of one sandbox that will be held up. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub(crate) struct CallGates {
    gates: Arc<Mutex<Vec<(Call, Gate)>>>,
    stop: CancellationToken,
}

/// One call on its way through its gate. Where it ends before the gate, it has passed.
pub(crate) struct Passage {
    gate: Option<Gate>,
    stop: CancellationToken,
}

#[derive(Clone, Default)]
struct Gate {
    entered: CancellationToken,
    released: CancellationToken,
}

impl HeldCall {
    /// Waits until the call is held up, or has ended with an error.
    /// `None` when the experiment is stopped first.
    pub(crate) async fn entered(&self) -> Option<()> {
        self.stop.run_until_cancelled(self.gate.entered.cancelled()).await
    }

    /// Marks the call as ended when this is dropped, wherever it has come to.
    pub(crate) fn end_guard(&self) -> DropGuard {
        self.gate.entered.clone().drop_guard()
    }
}

impl Drop for HeldCall {
    fn drop(&mut self) {
        self.gate.released.cancel();
    }
}

impl CallGates {
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self { gates: Arc::default(), stop }
    }

    /// Holds up the next call of this kind.
    pub(crate) fn next(&self, call: Call) -> HeldCall {
        let gate = Gate::default();
        self.gates().push((call, gate.clone()));
        HeldCall { gate, stop: self.stop.clone() }
    }

    /// The way of a call that begins now.
    pub(crate) fn begin(&self, call: Call) -> Passage {
        let mut gates = self.gates();
        // A gate that was released waits for no call.
        gates.retain(|(_, gate)| !gate.released.is_cancelled());
        let at = gates.iter().position(|(held, _)| *held == call);
        Passage { gate: at.map(|at| gates.remove(at).1), stop: self.stop.clone() }
    }

    fn gates(&self) -> MutexGuard<'_, Vec<(Call, Gate)>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Passage {
    /// Waits at the gate. `None` when the experiment is stopped first.
    pub(crate) async fn pass(self) -> Option<()> {
        let Some(gate) = &self.gate else { return Some(()) };
        gate.entered.cancel();
        self.stop.run_until_cancelled(gate.released.cancelled()).await
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        if let Some(gate) = &self.gate {
            gate.entered.cancel();
        }
    }
}
