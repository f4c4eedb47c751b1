//! Background tasks that never end unnoticed. Each is supervised, counted and started again.

mod task;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_report::{TaskReport, TaskState};
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::task::{Failure, Task};
use crate::clock;
use crate::log::log_safely;

/// The pause before a task starts again; it doubles each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A task that ran this long begins with the first pause again.
const RAN_WELL: Duration = Duration::from_secs(60);

const LOST: &str = "a background task lost its runtime: what it served must not outlive that";

/// The background tasks of a node or a program, under one supervisor.
///
/// A task that panics or ends before `shutdown` is counted, reported in the log and in
/// [`report`](Self::report), and started again after a pause that grows from 100 ms to 10 s. The
/// idea is Erlang's supervisor with the strategy `one_for_one`. If the runtime is dropped under a
/// task, the report says so, and the task is not started again. Cheap to clone; all clones are the
/// same.
#[derive(Clone, Debug)]
pub struct Tasks {
    shutdown: CancellationToken,
    tasks: Arc<Mutex<Vec<Arc<Task>>>>,
}

/// How to treat a task that returns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnReturn {
    /// It should not have returned.
    Restart,
    /// Its work is done.
    Done,
}

impl Tasks {
    /// Tasks that run until `shutdown`.
    pub fn new(shutdown: CancellationToken) -> Self {
        Self { shutdown, tasks: Arc::default() }
    }

    /// The token that ends the tasks.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// The same list of tasks, for tasks that end with another token.
    pub fn until(&self, shutdown: CancellationToken) -> Self {
        Self { shutdown, tasks: Arc::clone(&self.tasks) }
    }

    /// Runs a task until `shutdown`, which drops it at its current await. `work` makes the task's
    /// future, once for each start. Must be called within a Tokio runtime.
    pub fn spawn<F, Fut>(&self, name: &str, work: F)
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.start(name, work, OnReturn::Restart);
    }

    /// As [`spawn`](Self::spawn), for a task that is done when it returns. Only a panic starts it
    /// again.
    pub fn spawn_until_done<F, Fut>(&self, name: &str, work: F)
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.start(name, work, OnReturn::Done);
    }

    fn start<F, Fut>(&self, name: &str, work: F, on_return: OnReturn)
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let supervised = Supervised { task: self.add(name), shutdown: self.shutdown.clone() };
        tokio::spawn(supervise(supervised, work, on_return));
    }

    /// The tasks by name, in the order in which they were started, except those that are done or
    /// were stopped.
    pub fn report(&self) -> Vec<TaskReport> {
        let tasks = self.tasks();
        let reports = tasks.iter().map(|task| task.state().report.clone());
        reports.filter(|report| report.state != TaskState::Stopped).collect()
    }

    /// Whether any has yet to stop.
    pub(crate) fn has_any(&self) -> bool {
        let runs = |task: &Arc<Task>| {
            !matches!(task.state().report.state, TaskState::Stopped | TaskState::RuntimeGone)
        };
        self.tasks().iter().any(runs)
    }

    /// Ends a task as a fault would, for tests. Returns whether it ran.
    #[cfg(feature = "holds")]
    #[doc(hidden)]
    pub fn abort(&self, name: &str) -> bool {
        let tasks = self.tasks();
        let named = tasks.iter().filter(|task| task.name == name);
        let aborts: Vec<_> = named.filter_map(|task| task.state().abort.take()).collect();
        aborts.iter().for_each(|task| task.abort());
        !aborts.is_empty()
    }

    fn add(&self, name: &str) -> Arc<Task> {
        let task = Arc::new(Task::new(name));
        let mut tasks = self.tasks();
        // Among tasks of one name the newest counts, once the older ones have stopped.
        tasks.retain(|old| old.name != name || old.state().report.state != TaskState::Stopped);
        tasks.push(Arc::clone(&task));
        task
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<Arc<Task>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn supervise<F, Fut>(supervised: Supervised, mut work: F, on_return: OnReturn)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let Supervised { task, shutdown } = &supervised;
    let mut pause = FIRST_PAUSE;
    loop {
        let began = Instant::now();
        let ended = match catch_unwind(AssertUnwindSafe(&mut work)) {
            Ok(working) => {
                let mut running = tokio::spawn(working);
                task.running(running.abort_handle());
                tokio::select! {
                    ended = &mut running => ended.map_err(Failure::from),
                    () = shutdown.cancelled() => {
                        running.abort();
                        // Waits until it is dropped, because a caller of `shutdown` may rely on
                        // that.
                        let _: Result<(), JoinError> = running.await;
                        Ok(())
                    }
                }
            }
            Err(panic) => Err(Failure::of(panic)),
        };
        if shutdown.is_cancelled() || (ended.is_ok() && on_return == OnReturn::Done) {
            return task.stopped();
        }
        if began.elapsed() >= RAN_WELL {
            pause = FIRST_PAUSE;
            task.ran_well();
        }
        task.failed(ended.err().unwrap_or(Failure::End), pause);
        let rest = tokio::time::sleep(pause.mul_f64(0.5 + rand::random::<f64>() / 2.0));
        if shutdown.run_until_cancelled(rest).await.is_none() {
            return task.stopped();
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Notices when the supervisor itself is dropped, which happens with its runtime.
struct Supervised {
    task: Arc<Task>,
    shutdown: CancellationToken,
}

impl Drop for Supervised {
    fn drop(&mut self) {
        if self.shutdown.is_cancelled() {
            return self.task.stopped();
        }
        let mut state = self.task.state();
        if state.report.state != TaskState::Stopped {
            state.report.state = TaskState::RuntimeGone;
            state.report.failure = Some("the runtime that it ran on was dropped".to_owned());
            let now_ms = clock::now_ms();
            state.report.failed_at_ms = Some(now_ms);
            state.report.failing_since_ms.get_or_insert(now_ms);
            drop(state);
            let task = &*self.task.name;
            log_safely(|| tracing::error!(task, "{LOST}"));
        }
    }
}
