//! Runs: a script played once for each contender, all at once or step by step.
//! [`Run`] is what others watch and steer, [`Experiment`] what it runs.

mod experiment;
mod run;
mod run_task;

pub use experiment::{Experiment, RunRequest, Script, ScriptFuture};
pub(crate) use run::RunShared;
pub use run::{NextStep, Phase, Run, RunState};
pub(crate) use run_task::RunTask;
