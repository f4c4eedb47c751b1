//! The audit trail and Redis. Time is paused, except where Redis is real.

use std::sync::Arc;
use std::time::Duration;

use strata_cache::Node;
use strata_console::Console;
use strata_testing::RedisServer;
use tokio::time::sleep;

use crate::support::{FakeNode, console, operator};

const SECOND: Duration = Duration::from_secs(1);

fn targets(console: &Console) -> Vec<String> {
    console.audit().into_iter().map(|entry| entry.target).collect()
}

#[tokio::test(start_paused = true)]
async fn the_trail_waits_in_memory_while_redis_is_away_and_is_written_then() {
    let node = FakeNode::new("1");
    let redis = node.script().redis.take();
    let console = console(&[Arc::clone(&node)]);
    console.invalidate_key(&operator(), "users", "1").await.unwrap();
    sleep(5 * SECOND).await;
    assert_eq!(console.audit_page(None, 10).only_in_memory, 1);
    assert!(node.script().journal.is_empty());
    node.script().redis = redis;
    sleep(3 * SECOND).await;
    assert_eq!(console.audit_page(None, 10).only_in_memory, 0);
    assert_eq!(node.script().journal.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_trail_that_an_earlier_run_left_is_shown_below_what_was_done_since() {
    let node = FakeNode::new("1");
    let earlier = console(&[Arc::clone(&node)]);
    earlier.invalidate_key(&operator(), "users", "1").await.unwrap();
    sleep(3 * SECOND).await;
    let later = console(&[Arc::clone(&node)]);
    later.invalidate_key(&operator(), "users", "2").await.unwrap();
    sleep(3 * SECOND).await;
    assert_eq!(targets(&later), ["2", "1"]);
    assert_eq!(node.script().journal.len(), 2, "each is written once");
}

#[tokio::test]
async fn a_trail_survives_in_a_real_redis() {
    let redis = RedisServer::start().await;
    let start = async || {
        let node = Node::builder("test").redis_url(&redis.url()).start().await.unwrap();
        let node = Arc::new(node);
        (console(&[Arc::clone(&node)]), node)
    };
    let (earlier, _node) = start().await;
    earlier.record(&operator(), "set_traffic", "demo", "It runs.");
    while earlier.audit_page(None, 10).only_in_memory > 0 {
        sleep(SECOND / 100).await;
    }
    let (later, _node) = start().await;
    while targets(&later).is_empty() {
        sleep(SECOND / 100).await;
    }
    assert_eq!(later.audit(), earlier.audit());
}

#[tokio::test(start_paused = true)]
async fn what_was_done_last_is_written_before_the_end_and_an_end_without_redis_does_not_hang() {
    let node = FakeNode::new("1");
    let console = console(&[Arc::clone(&node)]);
    sleep(2 * SECOND).await;
    // No time passes from here on, so that the task that writes each second has no turn.
    console.record(&operator(), "set_traffic", "demo", "It runs.");
    console.flush_audit().await;
    assert_eq!(console.audit_page(None, 10).only_in_memory, 0);
    assert_eq!(node.script().journal.len(), 1);
    node.script().redis = None;
    console.record(&operator(), "set_traffic", "demo", "It stops.");
    console.flush_audit().await;
    assert_eq!(console.audit_page(None, 10).only_in_memory, 1);
}

#[tokio::test(start_paused = true)]
async fn a_pattern_is_in_the_trail_from_its_beginning() {
    let node = FakeNode::new("1");
    let console = console(&[node]);
    let job = console.invalidate_pattern(&operator(), "users", "4*").await.unwrap();
    let begun = console.audit().remove(0);
    assert!(begun.begun && begun.result.starts_with("Begun: "), "{begun:?}");
    assert_eq!((begun.action.as_str(), begun.target.as_str()), ("invalidate_pattern", "4*"));
    console.finished(job.id, 60 * SECOND).await.unwrap();
    let ended = console.audit().remove(0);
    assert!(!ended.begun && ended.result.starts_with("Done: "), "{ended:?}");
}
