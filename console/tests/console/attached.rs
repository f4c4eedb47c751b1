//! Nodes that come and go beside the service's own. Time is paused throughout.

use std::sync::Arc;

use strata_console::{Actor, Console, ConsoleError, Tick};
use strata_report::{ActivityFilter, CacheFrame, CacheReport, Frame, Range, RangeHistory};
use tokio::sync::watch::Receiver;

use crate::support::{FakeNode, cache_report, console, operator};

async fn next(ticks: &mut Receiver<Arc<Tick>>) -> Arc<Frame> {
    ticks.changed().await.unwrap();
    Arc::clone(&ticks.borrow_and_update().frame)
}

fn names<'a>(caches: impl IntoIterator<Item = &'a CacheFrame>) -> Vec<&'a str> {
    caches.into_iter().map(|cache| cache.report.cache.as_str()).collect()
}

fn reads(past: &RangeHistory) -> u64 {
    past.steps.iter().map(|step| step.outcomes().reads()).sum()
}

fn reads_of(console: &Console, cache: &str) -> u64 {
    reads(&console.cache_history(cache, Range::Minute).unwrap())
}

#[tokio::test(start_paused = true)]
async fn an_attached_cache_is_in_the_frame_and_in_no_sum() {
    let node = FakeNode::new("1");
    let console = console(&[Arc::clone(&node)]);
    let mut ticks = console.subscribe();
    let attached = FakeNode::with_cache("1", "lab-1");
    attached.has_answered_for_first_cache(1_000);
    let _attached = console.attach(Arc::<FakeNode>::clone(&attached));
    node.has_answered(7);
    attached.has_answered_for_first_cache(1_050);
    let frame = next(&mut ticks).await;
    assert_eq!(
        (names(&frame.caches), names(frame.own_caches())),
        (vec!["users", "lab-1"], vec!["users"])
    );
    assert_eq!(frame.caches.iter().map(|cache| cache.attached).collect::<Vec<_>>(), [false, true]);
    assert_eq!(frame.caches[1].recent.outcomes.l1_hit, 50, "counted since it was attached");
    assert_eq!(frame.point.outcomes.l1_hit, 7);
    attached.has_answered_for_first_cache(1_080);
    assert_eq!(next(&mut ticks).await.point.outcomes.l1_hit, 0);
    assert_eq!((reads_of(&console, "lab-1"), reads_of(&console, "users")), (80, 7));
    assert_eq!(reads(&console.history(Range::Minute)), 7);
    assert_eq!(
        console.snapshot().history.points.iter().map(|p| p.outcomes.reads()).sum::<u64>(),
        7
    );
}

#[tokio::test(start_paused = true)]
async fn a_sick_attached_node_is_no_matter_of_the_service() {
    let console = console(&[FakeNode::new("1")]);
    let mut ticks = console.subscribe();
    next(&mut ticks).await;
    let (alerts, last_event) =
        (console.alerts(), console.activity(None, &ActivityFilter::default()).last);
    let attached = FakeNode::with_cache("sick", "lab-1");
    attached.reports(|report| {
        report.version = "0.0.1".to_owned();
        report.l2.breaker_open = true;
        report.l2.queued_invalidations = 9;
        report.bus.connected = false;
        report.caches.push(CacheReport { cache: "lab-2".to_owned(), ..CacheReport::default() });
    });
    let attached = console.attach(attached);
    let frame = next(&mut ticks).await;
    assert_eq!((frame.caches.len(), frame.nodes.len(), console.nodes().len()), (3, 1, 1));
    assert_eq!((console.alerts(), console.nodes_report().nodes.len()), (alerts.clone(), 1));
    assert!(console.nodes_report().disagreements.is_empty());
    drop(attached);
    next(&mut ticks).await;
    assert_eq!((console.alerts(), console.nodes_report().nodes.len()), (alerts, 1));
    assert_eq!(console.activity(None, &ActivityFilter::default()).last, last_event);
    assert!(console.redis().await.shares.iter().all(|share| share.cache == "users"));
}

#[tokio::test(start_paused = true)]
async fn what_is_done_to_an_attached_cache_is_done_on_its_nodes_alone() {
    let node = FakeNode::new("1");
    let console = console(&[Arc::clone(&node)]);
    let attached = [
        FakeNode::with_cache("1", "lab-1"),
        FakeNode::with_cache("2", "lab-1"),
        FakeNode::with_cache("1", "lab-2"),
    ];
    let _attached = attached.clone().map(|attached| console.attach(attached));
    next(&mut console.subscribe()).await;
    let plan = console.plan(&operator(), "lab-1", "*").await.unwrap();
    assert_eq!(plan.l1.into_iter().map(|count| count.node).collect::<Vec<_>>(), ["1", "2"]);
    let details = console.cache_report("lab-1").await.unwrap();
    assert_eq!(details.nodes.into_iter().map(|cache| cache.node).collect::<Vec<_>>(), ["1", "2"]);
    let plan = console.plan(&operator(), "users", "*").await.unwrap();
    assert_eq!(plan.l1.into_iter().map(|count| count.node).collect::<Vec<_>>(), ["1"]);
    console.invalidate_key(&operator(), "lab-2", "a").await.unwrap();
    let begun = attached.map(|attached| attached.script().n_invalidations);
    assert_eq!((begun, node.script().n_invalidations), ([0, 0, 1], 0));
    assert_eq!(console.cache_history("lab-2", Range::Minute).unwrap().markers.len(), 1);
    assert!(console.history(Range::Minute).markers.is_empty(), "no deed on the service");
}

