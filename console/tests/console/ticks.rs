//! What the console makes of its nodes' reports, second by second. Time is paused throughout.

use std::sync::Arc;
use std::time::Duration;

use strata_console::{Console, NodeClient, Tick};
use strata_report::{CacheReport, Evictions, Frame, Range, RangeHistory};
use tokio::sync::watch::Receiver;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::support::{FakeNode, cache_report, console, everybody_may_act};

async fn next(ticks: &mut Receiver<Arc<Tick>>) -> Arc<Frame> {
    ticks.changed().await.unwrap();
    Arc::clone(&ticks.borrow_and_update().frame)
}

#[tokio::test(start_paused = true)]
async fn the_first_frame_is_there_at_once_and_names_every_cache() {
    let node = FakeNode::new("1");
    let posts = CacheReport { cache: "posts".to_owned(), ..CacheReport::default() };
    node.reports(|report| report.caches.push(posts));
    let console = console(&[node]);
    let frame = console.frame();
    let names: Vec<_> = frame.caches.iter().map(|cache| cache.report.cache.as_str()).collect();
    assert_eq!(names, ["users", "posts"]);
    assert_eq!(frame.caches[0].report.outcomes.reads(), 0);
    assert_eq!((frame.nodes[0].node.as_str(), frame.nodes[0].version.as_str()), ("1", "1.2.3"));
    assert_eq!(console.nodes()[0].caches.len(), 2);
    assert!(console.history(Range::FifteenMinutes).steps.is_empty());
}

#[tokio::test(start_paused = true)]
async fn redis_counts_as_the_nodes_see_it_until_it_has_been_asked() {
    let with_redis = console(&[FakeNode::new("1")]);
    assert!(with_redis.frame().redis.configured && with_redis.frame().redis.up);
    let node = FakeNode::new("1");
    node.reports(|report| report.l2.configured = false);
    let without = console(&[node]);
    assert!(!without.frame().redis.configured && !without.frame().redis.up);
}

#[tokio::test(start_paused = true)]
async fn each_second_brings_a_frame_with_what_happened_in_it() {
    let node = FakeNode::new("1");
    let console = console(&[Arc::clone(&node)]);
    let mut ticks = console.subscribe();
    for second in 1..=3 {
        node.has_answered(second * 100);
        let frame = next(&mut ticks).await;
        assert_eq!(frame.seq, second + 1);
        assert_eq!((frame.point.outcomes.l1_hit, frame.point.span_ms), (100, 1_000));
        assert_eq!(frame.caches[0].report.outcomes.l1_hit, second * 100);
    }
    let history = console.history(Range::Minute);
    let reads: u64 = history.steps.iter().map(|step| step.outcomes().reads()).sum();
    assert_eq!((history.step_ms, reads), (1_000, 300));
}

#[tokio::test(start_paused = true)]
async fn a_late_tick_says_how_long_it_really_was() {
    let node = FakeNode::new("1");
    let console = console(&[Arc::clone(&node)]);
    let mut ticks = console.subscribe();
    next(&mut ticks).await;
    node.has_answered(500);
    tokio::time::advance(Duration::from_millis(2_500)).await;
    let frame = next(&mut ticks).await;
    assert_eq!((frame.point.outcomes.l1_hit, frame.point.span_ms), (500, 2_500));
    assert_eq!(frame.caches[0].recent.per_second(500), Some(500.0 / 3.5));
}

#[tokio::test(start_paused = true)]
async fn the_recent_window_covers_the_last_ten_seconds() {
    let node = FakeNode::new("1");
    let console = console(&[Arc::clone(&node)]);
    let mut ticks = console.subscribe();
    for second in 1..=30 {
        node.has_answered(second * second);
        let frame = next(&mut ticks).await;
        let recent = &frame.caches[0].recent;
        let span = second.min(10);
        let reads = second * second - (second - span) * (second - span);
        assert_eq!((recent.span_ms, recent.outcomes.l1_hit), (span * 1_000, reads));
    }
}

