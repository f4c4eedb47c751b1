use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::experiment::RunRequest;
use crate::sandbox::{ContenderRun, Fault, Sandbox, SandboxError, StepGate};

/// An experiment that runs, or ran. Dropping it stops it; either way it clears up after itself.
pub struct Run {
    id: String,
    request: RunRequest,
    phase: watch::Receiver<Phase>,
    pub(crate) shared: Arc<RunShared>,
    _end: DropGuard,
}

/// What a run's task and its watchers share.
pub(crate) struct RunShared {
    pub(crate) contender_states: Mutex<Vec<ContenderState>>,
    pub(crate) steps: StepGate,
    pub(crate) stop: CancellationToken,
    /// When it was last watched.
    looked: Mutex<Instant>,
    faults: Mutex<BTreeSet<Fault>>,
    /// What was broken by hand at any time of the run.
    broken_by_hand: Mutex<BTreeSet<Fault>>,
}

/// How far one contender has come.
pub(crate) enum ContenderState {
    Pending,
    Running(Arc<Sandbox>),
    Over(Box<ContenderRun>),
}

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// Whether it goes on, and how it ended. It has cleared up by then.
    pub phase: Phase,
    /// What was run, and what is being run.
    #[serde(rename = "performances")]
    pub contenders: Vec<ContenderRun>,
    /// The step that waits until [`Run::go_on`] lets it be played.
    #[serde(rename = "waiting")]
    pub next_step: Option<NextStep>,
    /// What is broken at the moment.
    pub faults: Vec<Fault>,
    /// What was broken by hand while it ran, repaired since or not.
    #[serde(default)]
    pub broken_by_hand: Vec<Fault>,
}

/// Whether a run goes on, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// A contender has not ended.
    Running,
    /// All contenders have ended.
    Done,
    /// It was stopped.
    Stopped,
    /// It could not go on; the text fits after "failed to".
    Failed(String),
}

/// A step that waits to be played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextStep {
    /// How many were played.
    pub played: usize,
    /// What it will do.
    pub text: String,
}

impl Run {
    pub(crate) fn new(
        id: String,
        request: RunRequest,
        phase: watch::Receiver<Phase>,
        shared: Arc<RunShared>,
    ) -> Self {
        let end = shared.stop.clone().drop_guard();
        Self { id, request, phase, shared, _end: end }
    }

    /// Its name in addresses.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it was started for.
    pub fn request(&self) -> &RunRequest {
        &self.request
    }

    /// Says that its page is open. A run that goes step by step is stopped without that.
    pub fn look(&self) {
        *locked(&self.shared.looked) = Instant::now();
    }

    /// How far it has come.
    pub async fn state(&self) -> RunState {
        let phase = self.phase();
        let sandboxes = self.shared.sandboxes();
        let mut contenders = Vec::new();
        for number in 0..self.request.experiment.contenders.len() {
            contenders.extend(self.shared.contender_run(number).await);
        }
        // There is no next step while one contender still plays its own.
        let next_step: Option<Vec<_>> = sandboxes.iter().map(|sandbox| sandbox.waiting()).collect();
        let next_step = next_step.and_then(|all| all.into_iter().next());
        let next_step = next_step.filter(|_| !self.shared.awaits_somebody());
        let next_step = next_step.map(|(number, text)| NextStep { played: number - 1, text });
        let mut faults: BTreeSet<Fault> = self.shared.faults().clone();
        faults.extend(sandboxes.iter().flat_map(|sandbox| sandbox.faults().clone()));
        let faults = faults.into_iter().collect();
        let broken_by_hand = locked(&self.shared.broken_by_hand).iter().copied().collect();
        RunState { phase, contenders, next_step, faults, broken_by_hand }
    }

    /// Whether it goes on, and how it ended.
    pub fn phase(&self) -> Phase {
        // Asked first: the sender is dropped right after it sends the last phase.
        let is_over = self.phase.has_changed().is_err();
        match self.phase.borrow().clone() {
            Phase::Running if is_over => Phase::Failed(SandboxError::Panicked.to_string()),
            phase => phase,
        }
    }

