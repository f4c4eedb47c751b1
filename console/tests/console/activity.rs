//! The stream of what happens. Time is paused throughout.

use std::sync::Arc;
use std::time::Duration;

use strata_report::{ActivityFilter, CacheEvents, Cause, Event, EventKind, Severity, What};
use tokio::time::sleep;

use crate::support::{FakeNode, console, operator};

const SECOND: Duration = Duration::from_secs(1);

fn removal(seq: u64, cause: Cause) -> Event {
    Event {
        seq,
        at_ms: 1_000 + seq,
        node: "1".to_owned(),
        cache: "users".to_owned(),
        key: Some(seq.to_string()),
        what: What::Removed { cause, age_ms: Some(5) },
    }
}

fn kinds(kinds: &[EventKind]) -> ActivityFilter {
    ActivityFilter { kinds: kinds.to_vec(), ..ActivityFilter::default() }
}

#[tokio::test(start_paused = true)]
async fn removals_of_every_node_come_in_one_stream_once_each() {
    let nodes = ["1", "2"].map(FakeNode::new);
    let events = vec![removal(1, Cause::Size), removal(2, Cause::Expired)];
    nodes[0].script().events = CacheEvents { events, last: 2, ..CacheEvents::default() };
    let console = console(&nodes);
    sleep(3 * SECOND).await;
    let all = console.activity(None, &kinds(&[EventKind::Removal]));
    let keys: Vec<_> = all.events.iter().filter_map(|event| event.key.as_deref()).collect();
    assert_eq!((keys, all.missed, all.dropped), (vec!["1", "2"], 0, 0));
    let expired = ActivityFilter { cause: Some(Cause::Expired), ..kinds(&[EventKind::Removal]) };
    assert_eq!(console.activity(None, &expired).events.len(), 1);
    assert!(console.activity(Some(all.last), &ActivityFilter::default()).events.is_empty());
}

#[tokio::test(start_paused = true)]
async fn where_too_many_come_the_rest_is_counted() {
    let node = FakeNode::new("1");
    let events = (1..=1_000).map(|seq| removal(seq, Cause::Size)).collect();
    node.script().events = CacheEvents { events, last: 1_000, dropped: 7, since_ms: None };
    let console = console(&[node]);
    sleep(3 * SECOND).await;
    let activity = console.activity(None, &kinds(&[EventKind::Removal]));
    assert_eq!(activity.events.len() as u64 + activity.dropped, 1_007);
    assert!(activity.events.len() >= 50);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_is_lost_and_a_breaker_that_opens_are_events_and_alerts() {
    let node = FakeNode::new("1");
    let console = console(&[Arc::clone(&node)]);
    sleep(2 * SECOND).await;
    let before = console.activity(None, &ActivityFilter::default()).last;
    assert_eq!(console.frame().alerts.worst, None, "{:?}", console.alerts());
    node.reports(|report| {
        (report.bus.connected, report.l2.breaker_open) = (false, true);
        (report.bus.gaps, report.at_ms) = (2, 60_000);
    });
    sleep(2 * SECOND).await;
    let found = console.activity(Some(before), &ActivityFilter::default()).events;
    let what: Vec<_> = found.iter().map(|event| event.what.clone()).collect();
    assert_eq!(what, [What::BusLost, What::BusGap { times: 2 }, What::BreakerOpened]);
    assert_eq!(console.frame().alerts.worst, Some(Severity::Critical));
    let lints: Vec<_> = console.alerts().into_iter().map(|alert| alert.lint).collect();
    assert_eq!(lints, ["breaker_open", "bus_silent"]);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_falls_silent_is_shown_as_it_was_last() {
    let nodes = ["1", "2"].map(FakeNode::new);
    let console = console(&nodes);
    nodes[1].script().report = None;
    sleep(2 * SECOND).await;
    let report = console.nodes_report();
    let heard: Vec<_> = report.nodes.iter().map(|node| (node.node.as_str(), node.heard)).collect();
    assert_eq!(heard, [("1", true), ("2", false)]);
    let events = console.activity(None, &kinds(&[EventKind::Node])).events;
    assert_eq!(events.last().unwrap().what, What::NodeVanished);
    assert_eq!(console.alerts()[0].lint, "node_gone");
}

#[tokio::test(start_paused = true)]
async fn what_people_do_is_in_the_stream_and_on_the_charts() {
    let console = console(&[FakeNode::new("1")]);
    console.invalidate_key(&operator(), "users", "42").await.unwrap();
    sleep(2 * SECOND).await;
    let events = console.activity(None, &kinds(&[EventKind::Audit])).events;
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(matches!(&events[0].what, What::Did { target, .. } if target == "42"));
    let past = console.cache_history("users", strata_report::Range::FifteenMinutes).unwrap();
    assert_eq!((past.markers.len(), past.markers[0].target.as_str()), (1, "42"));
    assert!(past.markers[0].at_ms <= past.markers[0].until_ms);
}
