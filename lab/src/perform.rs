use std::sync::Arc;
use std::time::Duration;

use strata_cache::ErrorChain;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::experiment::Order;
use super::run::{Shared, Turn};
use super::seat::Place;
use super::stage::Stage;
use super::{Pace, Performance, PlayError};
use crate::Phase;

/// Performs what was ordered.
pub(super) struct Performer {
    pub(super) order: Order,
    pub(super) place: Place,
    pub(super) shared: Arc<Shared>,
    pub(super) phase: watch::Sender<Phase>,
    /// A run that goes step by step is stopped when nobody has looked at it for so long.
    pub(super) patience: Duration,
}

/// As long as all performances of a run may take together.
const TIME_LIMIT: Duration = Duration::from_secs(22);
/// As long as somebody may take who goes step by step.
const STEPPING_LIMIT: Duration = Duration::from_secs(15 * 60);
/// A script that was stopped comes to its end by itself; one that does not is cut off.
const GRACE: Duration = Duration::from_secs(4);

impl Performer {
    pub(super) async fn run(self) {
        let performer = Arc::new(self);
        let ended = match performer.order.pace {
            Pace::AllAtOnce => performer.one_by_one().await,
            Pace::StepByStep => performer.side_by_side().await,
        };
        performer.phase.send_replace(match ended {
            Ok(()) => Phase::Done,
            Err(PlayError::Stopped) => Phase::Stopped,
            Err(error) => Phase::Failed(ErrorChain(&error).to_string()),
        });
    }

    async fn one_by_one(&self) -> Result<(), PlayError> {
        let deadline = Instant::now() + TIME_LIMIT;
        for turn in 0..self.order.experiment.contenders.len() {
            self.perform(turn, deadline).await?;
        }
        Ok(())
    }

    async fn side_by_side(self: &Arc<Self>) -> Result<(), PlayError> {
        let deadline = Instant::now() + STEPPING_LIMIT;
        let mut all = JoinSet::new();
        for turn in 0..self.order.experiment.contenders.len() {
            let performer = Arc::clone(self);
            all.spawn(async move { performer.perform(turn, deadline).await });
        }
        let mut ended = Ok(());
        loop {
            match timeout(self.patience, all.join_next()).await {
                Ok(None) => return ended,
                Ok(Some(joined)) => {
                    let joined = joined.unwrap_or(Err(PlayError::Panicked));
                    if ended.is_ok() && joined.is_err() {
                        ended = joined;
                        self.shared.stop.cancel();
                    }
                }
                Err(_) if self.shared.unseen() >= self.patience => self.shared.stop.cancel(),
                Err(_) => (),
            }
        }
    }

    async fn perform(&self, turn: usize, deadline: Instant) -> Result<(), PlayError> {
        let Some(contender) = self.order.experiment.contenders.get(turn) else { return Ok(()) };
        let place = Place {
            namespace: format!("{}-{turn}", self.place.namespace),
            cache: format!("{}-{}-{}", self.place.cache, turn + 1, contender.strategy.as_str()),
            ..self.place.clone()
        };
        let (steps, stop) = (self.shared.steps.clone(), self.shared.stop.child_token());
        let stage = Arc::new(Stage::set(contender.clone(), place, steps, stop).await?);
        for fault in self.shared.faults().clone() {
            // What was broken for the others and cannot be here is told by their rows alone.
            let _ = stage.inflict(fault);
        }
        self.shared.set_turn(turn, Turn::Playing(Arc::clone(&stage)));
        let played = self.play(&stage, deadline).await;
        let performance = stage.performance().await;
        // Before the stage is struck, so that what it came to can be seen all along.
        self.shared.set_turn(
            turn,
            match &performance {
                Ok(performance) => {
                    let is_over = played.is_ok();
                    Turn::Over(Box::new(Performance { is_over, ..performance.clone() }))
                }
                Err(_) => Turn::Awaited,
            },
        );
        stage.strike().await;
        played.and(performance.map(drop))
    }

    async fn play(&self, stage: &Arc<Stage>, deadline: Instant) -> Result<(), PlayError> {
        let stop = &stage.stop;
        // In a task of its own, so that a panic leaves the stage to be struck.
        let mut script = tokio::spawn((self.order.experiment.play)(Arc::clone(stage)));
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
