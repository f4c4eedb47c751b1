//! Background tasks that do not run.

use strata_report::{Alert, Severity, TaskReport, TaskState};

use super::redis_errors::beginning;
use super::view::{View, alert, duration};

/// How long after its last failure a task that runs again still has an alert.
const TOLD_FOR_MS: u64 = 15 * 60_000;

/// The alerts about the program's own tasks.
pub(crate) fn program_alerts(tasks: &[TaskReport], at_ms: u64) -> Vec<Alert> {
    tasks.iter().filter_map(|task| task_alert(task, ("of the dashboard", at_ms))).collect()
}

/// A background task does not run, or has failed not long ago.
pub(super) fn task_failed(view: &View<'_>) -> Vec<Alert> {
    let mut found = Vec::new();
    for node in view.nodes {
        let of = format!("of node {}", node.node);
        for told in node.tasks.iter().filter_map(|task| task_alert(task, (&of, node.at_ms))) {
            found.push(Alert { node: node.node.clone(), ..told });
        }
    }
    found.extend(program_alerts(view.tasks, view.frame.at_ms));
    found
}

fn task_alert(task: &TaskReport, (of, at_ms): (&str, u64)) -> Option<Alert> {
    let (name, n) = (&task.task, task.panics + task.ends);
    let failure = beginning(task.failure.as_deref().unwrap_or("the reason is not known"));
    let ago = |at: Option<u64>| duration(at_ms.saturating_sub(at.unwrap_or(at_ms)));
    let (last, since) = (ago(task.failed_at_ms), ago(task.failing_since_ms));
    let (severity, what) = match task.state {
        TaskState::Running | TaskState::Other => {
            let failed_at_ms = task.failed_at_ms?;
            if at_ms.abs_diff(failed_at_ms) >= TOLD_FOR_MS {
                return None;
            }
            let times = if n == 1 { "once".to_owned() } else { format!("{n} times") };
            let what = format!("The task {name} {of} failed {times}, last {last} ago: {failure}.");
            (Severity::Warning, what)
        }
        TaskState::Restarting => {
            let what = format!(
                "The task {name} {of} is down, and has been failing for {since}: {failure}."
            );
            (Severity::Critical, what)
        }
        TaskState::RuntimeGone => {
            let what = format!("The task {name} {of} has been gone for {since}: {failure}.");
            (Severity::Critical, what)
        }
        // It was told to.
        TaskState::Stopped => return None,
    };
    let what_to_do = match task.state {
        TaskState::RuntimeGone => {
            "Start the program again; a node belongs on a runtime that outlives it."
        }
        _ => {
            "It starts again by itself. If it fails again, look at the log of that moment and report it."
        }
    };
    Some(Alert {
        why: consequence(name).to_owned(),
        what_to_do: what_to_do.to_owned(),
        ..alert("task_failed", severity, what)
    })
}

/// What it means that a task does not run.
fn consequence(task: &str) -> &'static str {
    match task {
        "bus" => {
            "While it does not run the node hears of no invalidation: its L1 entries count for a few seconds only, and L2 is not read."
        }
        "recovery" => "While it does not run, a Redis that was lost is not tried again.",
        "upkeep" => "While it does not run, counts of L1 are old.",
        "reclaim" => {
            "While it does not run, what expired or was invalidated in L1 keeps its memory."
        }
        "eviction policy" => {
            "While it does not run, the node does not check whether Redis may evict acknowledged writes, and does not warn of it."
        }
        "sampler" => "While it does not run, no number here is newer than its last second.",
        "census" | "attached census" | "redis state" => {
            "While it does not run, what is shown of Redis's memory and keys is old."
        }
        "audit" => "While it does not run, what operators do is kept in memory only.",
        "traffic" => "While it does not run, the demo sends no requests.",
        "private redis" => "While it does not run, a Redis that ends is not started again.",
        "signals" => "While it does not run, the program does not hear that it should stop.",
        flusher if flusher.starts_with("flusher") => {
            "While it does not run, writes wait and do not reach the source."
        }
        _ => "While it does not run, its work is not done.",
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::Sound;
    use super::*;

    fn failed(state: TaskState) -> TaskReport {
        TaskReport {
            task: "bus".to_owned(),
            state,
            panics: 2,
            ends: 1,
            failure: Some("it panicked: index out of bounds.".to_owned()),
            failed_at_ms: Some(30_000),
            failing_since_ms: Some(20_000),
        }
    }

    fn found(state: TaskState) -> Vec<Alert> {
        let mut sound = Sound::new();
        sound.nodes[0].tasks = vec![failed(state)];
        sound.found_by(task_failed)
    }

    #[test]
    fn a_task_that_does_not_run_is_critical() {
        for state in [TaskState::Restarting, TaskState::RuntimeGone] {
            let found = found(state).remove(0);
            assert_eq!((found.severity, found.node.as_str()), (Severity::Critical, "1"));
            let said = ": it panicked: index out of bounds.";
            assert!(found.what.contains("for 40 s") && found.what.ends_with(said), "{found:?}");
        }
        assert_eq!(found(TaskState::Stopped), []);
    }

    #[test]
    fn a_task_that_runs_again_is_a_warning_for_a_quarter_of_an_hour() {
        let told = found(TaskState::Running).remove(0);
        assert_eq!(told.severity, Severity::Warning);
        assert!(told.what.contains("failed 3 times, last 30 s ago"), "{told:?}");
        let mut sound = Sound::new();
        sound.nodes[0].tasks = vec![failed(TaskState::Running)];
        sound.nodes[0].at_ms = 30_000 + TOLD_FOR_MS;
        assert_eq!(sound.found_by(task_failed), []);
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_no_warning() {
        let mut sound = Sound::new();
        let failed_at_ms = Some(60_000 + TOLD_FOR_MS);
        sound.nodes[0].tasks = vec![TaskReport { failed_at_ms, ..failed(TaskState::Running) }];
        assert_eq!(sound.found_by(task_failed), []);
    }

    #[test]
    fn tasks_of_the_dashboard_are_told_of_like_those_of_a_node() {
        let mut sound = Sound::new();
        sound.tasks =
            vec![TaskReport { task: "audit".to_owned(), ..failed(TaskState::Restarting) }];
        let found = sound.found_by(task_failed).remove(0);
        assert_eq!(found.node, "");
        assert!(found.what.contains("The task audit of the dashboard"), "{found:?}");
        assert!(found.why.contains("memory only"));
    }

    #[test]
    fn tasks_that_never_failed_are_no_matter() {
        let mut sound = Sound::new();
        sound.nodes[0].tasks = vec![TaskReport { task: "bus".to_owned(), ..TaskReport::default() }];
        assert_eq!(sound.found_by(task_failed), []);
    }
}
