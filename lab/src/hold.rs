use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{PlayError, Seen, Stage};

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
struct Held {
    gate: Gate,
    stop: CancellationToken,
}

/// A read or write that was begun, and is held up or has ended.
pub struct HeldAct<T> {
    held: Held,
    acting: JoinHandle<Result<T, PlayError>>,
}

/// The calls of one stage that are to be held up. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub(super) struct Holds {
    gates: Arc<Mutex<Vec<(Call, Gate)>>>,
    stop: CancellationToken,
}

/// The way of one call through its gate. A call that ends before it has come there has passed.
pub(super) struct Passage {
    gate: Option<Gate>,
    stop: CancellationToken,
}

#[derive(Clone, Default)]
struct Gate {
    entered: CancellationToken,
    released: CancellationToken,
}

impl Stage {
    /// Begins to read an item, and waits until the read is held up at this call, or has ended
    /// without it.
    ///
    /// # Errors
    /// When the stage is stopped.
    pub async fn read_until(
        self: &Arc<Self>,
        call: Call,
        node: usize,
        id: u64,
    ) -> Result<HeldAct<Seen>, PlayError> {
        let stage = Arc::clone(self);
        self.act_until(call, async move { stage.read(node, id).await }).await
    }

    /// Begins to change an item, and waits until the write is held up at this call, or has ended
    /// without it.
    ///
    /// # Errors
    /// When the stage is stopped.
    pub async fn write_until(
        self: &Arc<Self>,
        call: Call,
        node: usize,
        id: u64,
    ) -> Result<HeldAct<bool>, PlayError> {
        let stage = Arc::clone(self);
        self.act_until(call, async move { stage.write(node, id).await }).await
    }

    async fn act_until<T: Send + 'static>(
        &self,
        call: Call,
        act: impl Future<Output = Result<T, PlayError>> + Send + 'static,
    ) -> Result<HeldAct<T>, PlayError> {
        let held = self.source.holds().next(call);
        let ended = held.gate.entered.clone();
        let acting = tokio::spawn(async move {
            let _ended = ended.drop_guard();
            act.await
        });
        held.entered().await?;
        Ok(HeldAct { held, acting })
    }
}

impl<T> HeldAct<T> {
    /// Lets it go on to its end; answers what the read or write does.
    ///
    /// # Errors
    /// When the stage is stopped or all nodes were killed.
    pub async fn go_on(self) -> Result<T, PlayError> {
        drop(self.held);
        self.acting.await.unwrap_or(Err(PlayError::Panicked))
    }
}

impl Held {
    /// Waits until the call is held up, or has ended with an error.
    async fn entered(&self) -> Result<(), PlayError> {
        let entered = self.stop.run_until_cancelled(self.gate.entered.cancelled()).await;
        entered.ok_or(PlayError::Stopped)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.gate.released.cancel();
    }
}

impl Holds {
    pub(super) fn new(stop: CancellationToken) -> Self {
        Self { gates: Arc::default(), stop }
    }

    /// Holds up the next call of this kind.
    fn next(&self, call: Call) -> Held {
        let gate = Gate::default();
        self.gates().push((call, gate.clone()));
        Held { gate, stop: self.stop.clone() }
    }

    /// The way of a call that begins now.
    pub(super) fn begin(&self, call: Call) -> Passage {
        let mut gates = self.gates();
        // A gate that nobody holds any more waits for no call.
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
    pub(super) async fn pass(self) -> Option<()> {
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
