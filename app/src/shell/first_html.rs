//! What the first HTML of the pages says, before any script runs.

use std::time::Duration;

use axum::http::Request;
use leptos::prelude::*;
use strata_console::{Access, AccessSettings, Actor, Console};
use strata_report::{
    CacheFrame, CacheReport, Frame, History, L1Report, NodeSums, Outcome, Outcomes, Point,
    RedisState, Role, Session, Snapshot, TrafficState, Window,
};

use super::document;
use crate::first_paint::FirstPaint;
use crate::pages::{in_navigation, overview_html};

const HANDLES: [&str; 18] = [
    "l1-entries",
    "l2-entries",
    "l1-weight",
    "eviction-expired",
    "eviction-explicit",
    "eviction-replaced",
    "eviction-size",
    "eviction-refused",
    "outcome-l1-hit",
    "outcome-l2-hit",
    "outcome-loaded",
    "outcome-coalesced",
    "outcome-stale",
    "outcome-bypassed",
    "outcome-missed",
    "outcome-failed",
    "invalidate-key",
    "invalidate-pattern",
];

fn users(node_outcomes: Outcomes) -> CacheFrame {
    let mut recent = Window { span_ms: 1000, outcomes: node_outcomes, ..Window::default() };
    recent.load_latency.record(Duration::from_millis(2));
    let l1 = L1Report { entries: 9_812, entries_max: Some(10_000), ..L1Report::default() };
    let report = CacheReport {
        cache: "users".to_owned(),
        outcomes: node_outcomes,
        l1,
        ..CacheReport::default()
    };
    CacheFrame { report, recent, l2_entries: Some(61_204), ..CacheFrame::default() }
}

fn busy() -> Snapshot {
    let outcomes = Outcomes::from_counts([4_196, 549, 58, 9, 0, 0, 0, 0]);
    let point = |s: u64| Point { at_ms: s * 1000, span_ms: 1000, outcomes, ..Point::default() };
    let frame = Frame {
        at_ms: 10_000,
        node_sums: NodeSums { nodes: 3, ..NodeSums::default() },
        caches: vec![users(outcomes)],
        redis: RedisState { configured: true, up: true, ..RedisState::default() },
        ..Frame::default()
    };
    Snapshot { frame, history: History { step_ms: 1000, points: (1..=10).map(point).collect() } }
}

fn session(refusal: Option<&str>) -> Session {
    let role = if refusal.is_some() { Role::Viewer } else { Role::Operator };
    let actor = "somebody".to_owned();
    Session { actor, role, refusal: refusal.map(str::to_owned), can_log_in: false }
}

fn overview(snapshot: Snapshot, session: Session) -> String {
    let traffic = TrafficState { running: true, rate_per_s: 600, skew: 1.0, write_share: 0.02 };
    let (session, traffic) = (Some(session), Some(traffic));
    overview_html(FirstPaint { snapshot: Some(snapshot), session, traffic, failure: None })
}

async fn page(path: &str) -> String {
    let (parts, ()) = Request::builder().uri(path).body(()).unwrap().into_parts();
    let drawn = Owner::new().with(|| {
        let access = Access::new(AccessSettings::default());
        provide_context(Console::start(Vec::new(), access, Default::default()));
        provide_context(Actor::local());
        provide_context(parts);
        document(None)
    });
    drawn.await
}

/// The `data-value` of the element with a handle.
fn value(html: &str, handle: &str) -> Option<u64> {
    let tag = html.split('<').find(|tag| tag.contains(&format!("data-testid=\"{handle}\"")))?;
    tag.split("data-value=\"").nth(1)?.split('"').next()?.parse().ok()
}

#[test]
fn every_handle_is_there_once() {
    let html = overview(busy(), session(None));
    for handle in HANDLES {
        let n = html.matches(&format!("data-testid=\"{handle}\"")).count();
        assert_eq!(n, 1, "{handle}");
    }
}

#[test]
fn the_outcomes_add_up_to_the_reads() {
    let html = overview(busy(), session(None));
    let handle = |outcome: Outcome| format!("outcome-{}", outcome.as_str().replace('_', "-"));
    let shown = Outcome::ALL.map(|outcome| value(&html, &handle(outcome)).unwrap());
    assert_eq!(shown.iter().sum::<u64>(), 4_812);
    assert!(html.contains("4\u{202f}812"), "the cross-section shows all reads per second");
}

