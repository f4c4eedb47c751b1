//! Each background task of a console is ended in turn, and what breaks beside it is told.

use std::sync::Arc;
use std::time::Duration;

use strata_cache::Tasks;
use strata_console::{Console, ConsoleSettings, NodeClient};
use strata_report::{Alert, JobState, Severity, TaskReport, TaskState};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::support::{FakeNode, Log, everybody_may_act, operator};

const SECOND: Duration = Duration::from_secs(1);

/// A console whose tasks stand in this list.
fn start(node: &Arc<FakeNode>) -> (Console, Tasks) {
    let shutdown = CancellationToken::new();
    let tasks = Tasks::new(shutdown.clone());
    let settings = ConsoleSettings { tasks: Some(tasks.clone()), ..everybody_may_act().into() };
    let face: Arc<dyn NodeClient> = Arc::clone(node) as _;
    (Console::start(vec![face], settings, shutdown), tasks)
}

fn task(console: &Console, name: &str) -> TaskReport {
    console.tasks().into_iter().find(|task| task.task == name).unwrap()
}

fn alert_of(console: &Console, name: &str) -> Option<Alert> {
    let about = format!("The task {name} of the dashboard ");
    let alerts = console.alerts().into_iter();
    alerts.filter(|alert| alert.lint == "task_failed").find(|alert| alert.what.contains(&about))
}

/// Ends the task as a fault would: it is reported, told of, and runs again.
async fn end(console: &Console, tasks: &Tasks, name: &str) {
    sleep(3 * SECOND).await;
    assert!(task(console, name).failure.is_none() && alert_of(console, name).is_none(), "{name}");
    assert!(tasks.abort(name), "{name} runs");
    sleep(3 * SECOND).await;
    let ended = task(console, name);
    assert_eq!((ended.state, ended.ends), (TaskState::Running, 1), "{name}");
    assert_eq!(alert_of(console, name).unwrap().severity, Severity::Warning, "{name}");
    let in_nodes = console.nodes_report().tasks.into_iter().find(|task| task.task == name);
    assert_eq!(in_nodes.unwrap().ends, 1, "{name}");
}

#[tokio::test(start_paused = true)]
async fn a_sampler_that_ended_starts_again_and_counts_every_read_once() {
    let node = FakeNode::new("1");
    let (console, tasks) = start(&node);
    let before = console.frame().seq;
    node.has_answered(100);
    end(&console, &tasks, "sampler").await;
    assert!(console.frame().seq > before + 2, "frames go on");
    let history = console.history(strata_report::Range::Minute);
    let reads: u64 = history.steps.iter().map(|step| step.outcomes().reads()).sum();
    assert_eq!(reads, 100);
}

#[tokio::test(start_paused = true)]
async fn what_asks_redis_starts_again_and_asks() {
    let node = FakeNode::new("1");
    let (console, tasks) = start(&node);
    end(&console, &tasks, "redis state").await;
    node.script().redis.as_mut().unwrap().version = Some("9".to_owned());
    sleep(4 * SECOND).await;
    assert_eq!(console.frame().redis.version.as_deref(), Some("9"));
    let counted_at_ms = console.frame().redis.counted_at_ms;
    end(&console, &tasks, "census").await;
    assert_ne!(console.frame().redis.counted_at_ms, counted_at_ms, "counted anew");
    end(&console, &tasks, "attached census").await;
}

#[tokio::test(start_paused = true)]
async fn an_audit_writer_that_ended_starts_again_and_writes() {
    let node = FakeNode::new("1");
    let (console, tasks) = start(&node);
    console.record(&operator(), "set_traffic", "demo", "It runs.");
    end(&console, &tasks, "audit").await;
    console.record(&operator(), "set_traffic", "demo", "It stands.");
    sleep(3 * SECOND).await;
    assert_eq!(node.script().journal.len(), 2, "each is written once");
    assert_eq!(console.audit().len(), 2, "and shown once");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_again_and_again_is_critical_until_it_runs() {
    let node = FakeNode::new("1");
    let (console, _tasks) = start(&node);
    node.script().panics = "redis_state";
    sleep(30 * SECOND).await;
    let broken = task(&console, "redis state");
    assert_eq!(broken.state, TaskState::Restarting);
    assert!(broken.panics > 2 && broken.failure.unwrap().contains("the node breaks"));
    assert_eq!(alert_of(&console, "redis state").unwrap().severity, Severity::Critical);
    node.script().panics = "";
    sleep(30 * SECOND).await;
    assert_eq!(alert_of(&console, "redis state").unwrap().severity, Severity::Warning);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_panics_as_it_reports_is_not_heard_and_the_others_are() {
    let (log, _guard) = Log::listen();
    let (broken, sound) = (FakeNode::new("1"), FakeNode::new("2"));
    let console = crate::support::console(&[Arc::clone(&broken), sound]);
    broken.script().panics = "report";
    sleep(3 * SECOND).await;
    let told = log.lines("panicked as it reported");
    assert!(told[0].contains("node=\"1\"") && told[0].contains("the node breaks"), "{told:?}");
    assert_eq!(told.len(), 1, "once a minute: {told:?}");
    let heard: Vec<_> = console.nodes().into_iter().map(|node| node.node).collect();
    assert_eq!(heard, ["2"]);
    assert!(console.alerts().iter().any(|alert| alert.lint == "node_gone" && alert.node == "1"));
    assert!(console.tasks().iter().all(|task| task.failure.is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_panics_has_failed_and_stands_in_the_trail() {
    let node = FakeNode::new("1");
    let console = crate::support::console(&[Arc::clone(&node)]);
    node.script().panics = "invalidate";
    let job = console.invalidate_key(&operator(), "users", "7").await.unwrap();
    assert_eq!(job.state, JobState::Failed);
    assert_eq!(job.errors[0].what, "It broke off before its end; the log says why.");
    sleep(SECOND).await;
    let entry = console.audit().remove(0);
    assert_eq!((entry.action.as_str(), entry.target.as_str()), ("invalidate_key", "7"));
    assert!(entry.result.starts_with("Failed: It broke off"), "{entry:?}");
}