#[tokio::test(start_paused = true)]
async fn an_attached_cache_goes_with_its_last_node_and_comes_back_without_a_history() {
    let console = console(&[FakeNode::new("1")]);
    let mut ticks = console.subscribe();
    let attached = [FakeNode::with_cache("1", "lab-1"), FakeNode::with_cache("2", "lab-1")];
    let [first, second] = attached.clone().map(|attached| console.attach(attached));
    attached[0].has_answered_for_first_cache(3);
    attached[1].has_answered_for_first_cache(40);
    assert_eq!(next(&mut ticks).await.caches[1].recent.outcomes.l1_hit, 43);
    drop(first);
    assert_eq!(next(&mut ticks).await.caches[1].report.outcomes.l1_hit, 40);
    drop(second);
    let unknown = ConsoleError::UnknownCache("lab-1".to_owned());
    assert_eq!(console.plan(&operator(), "lab-1", "*").await.unwrap_err(), unknown, "at once");
    assert_eq!(names(&next(&mut ticks).await.caches), ["users"]);
    assert_eq!(console.cache_history("lab-1", Range::Minute).unwrap_err(), unknown);
    let _again = console.attach(Arc::<FakeNode>::clone(&attached[1]));
    let frame = next(&mut ticks).await;
    assert_eq!(frame.caches[1].recent.outcomes.reads(), 0);
    assert_eq!(reads_of(&console, "lab-1"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_attached_cache_with_a_name_of_the_services_is_not_shown() {
    let node = FakeNode::new("1");
    let console = console(&[Arc::clone(&node)]);
    let mut ticks = console.subscribe();
    let attached = FakeNode::with_cache("9", "users");
    attached.reports(|report| {
        report.caches.push(CacheReport { cache: "lab-1".to_owned(), ..cache_report(0) });
    });
    let _attached = console.attach(Arc::<FakeNode>::clone(&attached));
    attached.has_answered_for_first_cache(500);
    let frame = next(&mut ticks).await;
    assert_eq!(names(&frame.caches), ["users", "lab-1"]);
    assert_eq!((frame.caches[0].attached, frame.caches[0].report.outcomes.l1_hit), (false, 0));
    assert_eq!(console.look(&Actor::local(), "users", "a").await.unwrap().l1.len(), 1);
    node.script().report = None;
    assert_eq!(names(&next(&mut ticks).await.caches), ["lab-1"], "not even while nobody has it");
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_two_attached_nodes_with_one_id_have_is_counted_once() {
    let console = console(&[FakeNode::new("1")]);
    let attached = [FakeNode::with_cache("1", "lab-1"), FakeNode::with_cache("1", "lab-1")];
    attached.iter().for_each(|attached| attached.has_answered_for_first_cache(5));
    let _attached = attached.map(|attached| console.attach(attached));
    let frame = next(&mut console.subscribe()).await;
    assert_eq!(frame.caches[1].report.outcomes.l1_hit, 5);
}

#[tokio::test(start_paused = true)]
async fn entries_of_attached_caches_in_l2_are_counted_by_themselves() {
    let console = console(&[FakeNode::new("1")]);
    let mut ticks = console.subscribe();
    let (silent, attached) =
        (FakeNode::with_cache("1", "lab-1"), FakeNode::with_cache("1", "lab-2"));
    attached.reports(|report| {
        report.caches.push(CacheReport { cache: "empty".to_owned(), ..cache_report(0) });
        report.caches.push(CacheReport { cache: "l1-only".to_owned(), ..CacheReport::default() });
    });
    silent.script().redis = None;
    let attached = [silent, attached].map(|attached| console.attach(attached));
    let counts = |frame: &Frame| -> Vec<Option<u64>> {
        frame.caches.iter().skip(1).map(|cache| cache.l2_entries).collect()
    };
    assert_eq!(counts(next(&mut ticks).await.as_ref()), [None; 4]);
    let mut frame = console.frame();
    for _ in 0..10 {
        frame = next(&mut ticks).await;
    }
    assert_eq!(counts(&frame), [None, Some(40), Some(0), None]);
    drop(attached);
    for _ in 0..10 {
        frame = next(&mut ticks).await;
    }
    assert_eq!(frame.caches[0].l2_entries, Some(40));
}