#[test]
fn charts_are_drawn_already() {
    let html = overview(busy(), session(None));
    let band =
        |class: &str| html.split('<').find(|tag| tag.contains(&format!("band {class}"))).unwrap();
    assert!(band("outcome-l1-hit").contains("d=\"M2900 "));
    assert!(band("outcome-failed").contains("d=\"\""));
}

#[test]
fn shares_are_those_of_each_layer() {
    let html = overview(busy(), session(None));
    for text in ["87.2\u{202f}%", "89.1\u{202f}%", "58 loads/s", "616/s sink to L2"] {
        assert!(html.contains(text), "{text}");
    }
}

#[test]
fn l2_is_not_added_up_over_nodes() {
    let html = overview(busy(), session(None));
    assert_eq!(value(&html, "l2-entries"), Some(61_204));
    assert!(html.contains("3 nodes added up"));
}

#[test]
fn a_cache_of_the_lab_has_a_row_and_changes_nothing_else() {
    let mut lab = users(Outcomes::from_counts([10, 20, 5_000, 40, 50, 60, 70, 80]));
    lab.attached = true;
    lab.report.cache = "lab-1".to_owned();
    lab.report.l1 = L1Report { weight_bytes: Some(9), ..lab.report.l1 };
    lab.report.l1.gets.sampled_one_in = 7;
    lab.report.loads.in_flight = 3;
    let mut snapshot = busy();
    snapshot.frame.caches.push(lab);
    let html = overview(snapshot, session(None));
    let begin = html.find("<tr><th scope=\"row\"><a href=\"/caches/lab-1\"").unwrap();
    let end = begin + html[begin..].find("</tr>").unwrap() + "</tr>".len();
    assert!(html[begin..end].contains("class=\"badge\">lab<"), "{}", &html[begin..end]);
    let without = [&html[..begin], &html[end..]].concat();
    assert_eq!(without, overview(busy(), session(None)));
}

#[test]
fn what_is_not_known_is_a_dash() {
    let html = overview(Snapshot::default(), session(None));
    assert_eq!(value(&html, "l2-entries"), None);
    assert!(!html.contains("NaN") && !html.contains("inf"));
    assert!(!html.contains("100\u{202f}%"));
}

#[tokio::test]
async fn nothing_needs_an_inline_style() {
    // The policy of the page blocks them in what the server draws.
    assert!(!overview(busy(), session(None)).contains("style="));
    assert!(!page("/").await.contains("style="));
}

#[test]
fn who_may_not_act_is_told_why() {
    let html = overview(busy(), session(Some("Only an operator may.")));
    assert!(html.contains("Only an operator may."));
    let submit = |part: &&str| part.contains("type=\"submit\"");
    let (plan, others): (Vec<_>, Vec<_>) = html
        .split("<button")
        .filter(submit)
        .partition(|button| button.split("</button>").next().unwrap().contains("Plan"));
    assert!(others.iter().all(|button| button.split('>').next().unwrap().contains("disabled")));
    assert_eq!((plan.len(), others.len()), (1, 3), "a plan changes nothing, so anybody may plan");
}

#[test]
fn a_redis_that_is_away_is_a_banner() {
    let mut snapshot = busy();
    snapshot.frame.redis.up = false;
    snapshot.frame.node_sums.queued_invalidations = 7;
    let html = overview(snapshot, session(None));
    assert!(html.contains("Redis is away."));
    assert!(html.contains("7 invalidations wait now"));
    assert!(!overview(busy(), session(None)).contains("Redis is away."));
}

#[tokio::test]
async fn every_page_of_the_navigation_is_a_page_that_is_marked_and_named() {
    for (listed, letter) in in_navigation() {
        let html = page(listed.path).await;
        assert!(html.contains("id=\"main\"") && !html.contains("There is no such page"));
        assert!(html.contains(&format!("<title>{} · Strata</title>", listed.title)), "{html}");
        let marked: Vec<&str> = html.split("<a ").filter(|a| a.contains("aria-current")).collect();
        assert_eq!(marked.len(), 1);
        assert!(marked[0].contains(&format!("data-letter=\"{letter}\"")), "{marked:?}");
    }
    let none = page("/no/such/page").await;
    assert!(none.contains("<title>Not found · Strata</title>"));
}

/// Each part is drawn once, and what it shows is drawn already.
#[test]
fn every_part_of_the_overview_is_drawn() {
    let html = overview(busy(), session(None));
    let parts: Vec<&str> = html.split("data-part=\"").skip(1).collect();
    assert_eq!(parts.len(), 10);
    for part in parts {
        assert!(part.split("data-part").next().unwrap().matches('<').count() > 5, "{part}");
    }
}
