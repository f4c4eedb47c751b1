use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::stage::{Place, Stage};
use super::{PlayError, ResultRow, Settings, Step};
use crate::lessons::Lesson;
use crate::strategies::StrategyKind;

/// A lesson that runs. Dropping it stops it; either way it clears up after itself.
#[derive(Debug)]
pub struct Run {
    state: watch::Receiver<RunState>,
    namespace: String,
    stop: CancellationToken,
    _end: DropGuard,
}

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// Whether it goes on, and how it ended. It has cleared up by then.
    pub phase: Phase,
    /// What has been performed.
    pub performances: Vec<Performance>,
}

/// Whether a run goes on, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// A strategy is being tried.
    Running(StrategyKind),
    /// All were tried.
    Done,
    /// It was stopped.
    Stopped,
    /// It could not go on; the text fits after "failed to".
    Failed(String),
}

/// One strategy's turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// What it came to.
    pub result: ResultRow,
    /// What happened, step by step.
    pub steps: Vec<Step>,
}

/// As long as all performances of a run may take together.
const TIME_LIMIT: Duration = Duration::from_secs(22);
/// A script that was stopped comes to its end by itself; one that does not is cut off.
const GRACE: Duration = Duration::from_secs(4);

impl Run {
    pub(super) fn start(
        lesson: &'static Lesson,
        settings: Settings,
        place: Place,
        slot: OwnedSemaphorePermit,
    ) -> Self {
        let stop = CancellationToken::new();
        let first = lesson.strategies.first().copied().unwrap_or(StrategyKind::NoCache);
        let state = RunState { phase: Phase::Running(first), performances: Vec::new() };
        let (sender, state) = watch::channel(state);
        let namespace = place.namespace.clone();
        let running = Running { lesson, settings, place, stop: stop.clone(), sender };
        tokio::spawn(async move {
            running.to_the_end().await;
            drop(slot);
        });
        Self { state, namespace, stop: stop.clone(), _end: stop.drop_guard() }
    }

    /// How far it has come.
    pub fn state(&self) -> RunState {
        self.state.borrow().clone()
    }

    /// The namespace in Redis of all that it keeps there.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Stops it; [`Run::ended`] tells when it has cleared up.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until it has ended, however it did, and answers the last state.
    pub async fn ended(&mut self) -> RunState {
        let ended = self.state.wait_for(|state| !matches!(state.phase, Phase::Running(_))).await;
        let is_lost = ended.is_err();
        drop(ended);
        let mut state = self.state();
        if is_lost {
            state.phase = Phase::Failed(PlayError::Panicked.to_string());
        }
        state
    }
}

struct Running {
    lesson: &'static Lesson,
    settings: Settings,
    place: Place,
    stop: CancellationToken,
    sender: watch::Sender<RunState>,
}

impl Running {
    async fn to_the_end(&self) {
        let deadline = Instant::now() + TIME_LIMIT;
        let mut phase = Phase::Done;
        for (turn, kind) in self.lesson.strategies.iter().copied().enumerate() {
            self.sender.send_modify(|state| state.phase = Phase::Running(kind));
            match self.perform(turn, kind, deadline).await {
                Ok(performance) => {
                    self.sender.send_modify(|state| state.performances.push(performance));
                }
                Err(PlayError::Stopped) => {
                    phase = Phase::Stopped;
                    break;
                }
                Err(error) => {
                    phase = Phase::Failed(error.to_string());
                    break;
                }
            }
        }
        self.sender.send_modify(|state| state.phase = phase);
    }

    async fn perform(
        &self,
        turn: usize,
        kind: StrategyKind,
        deadline: Instant,
    ) -> Result<Performance, PlayError> {
        let place = Place {
            namespace: format!("{}-{turn}", self.place.namespace),
            redis_url: self.place.redis_url.clone(),
        };
        let (settings, stop) = (self.settings.clone(), self.stop.child_token());
        let stage = Arc::new(Stage::set(kind, settings, place, stop.clone()).await?);
        let played = self.play(&stage, &stop, deadline).await;
        let result = stage.result().await;
        let steps = stage.steps();
        stage.strike().await;
        played?;
        Ok(Performance { result: result?, steps })
    }

    async fn play(
        &self,
        stage: &Arc<Stage>,
        stop: &CancellationToken,
        deadline: Instant,
    ) -> Result<(), PlayError> {
        // In a task of its own, so that a panic leaves the stage to be struck.
        let mut script = tokio::spawn((self.lesson.play)(Arc::clone(stage)));
        let (ended, error) = tokio::select! {
            ended = &mut script => (Ok(ended), PlayError::Panicked),
            () = stop.cancelled() => {
                (timeout(GRACE, &mut script).await, PlayError::Stopped)
            }
            () = tokio::time::sleep_until(deadline) => {
                stop.cancel();
                (timeout(GRACE, &mut script).await, PlayError::TookTooLong)
            }
        };
        match (ended, error) {
            (Ok(Ok(played)), PlayError::Panicked) => played,
            (Ok(_), error) => Err(error),
            (Err(_), error) => {
                script.abort();
                Err(error)
            }
        }
    }
}
