use std::sync::Arc;
use std::time::Duration;

use strata_cache::ErrorChain;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::experiment::RunRequest;
use super::run::{ContenderState, Phase, RunShared};
use crate::sandbox::{ContenderRun, Environment, Sandbox, SandboxError, StepMode};

/// The task that plays the scripts of a run.
pub(crate) struct RunTask {
    pub(crate) request: RunRequest,
    pub(crate) environment: Environment,
    pub(crate) shared: Arc<RunShared>,
    pub(crate) phase: watch::Sender<Phase>,
    /// A run that goes step by step is stopped once its page has not been open for so long.
    pub(crate) patience: Duration,
}

/// How long all contenders of a run may take together.
const TIME_LIMIT: Duration = Duration::from_secs(22);
/// How long a person may take step by step.
const STEPPING_LIMIT: Duration = Duration::from_secs(15 * 60);
/// A script that was stopped comes to its end by itself; one that does not is cut off.
const GRACE: Duration = Duration::from_secs(4);

impl RunTask {
    pub(crate) async fn run(self) {
        let task = Arc::new(self);
        let ended = match task.request.step_mode {
            StepMode::AllAtOnce => task.one_by_one().await,
            StepMode::StepByStep => task.side_by_side().await,
        };
        task.phase.send_replace(match ended {
            Ok(()) => Phase::Done,
            Err(SandboxError::Stopped) => Phase::Stopped,
            Err(error) => Phase::Failed(ErrorChain(&error).to_string()),
        });
    }

    async fn one_by_one(&self) -> Result<(), SandboxError> {
        let deadline = Instant::now() + TIME_LIMIT;
        for number in 0..self.request.experiment.contenders.len() {
            self.run_contender(number, deadline).await?;
        }
        Ok(())
    }

    async fn side_by_side(self: &Arc<Self>) -> Result<(), SandboxError> {
        let deadline = Instant::now() + STEPPING_LIMIT;
        let mut all = JoinSet::new();
        for number in 0..self.request.experiment.contenders.len() {
            let task = Arc::clone(self);
            all.spawn(async move { task.run_contender(number, deadline).await });
        }
        let mut ended = Ok(());
        loop {
            match timeout(self.patience, all.join_next()).await {
                Ok(None) => return ended,
                Ok(Some(joined)) => {
                    let joined = joined.unwrap_or(Err(SandboxError::Panicked));
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

    async fn run_contender(&self, number: usize, deadline: Instant) -> Result<(), SandboxError> {
        let Some(contender) = self.request.experiment.contenders.get(number) else { return Ok(()) };
        let environment = Environment {
            namespace: format!("{}-{number}", self.environment.namespace),
            cache: format!(
                "{}-{}-{}",
                self.environment.cache,
                number + 1,
                contender.strategy.as_str()
            ),
            ..self.environment.clone()
        };
        let (steps, stop) = (self.shared.steps.clone(), self.shared.stop.child_token());
        let sandbox = Arc::new(Sandbox::open(contender.clone(), environment, steps, stop).await?);
        for fault in self.shared.faults().clone() {
            // What cannot be broken here shows in the rows of the others alone.
            let _ = sandbox.inject(fault);
        }
        self.shared.set_contender(number, ContenderState::Running(Arc::clone(&sandbox)));
        let played = self.run_script(&sandbox, deadline).await;
        let contender_run = sandbox.contender_run().await;
        // Before the sandbox is torn down, so that what it came to can be seen all along.
        self.shared.set_contender(
            number,
            match &contender_run {
                Ok(contender_run) => {
                    let is_over = played.is_ok();
                    ContenderState::Over(Box::new(ContenderRun {
                        is_over,
                        ..contender_run.clone()
                    }))
                }
                Err(_) => ContenderState::Pending,
            },
        );
        sandbox.tear_down().await;
        played.and(contender_run.map(drop))
    }

    async fn run_script(
        &self,
        sandbox: &Arc<Sandbox>,
        deadline: Instant,
    ) -> Result<(), SandboxError> {
        let stop = &sandbox.stop;
        // In a task of its own, so that a panic leaves the sandbox to be torn down.
        let mut script = tokio::spawn((self.request.experiment.script)(Arc::clone(sandbox)));
        let (ended, error) = tokio::select! {
            ended = &mut script => (Ok(ended), SandboxError::Panicked),
            () = stop.cancelled() => {
                (timeout(GRACE, &mut script).await, SandboxError::Stopped)
            }
            () = tokio::time::sleep_until(deadline) => {
                stop.cancel();
                (timeout(GRACE, &mut script).await, SandboxError::TookTooLong)
            }
        };
        match (ended, error) {
            (Ok(Ok(played)), SandboxError::Panicked) => played,
            (Ok(_), error) => Err(error),
            (Err(_), error) => {
                script.abort();
                Err(error)
            }
        }
    }
}
