//! Invalidations that wait for Redis, and how they end. Time is paused throughout.

use std::sync::Arc;
use std::time::Duration;

use strata_console::Console;
use strata_report::{Effect, JobState};

use crate::support::{FakeNode, console, operator, three_nodes};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn an_invalidation_that_waited_stops_saying_so_once_every_node_has_replayed_it() {
    let nodes = three_nodes();
    for node in &nodes {
        node.script().effect = Effect::Queued;
        node.script().peers.clear();
        node.reports(|report| report.l2.queued_invalidations = 1);
    }
    let console = console(&nodes);
    let id = console.invalidate_key(&operator(), "users", "42").await.unwrap().id;
    let mut ticks = console.subscribe();
    let later = console.job(id).unwrap().ended_at_ms.unwrap() + 1;
    for node in &nodes[1..] {
        node.reports(|report| (report.at_ms, report.l2.queued_invalidations) = (later, 0));
    }
    // A tick that begins after the change, to its end.
    for _ in 0..3 {
        ticks.changed().await.unwrap();
    }
    assert_eq!(console.job(id).unwrap().state, JobState::Queued, "the first node still waits");
    nodes[0].reports(|report| (report.at_ms, report.l2.queued_invalidations) = (later, 0));
    for _ in 0..3 {
        ticks.changed().await.unwrap();
    }
    let job = console.job(id).unwrap();
    assert_eq!(job.state, JobState::Done);
    assert!(job.replayed_at_ms.is_some() && job.errors.is_empty(), "{job:?}");
    let audit = console.audit();
    assert!(audit[0].result.contains("replayed once Redis was back"), "{audit:?}");
    assert_eq!((audit.len(), audit[0].actor.as_str()), (2, "local"), "told once");
}

/// A console over nodes on which one invalidation of `42` waits for Redis, and that job's id.
async fn with_a_waiting_invalidation(nodes: &[Arc<FakeNode>; 3]) -> (Console, u64) {
    for node in nodes {
        node.script().effect = Effect::Queued;
        node.script().peers.clear();
        node.reports(|report| report.l2.queued_invalidations = 1);
    }
    let console = console(nodes);
    let id = console.invalidate_key(&operator(), "users", "42").await.unwrap().id;
    (console, id)
}

/// Waits for a tick that begins after this moment, to its end.
async fn next_tick(console: &Console) {
    let mut ticks = console.subscribe();
    for _ in 0..3 {
        ticks.changed().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_ends_as_not_known_when_the_nodes_on_which_it_waits_start_again() {
    let nodes = three_nodes();
    let (console, id) = with_a_waiting_invalidation(&nodes).await;
    let later = console.job(id).unwrap().ended_at_ms.unwrap() + 1;
    let restart = |node: &Arc<FakeNode>| {
        node.reports(|report| (report.at_ms, report.started_at_ms) = (later, later));
    };
    nodes[1..].iter().for_each(restart);
    next_tick(&console).await;
    assert_eq!(console.job(id).unwrap().state, JobState::Queued, "the first may still replay it");
    restart(&nodes[0]);
    next_tick(&console).await;
    let job = console.job(id).unwrap();
    assert_eq!((job.state, job.replayed_at_ms), (JobState::Unknown, None));
    assert!(job.errors.iter().all(|error| error.what.contains("started again")), "{job:?}");
    let audit = console.audit();
    assert!(audit[0].result.starts_with("Not known whether it was carried out"), "{audit:?}");
    assert!(audit[0].result.contains("on 1, 2, 3,"), "{audit:?}");
    assert!(audit[0].result.ends_with("Invalidate again."), "{audit:?}");
    next_tick(&console).await;
    assert_eq!(console.audit().len(), 2, "told once");
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_ends_as_not_known_when_its_nodes_have_been_gone_for_a_minute() {
    let nodes = three_nodes();
    let (console, id) = with_a_waiting_invalidation(&nodes).await;
    nodes.iter().for_each(|node| node.script().report = None);
    tokio::time::sleep(30 * SECOND).await;
    assert_eq!(console.job(id).unwrap().state, JobState::Queued, "they may come back");
    tokio::time::sleep(40 * SECOND).await;
    assert_eq!(console.job(id).unwrap().state, JobState::Unknown);
}

#[tokio::test(start_paused = true)]
async fn what_one_node_has_replayed_is_done_though_another_started_again() {
    let nodes = three_nodes();
    let (console, id) = with_a_waiting_invalidation(&nodes).await;
    let later = console.job(id).unwrap().ended_at_ms.unwrap() + 1;
    nodes[0].reports(|report| (report.at_ms, report.started_at_ms) = (later, later));
    for node in &nodes[1..] {
        node.reports(|report| (report.at_ms, report.l2.queued_invalidations) = (later, 0));
    }
    next_tick(&console).await;
    assert_eq!(console.job(id).unwrap().state, JobState::Done);
}
