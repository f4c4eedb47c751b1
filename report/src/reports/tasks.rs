use serde::{Deserialize, Serialize};

/// One background task of a node or a program: whether it runs, and what ended it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct TaskReport {
    /// Its name, for example `bus` or `census`.
    pub task: String,
    /// What it does now.
    pub state: TaskState,
    /// Times that it panicked.
    pub panics: u64,
    /// Times that it ended before its time without a panic.
    pub ends: u64,
    /// What ended it the last time, as a sentence's end; `None` where nothing has.
    pub failure: Option<String>,
    /// When that was, milliseconds since the epoch.
    pub failed_at_ms: Option<u64>,
    /// Since when it fails again and again, milliseconds since the epoch: a minute in which it ran
    /// ends that. `None` where nothing has.
    pub failing_since_ms: Option<u64>,
}

/// What a background task does at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// It runs.
    #[default]
    Running,
    /// It has ended before its time and starts again after a pause.
    Restarting,
    /// It was asked to stop.
    Stopped,
    /// The runtime that it ran on is gone; it does not start again.
    RuntimeGone,
    /// A state that this version does not know.
    #[serde(other)]
    Other,
}

impl TaskState {
    /// The text of the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Restarting => "restarting",
            Self::Stopped => "stopped",
            Self::RuntimeGone => "runtime_gone",
            Self::Other => "other",
        }
    }
}

impl TaskReport {
    /// Whether it does its work.
    pub fn runs(&self) -> bool {
        self.state == TaskState::Running
    }
}
