use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::PlayError;

/// How a run goes through its steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// Without a stop, one contender after the other.
    #[default]
    AllAtOnce,
    /// Before each step it waits to be told, all contenders side by side.
    StepByStep,
}

/// How many steps of a run may be played so far.
#[derive(Clone, Debug)]
pub(super) struct Steps {
    allowed: watch::Sender<usize>,
}

impl Steps {
    pub(super) fn at(pace: Pace) -> Self {
        let allowed = match pace {
            Pace::AllAtOnce => usize::MAX,
            Pace::StepByStep => 1,
        };
        Self { allowed: watch::Sender::new(allowed) }
    }

    /// Lets everybody play one more step than `played`. Asked twice it is still one.
    pub(super) fn allow_after(&self, played: usize) {
        self.allowed.send_if_modified(|allowed| {
            let more = *allowed <= played;
            if more {
                *allowed = played + 1;
            }
            more
        });
    }

    pub(super) fn allow_all(&self) {
        self.allowed.send_replace(usize::MAX);
    }

    pub(super) fn allowed(&self) -> usize {
        *self.allowed.borrow()
    }

    /// Waits until the step of this number, from 1, may be played.
    pub(super) async fn until(
        &self,
        number: usize,
        stop: &CancellationToken,
    ) -> Result<(), PlayError> {
        let mut allowed = self.allowed.subscribe();
        let waiting = allowed.wait_for(|allowed| number <= *allowed);
        let waited = stop.run_until_cancelled(waiting).await;
        waited.map(drop).ok_or(PlayError::Stopped)
    }
}
