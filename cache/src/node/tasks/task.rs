//! One task: what is known of it, and what is said of its failures.

use std::any::Any;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_report::{TaskReport, TaskState};
use tokio::task::{AbortHandle, JoinError};
use tokio::time::Instant;

use crate::clock;
use crate::log::log_safely;
use crate::user_code::{discard, panic_message};

/// How often the log mentions a task that keeps failing.
const TOLD_EVERY: Duration = Duration::from_secs(60);

const AGAIN: &str = "a background task failed and starts again";

#[derive(Debug)]
pub(super) struct Task {
    pub(super) name: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) report: TaskReport,
    pub(super) abort: Option<AbortHandle>,
    /// When its last failure was logged.
    told_at: Option<Instant>,
}

/// Why a task did not go on.
pub(super) enum Failure {
    Panic(String),
    End,
}

impl Failure {
    pub(super) fn of(panic: Box<dyn Any + Send>) -> Self {
        let message = panic_message(&*panic);
        discard(panic);
        Self::Panic(message)
    }
}

impl From<JoinError> for Failure {
    fn from(error: JoinError) -> Self {
        match error.try_into_panic() {
            Ok(panic) => Self::of(panic),
            Err(_) => Self::End,
        }
    }
}

impl Task {
    pub(super) fn new(name: &str) -> Self {
        let report = TaskReport { task: name.to_owned(), ..TaskReport::default() };
        let state = Mutex::new(State { report, abort: None, told_at: None });
        Self { name: name.to_owned(), state }
    }

    pub(super) fn running(&self, abort: AbortHandle) {
        let mut state = self.state();
        state.report.state = TaskState::Running;
        state.abort = Some(abort);
    }

    pub(super) fn stopped(&self) {
        let mut state = self.state();
        state.report.state = TaskState::Stopped;
        state.abort = None;
    }

    pub(super) fn failed(&self, failure: Failure, pause: Duration) {
        let mut state = self.state();
        let report = &mut state.report;
        let failure = match failure {
            Failure::Panic(message) => {
                report.panics += 1;
                format!("it panicked: {message}")
            }
            Failure::End => {
                report.ends += 1;
                "it ended before its time".to_owned()
            }
        };
        report.state = TaskState::Restarting;
        let now_ms = clock::now_ms();
        report.failed_at_ms = Some(now_ms);
        report.failing_since_ms.get_or_insert(now_ms);
        report.failure = Some(failure.clone());
        let failures = report.panics + report.ends;
        state.abort = None;
        let is_told = state.told_at.is_some_and(|at| at.elapsed() < TOLD_EVERY);
        if !is_told {
            state.told_at = Some(Instant::now());
        }
        drop(state);
        let task = &*self.name;
        match is_told {
            true => log_safely(|| tracing::debug!(task, failure, failures, ?pause, "{AGAIN}")),
            false => log_safely(|| tracing::error!(task, failure, failures, ?pause, "{AGAIN}")),
        }
    }

    /// It has run so long that a later failure counts as a new one.
    pub(super) fn ran_well(&self) {
        let mut state = self.state();
        state.report.failing_since_ms = None;
        state.told_at = None;
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