    /// Lets the step be played that comes after so many. Asked twice it is one step.
    pub fn go_on(&self, played: usize) {
        self.look();
        self.shared.steps.allow_after(played);
    }

    /// Lets all steps be played that are left.
    pub fn go_on_to_the_end(&self) {
        self.look();
        self.shared.steps.allow_all();
    }

    /// Breaks something, for those whose turn comes later too.
    ///
    /// # Errors
    /// When Redis is to be cut off and is not there, or cannot be cut off.
    pub fn inject(&self, fault: Fault) -> Result<(), SandboxError> {
        self.look();
        self.shared.sandboxes().iter().try_for_each(|sandbox| sandbox.inject(fault))?;
        self.shared.faults().insert(fault);
        locked(&self.shared.broken_by_hand).insert(fault);
        Ok(())
    }

    /// Mends it for those whose turn it is.
    ///
    /// # Errors
    /// When a node that was killed cannot be built again.
    pub async fn repair(&self, fault: Fault) -> Result<(), SandboxError> {
        self.look();
        self.shared.faults().remove(&fault);
        for sandbox in self.shared.sandboxes() {
            sandbox.repair(fault).await?;
        }
        Ok(())
    }

    /// Stops it; [`Run::ended`] tells when it has cleared up.
    pub fn stop(&self) {
        self.shared.stop.cancel();
    }

    /// Waits until it has ended, however it did, and answers the last state.
    pub async fn ended(&self) -> RunState {
        let mut phase = self.phase.clone();
        // A sender that is gone is a task that panicked, which the state tells.
        let _ = phase.wait_for(|phase| *phase != Phase::Running).await;
        self.state().await
    }
}

impl RunShared {
    pub(crate) fn new(request: &RunRequest) -> Self {
        let contender_states =
            request.experiment.contenders.iter().map(|_| ContenderState::Pending).collect();
        Self {
            contender_states: Mutex::new(contender_states),
            steps: StepGate::at(request.step_mode),
            stop: CancellationToken::new(),
            looked: Mutex::new(Instant::now()),
            faults: Mutex::default(),
            broken_by_hand: Mutex::default(),
        }
    }

    /// How long it has not been watched.
    pub(crate) fn unseen(&self) -> Duration {
        locked(&self.looked).elapsed()
    }

    pub(crate) fn contender_states(&self) -> MutexGuard<'_, Vec<ContenderState>> {
        locked(&self.contender_states)
    }

    pub(crate) fn set_contender(&self, number: usize, state: ContenderState) {
        if let Some(slot) = self.contender_states().get_mut(number) {
            *slot = state;
        }
    }

    /// What is broken by hand.
    pub(crate) fn faults(&self) -> MutexGuard<'_, BTreeSet<Fault>> {
        locked(&self.faults)
    }

    // Side by side all begin together, one of them a little later than the others.
    fn awaits_somebody(&self) -> bool {
        self.contender_states().iter().any(|state| matches!(state, ContenderState::Pending))
    }

    fn sandboxes(&self) -> Vec<Arc<Sandbox>> {
        let running = |state: &ContenderState| match state {
            ContenderState::Running(sandbox) => Some(Arc::clone(sandbox)),
            ContenderState::Pending | ContenderState::Over(_) => None,
        };
        self.contender_states().iter().filter_map(running).collect()
    }

    async fn contender_run(&self, number: usize) -> Option<ContenderRun> {
        let sandbox = match self.contender_states().get(number)? {
            ContenderState::Pending => return None,
            ContenderState::Over(contender_run) => return Some((**contender_run).clone()),
            ContenderState::Running(sandbox) => Arc::clone(sandbox),
        };
        match sandbox.contender_run().await {
            Ok(contender_run) => Some(contender_run),
            // It was torn down just now.
            Err(_) => match self.contender_states().get(number)? {
                ContenderState::Over(contender_run) => Some((**contender_run).clone()),
                ContenderState::Pending | ContenderState::Running(_) => None,
            },
        }
    }
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("id", &self.id).finish_non_exhaustive()
    }
}