#[tokio::test(start_paused = true)]
async fn nodes_are_added_up_per_cache() {
    let nodes = [FakeNode::new("1"), FakeNode::new("2"), FakeNode::new("3")];
    let console = console(&nodes);
    let mut ticks = console.subscribe();
    nodes[0].has_answered(1);
    nodes[1].has_answered(20);
    let mut third = cache_report(300);
    third.l1.evictions = Evictions { expired: 7, ..Evictions::default() };
    nodes[2].reports(|report| report.caches = vec![third]);
    let frame = next(&mut ticks).await;
    assert_eq!(frame.caches.len(), 1);
    assert_eq!(frame.caches[0].report.outcomes.l1_hit, 321);
    assert_eq!(frame.point.outcomes.l1_hit, 321);
    assert_eq!(frame.point.evictions.expired, 7);
    assert_eq!(console.nodes().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_restarts_hides_nothing_of_the_others_and_is_never_negative() {
    let nodes = [FakeNode::new("1"), FakeNode::new("2")];
    let console = console(&nodes);
    let mut ticks = console.subscribe();
    nodes[0].has_answered(1_000);
    nodes[1].has_answered(1_000);
    next(&mut ticks).await;
    nodes[0].reports(|report| report.started_at_ms += 5_000);
    nodes[0].has_answered(3);
    nodes[1].has_answered(1_010);
    let frame = next(&mut ticks).await;
    assert_eq!(frame.point.outcomes.l1_hit, 13);
}

#[tokio::test(start_paused = true)]
async fn counters_that_fall_without_a_restart_count_as_nothing() {
    let node = FakeNode::new("1");
    let console = console(&[Arc::clone(&node)]);
    let mut ticks = console.subscribe();
    node.has_answered(1_000);
    next(&mut ticks).await;
    node.has_answered(10);
    assert_eq!(next(&mut ticks).await.point.outcomes.reads(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_not_heard_leaves_the_frame_and_comes_back_without_a_burst() {
    let nodes = [FakeNode::new("1"), FakeNode::new("2")];
    let console = console(&nodes);
    let mut ticks = console.subscribe();
    let report = nodes[1].script().report.take();
    assert_eq!(next(&mut ticks).await.nodes.len(), 1);
    nodes[1].script().report = report;
    nodes[1].has_answered(70_000);
    let frame = next(&mut ticks).await;
    assert_eq!((frame.nodes.len(), frame.point.outcomes.reads()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_is_built_later_is_counted_from_its_beginning() {
    let node = FakeNode::new("1");
    node.reports(|report| report.caches.clear());
    let console = console(&[Arc::clone(&node)]);
    let mut ticks = console.subscribe();
    assert!(console.cache("users").is_err());
    node.has_answered(5);
    assert_eq!(next(&mut ticks).await.point.outcomes.l1_hit, 5);
    assert_eq!(console.cache("users").unwrap().report.outcomes.l1_hit, 5);
}

#[tokio::test(start_paused = true)]
async fn each_cache_has_a_history_of_its_own() {
    let node = FakeNode::new("1");
    let console = console(&[Arc::clone(&node)]);
    let mut ticks = console.subscribe();
    let posts = CacheReport { cache: "posts".to_owned(), ..cache_report(30) };
    node.reports(|report| report.caches = vec![cache_report(12), posts]);
    next(&mut ticks).await;
    let reads =
        |past: RangeHistory| -> u64 { past.steps.iter().map(|step| step.outcomes().reads()).sum() };
    assert_eq!(reads(console.cache_history("users", Range::Day).unwrap()), 12);
    assert_eq!(reads(console.cache_history("posts", Range::Day).unwrap()), 30);
    assert_eq!(reads(console.history(Range::Day)), 42);
    assert!(console.cache_history("cats", Range::Day).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_redis_that_never_answers_delays_no_tick() {
    let node = FakeNode::new("1");
    node.script().redis = None;
    let console = console(&[Arc::clone(&node)]);
    let mut ticks = console.subscribe();
    for _ in 0..30 {
        let frame = timeout(Duration::from_millis(1_100), next(&mut ticks)).await.unwrap();
        assert_eq!(frame.caches[0].l2_entries, None);
        assert_eq!(frame.redis.counted_at_ms, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_redis_that_stops_answering_is_shown_as_down_with_its_last_counts() {
    let node = FakeNode::new("1");
    let console = console(&[Arc::clone(&node)]);
    let mut ticks = console.subscribe();
    let frame = next(&mut ticks).await;
    assert!(frame.redis.configured && frame.redis.up && frame.redis.counted_at_ms.is_some());
    assert_eq!(frame.caches[0].l2_entries, Some(40));
    assert_eq!(frame.caches[0].l2_weight_bytes, Some(4_000));
    node.script().redis = None;
    for _ in 0..6 {
        next(&mut ticks).await;
    }
    let frame = console.frame();
    assert!(frame.redis.configured && !frame.redis.up);
    assert_eq!(frame.caches[0].l2_entries, Some(40));
}

#[tokio::test(start_paused = true)]
async fn a_cache_without_keys_in_l2_has_none_and_one_without_l2_says_nothing() {
    let node = FakeNode::new("1");
    let posts = CacheReport { cache: "posts".to_owned(), ..cache_report(0) };
    let hints = CacheReport { cache: "hints".to_owned(), ..CacheReport::default() };
    node.reports(|report| report.caches.extend([posts, hints]));
    let console = console(&[node]);
    let frame = next(&mut console.subscribe()).await;
    let entries: Vec<_> = frame.caches.iter().map(|cache| cache.l2_entries).collect();
    assert_eq!(entries, [Some(40), Some(0), None]);
}

#[tokio::test(start_paused = true)]
async fn the_json_of_a_tick_is_its_frame_and_the_same_for_all_who_listen() {
    let console = console(&[FakeNode::new("1")]);
    let (mut one, mut other) = (console.subscribe(), console.subscribe());
    next(&mut one).await;
    next(&mut other).await;
    let (one, other) = (Arc::clone(&one.borrow()), Arc::clone(&other.borrow()));
    assert!(Arc::ptr_eq(&one.json, &other.json));
    assert_eq!(serde_json::from_str::<Frame>(&one.json).unwrap(), *one.frame);
    assert_eq!(console.snapshot().frame, *one.frame);
}

#[tokio::test(start_paused = true)]
async fn ticks_end_with_the_shutdown() {
    let shutdown = CancellationToken::new();
    let node: Arc<dyn NodeClient> = FakeNode::new("1");
    let console = Console::start(vec![node], everybody_may_act(), shutdown.clone());
    let mut ticks = console.subscribe();
    next(&mut ticks).await;
    shutdown.cancel();
    assert!(timeout(Duration::from_secs(60), ticks.changed()).await.is_err());
    assert_eq!(console.frame().seq, 2);
}
