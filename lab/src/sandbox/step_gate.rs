use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::error::SandboxError;

/// How a run goes through its steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepMode {
    /// Without a stop, one contender after the other.
    #[default]
    AllAtOnce,
    /// Waits for a click before each step, all contenders side by side.
    StepByStep,
}

/// How many steps of a run may be played so far.
#[derive(Clone, Debug)]
pub(crate) struct StepGate {
    allowed: watch::Sender<usize>,
}

impl StepGate {
    pub(crate) fn at(pace: StepMode) -> Self {
        let allowed = match pace {
            StepMode::AllAtOnce => usize::MAX,
            StepMode::StepByStep => 1,
        };
        Self { allowed: watch::Sender::new(allowed) }
    }

    /// Allows one step more than `played` for all contenders. Calling it twice allows one.
    pub(crate) fn allow_after(&self, played: usize) {
        self.allowed.send_if_modified(|allowed| {
            let more = *allowed <= played;
            if more {
                *allowed = played + 1;
            }
            more
        });
    }

    pub(crate) fn allow_all(&self) {
        self.allowed.send_replace(usize::MAX);
    }

    pub(crate) fn allowed(&self) -> usize {
        *self.allowed.borrow()
    }

    /// Waits until the step of this number, from 1, may be played.
    pub(crate) async fn until(
        &self,
        number: usize,
        stop: &CancellationToken,
    ) -> Result<(), SandboxError> {
        let mut allowed = self.allowed.subscribe();
        let waiting = allowed.wait_for(|allowed| number <= *allowed);
        let waited = stop.run_until_cancelled(waiting).await;
        waited.map(drop).ok_or(SandboxError::Stopped)
    }
}
