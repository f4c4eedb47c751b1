use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::experiment::Order;
use super::pace::Steps;
use super::stage::Stage;
use super::{Fault, PlayError, ResultRow, Settings, Step};
use crate::StrategyKind;

/// An experiment that runs, or ran. Dropping it stops it; either way it clears up after itself.
pub struct Run {
    id: String,
    order: Order,
    phase: watch::Receiver<Phase>,
    pub(super) shared: Arc<Shared>,
    _end: DropGuard,
}

/// What a run's task and those who look at it have in common.
pub(super) struct Shared {
    pub(super) turns: Mutex<Vec<Turn>>,
    pub(super) steps: Steps,
    pub(super) stop: CancellationToken,
    /// When somebody last looked at it.
    looked: Mutex<Instant>,
    faults: Mutex<BTreeSet<Fault>>,
    /// What was broken by hand at any time of the run.
    broken_by_hand: Mutex<BTreeSet<Fault>>,
}

/// One contender's turn.
pub(super) enum Turn {
    Awaited,
    Playing(Arc<Stage>),
    Over(Box<Performance>),
}

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// Whether it goes on, and how it ended. It has cleared up by then.
    pub phase: Phase,
    /// What was performed, and what is being performed.
    pub performances: Vec<Performance>,
    /// The step that waits until [`Run::go_on`] lets it be played.
    pub waiting: Option<Waiting>,
    /// What is broken at the moment.
    pub faults: Vec<Fault>,
    /// What somebody broke while it ran, mended since or not.
    #[serde(default)]
    pub broken_by_hand: Vec<Fault>,
}

/// Whether a run goes on, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Somebody's turn has not ended.
    Running,
    /// All had their turn.
    Done,
    /// It was stopped.
    Stopped,
    /// It could not go on; the text fits after "failed to".
    Failed(String),
}

/// One contender's turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// The contender's name.
    pub title: String,
    /// What it does.
    pub strategy: StrategyKind,
    /// What it does it with.
    pub settings: Settings,
    /// What it came to, so far.
    pub result: ResultRow,
    /// What happened, step by step, so far.
    pub steps: Vec<Step>,
    /// Whether it came to its end.
    pub is_over: bool,
}

/// A step that waits to be played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// How many were played.
    pub played: usize,
    /// What it will do.
    pub text: String,
}

impl Run {
    pub(super) fn new(
        id: String,
        order: Order,
        phase: watch::Receiver<Phase>,
        shared: Arc<Shared>,
    ) -> Self {
        let end = shared.stop.clone().drop_guard();
        Self { id, order, phase, shared, _end: end }
    }

    /// Its name in addresses.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it was started for.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// Somebody is there. A run that goes step by step is stopped where nobody is for long.
    pub fn look(&self) {
        *locked(&self.shared.looked) = Instant::now();
    }

    /// How far it has come.
    pub async fn state(&self) -> RunState {
        let phase = self.phase();
        let stages = self.shared.stages();
        let mut performances = Vec::new();
        for turn in 0..self.order.experiment.contenders.len() {
            performances.extend(self.shared.performance(turn).await);
        }
        // Where one still plays its step, nobody waits for the next.
        let waiting: Option<Vec<_>> = stages.iter().map(|stage| stage.waiting()).collect();
        let waiting = waiting.and_then(|all| all.into_iter().next());
        let waiting = waiting.filter(|_| !self.shared.awaits_somebody());
        let waiting = waiting.map(|(number, text)| Waiting { played: number - 1, text });
        let mut faults: BTreeSet<Fault> = self.shared.faults().clone();
        faults.extend(stages.iter().flat_map(|stage| stage.faults().clone()));
        let faults = faults.into_iter().collect();
        let broken_by_hand = locked(&self.shared.broken_by_hand).iter().copied().collect();
        RunState { phase, performances, waiting, faults, broken_by_hand }
    }

    /// Whether it goes on, and how it ended.
    pub fn phase(&self) -> Phase {
        // Asked first: whoever sends the last phase goes away right after.
        let is_over = self.phase.has_changed().is_err();
        match self.phase.borrow().clone() {
            Phase::Running if is_over => Phase::Failed(PlayError::Panicked.to_string()),
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
    pub fn inflict(&self, fault: Fault) -> Result<(), PlayError> {
        self.look();
        self.shared.stages().iter().try_for_each(|stage| stage.inflict(fault))?;
        self.shared.faults().insert(fault);
        locked(&self.shared.broken_by_hand).insert(fault);
        Ok(())
    }

    /// Mends it for those whose turn it is.
    ///
    /// # Errors
    /// When a node that was killed cannot be built again.
    pub async fn mend(&self, fault: Fault) -> Result<(), PlayError> {
        self.look();
        self.shared.faults().remove(&fault);
        for stage in self.shared.stages() {
            stage.mend(fault).await?;
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

impl Shared {
    pub(super) fn new(order: &Order) -> Self {
        let turns = order.experiment.contenders.iter().map(|_| Turn::Awaited).collect();
        Self {
            turns: Mutex::new(turns),
            steps: Steps::at(order.pace),
            stop: CancellationToken::new(),
            looked: Mutex::new(Instant::now()),
            faults: Mutex::default(),
            broken_by_hand: Mutex::default(),
        }
    }

    /// How long nobody has looked.
    pub(super) fn unseen(&self) -> Duration {
        locked(&self.looked).elapsed()
    }

    pub(super) fn turns(&self) -> MutexGuard<'_, Vec<Turn>> {
        locked(&self.turns)
    }

    pub(super) fn set_turn(&self, number: usize, turn: Turn) {
        if let Some(place) = self.turns().get_mut(number) {
            *place = turn;
        }
    }

    /// What is broken by hand.
    pub(super) fn faults(&self) -> MutexGuard<'_, BTreeSet<Fault>> {
        locked(&self.faults)
    }

    // Side by side all begin together, one of them a little later than the others.
    fn awaits_somebody(&self) -> bool {
        self.turns().iter().any(|turn| matches!(turn, Turn::Awaited))
    }

    fn stages(&self) -> Vec<Arc<Stage>> {
        let playing = |turn: &Turn| match turn {
            Turn::Playing(stage) => Some(Arc::clone(stage)),
            Turn::Awaited | Turn::Over(_) => None,
        };
        self.turns().iter().filter_map(playing).collect()
    }

    async fn performance(&self, number: usize) -> Option<Performance> {
        let stage = match self.turns().get(number)? {
            Turn::Awaited => return None,
            Turn::Over(performance) => return Some((**performance).clone()),
            Turn::Playing(stage) => Arc::clone(stage),
        };
        match stage.performance().await {
            Ok(performance) => Some(performance),
            // It was struck just now.
            Err(_) => match self.turns().get(number)? {
                Turn::Over(performance) => Some((**performance).clone()),
                Turn::Awaited | Turn::Playing(_) => None,
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
