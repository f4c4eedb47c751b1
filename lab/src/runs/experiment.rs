use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::sandbox::{Contender, Sandbox, SandboxError, StepMode};
use crate::settings::Settings;

/// What a run performs: one script, once for each contender, each on a sandbox of its own.
#[derive(Clone)]
pub struct Experiment {
    /// What is compared, in the order of the rows.
    pub contenders: Vec<Contender>,
    /// The script.
    pub script: Script,
}

/// A script.
pub type Script = Arc<dyn Fn(Arc<Sandbox>) -> ScriptFuture + Send + Sync>;

/// A running script.
pub type ScriptFuture = Pin<Box<dyn Future<Output = Result<(), SandboxError>> + Send>>;

/// A request to run an experiment.
#[derive(Clone)]
pub struct RunRequest {
    /// The lesson's name in addresses, or what else it is about.
    pub topic: String,
    /// What is run.
    pub experiment: Experiment,
    /// What was set for all contenders.
    pub settings: Settings,
    /// How it goes through its steps.
    pub step_mode: StepMode,
    /// What was predicted: which answer, from 0.
    pub guess: Option<usize>,
    /// Two requests with the same ticket get the same run. Empty is no ticket.
    pub ticket: String,
}

impl Experiment {
    /// Contenders side by side.
    pub const MAX_CONTENDERS: usize = 4;

    /// Whether it makes no sense without Redis.
    pub(crate) fn needs_redis(&self) -> bool {
        self.contenders.iter().any(|each| each.settings.nodes > 1 || each.strategy.needs_redis())
    }
}
