//! Invalidation as plan, confirmation and run. Time is paused throughout.

use std::sync::Arc;
use std::time::Duration;

use strata_console::{Console, ConsoleError, ConsoleSettings, NodeClient};
use strata_report::{Effect, JobState, NodeCount};
use tokio_util::sync::CancellationToken;

use crate::support::{FakeNode, console, everybody_may_act, operator};

const SECOND: Duration = Duration::from_secs(1);

/// A node that holds so many keys that begin with a 4.
fn node_with(n_keys: usize) -> Arc<FakeNode> {
    let node = FakeNode::new("1");
    node.script().l1.extend((0..n_keys).map(|i| (format!("4{i:05}"), 60_000)));
    node
}

fn protecting(node: Arc<FakeNode>, protected: &str) -> Console {
    let settings = ConsoleSettings {
        protected: vec![protected.parse().unwrap()],
        ..everybody_may_act().into()
    };
    let face: Arc<dyn NodeClient> = node;
    Console::start(vec![face], settings, CancellationToken::new())
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_run_and_its_job_says_what_was_planned() {
    let node = node_with(3);
    node.script().effect = Effect::Removed { entries: 100 };
    let console = console(&[node]);
    let plan = console.plan(&operator(), "users", "4*").await.unwrap();
    assert_eq!((plan.entries(), plan.keys_at_least(), plan.type_again), (103, 100, false));
    let job = console.run_plan(&operator(), &plan.id, None).await.unwrap();
    let ended = console.finished(job.id, 60 * SECOND).await.unwrap();
    assert_eq!((ended.state, ended.l2_removed), (JobState::Done, 100));
    assert_eq!(ended.l1, [NodeCount { node: "1".to_owned(), entries: 3 }]);
    assert_eq!(ended.plan, Some(plan));
    assert!(ended.errors.is_empty());
    assert_eq!(console.audit()[0].action, "invalidate_pattern");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_is_run_twice_is_one_job() {
    let node = node_with(3);
    node.script().n_batches = 5;
    let console = console(&[Arc::clone(&node)]);
    let plan = console.plan(&operator(), "users", "4*").await.unwrap();
    let actor = operator();
    let (once, again) = tokio::join!(
        console.run_plan(&actor, &plan.id, None),
        console.run_plan(&actor, &plan.id, None)
    );
    assert_eq!(once.unwrap().id, again.unwrap().id);
    console.finished(1, 60 * SECOND).await.unwrap();
    assert_eq!(console.run_plan(&actor, &plan.id, None).await.unwrap().state, JobState::Done);
    assert_eq!(node.script().n_invalidations, 1);
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_could_not_count_all_of_redis_says_so_and_wants_the_pattern_again() {
    let node = node_with(3);
    node.script().l2_is_too_large = true;
    let console = console(&[Arc::clone(&node)]);
    let plan = console.plan(&operator(), "users", "4*").await.unwrap();
    assert_eq!((plan.l2, plan.l2_at_least, plan.type_again), (Some(100), true, true));
    let run = console.run_plan(&operator(), &plan.id, None).await;
    assert!(matches!(run, Err(ConsoleError::NotConfirmed)), "{run:?}");
    node.script().l1.extend((0..40).map(|i| (format!("4x{i}"), 1)));
    let job = console.run_plan(&operator(), &plan.id, Some("4*")).await.unwrap();
    console.finished(job.id, 60 * SECOND).await.unwrap();
    assert_eq!(node.script().n_invalidations, 1);
    let other = console.plan(&operator(), "users", "4*").await.unwrap();
    node.script().l1.extend((0..500).map(|i| (format!("4y{i}"), 1)));
    let run = console.run_plan(&operator(), &other.id, Some("4*")).await;
    assert!(matches!(run, Err(ConsoleError::StalePlan(_))), "L1 is compared: {run:?}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_grows_stale_with_time_and_when_the_count_is_far_off() {
    let node = node_with(10);
    let console = console(&[Arc::clone(&node)]);
    let is_stale = |run: Result<_, ConsoleError>| matches!(run, Err(ConsoleError::StalePlan(_)));
    let old = console.plan(&operator(), "users", "4*").await.unwrap();
    tokio::time::sleep(121 * SECOND).await;
    assert!(is_stale(console.run_plan(&operator(), &old.id, None).await));
    let small = console.plan(&operator(), "users", "4*").await.unwrap();
    node.script().l1.extend((0..500).map(|i| (format!("4x{i}"), 1)));
    assert!(is_stale(console.run_plan(&operator(), &small.id, None).await));
    let large = console.plan(&operator(), "users", "4*").await.unwrap();
    node.script().l1.extend((0..40).map(|i| (format!("4y{i}"), 1)));
    let job = console.run_plan(&operator(), &large.id, None).await.unwrap();
    console.finished(job.id, 60 * SECOND).await.unwrap();
    assert_eq!(node.script().n_invalidations, 1);
}

#[tokio::test(start_paused = true)]
async fn a_plan_grows_stale_as_redis_leaves_or_comes_back() {
    let node = node_with(3);
    let console = console(&[Arc::clone(&node)]);
    let with_redis = console.plan(&operator(), "users", "4*").await.unwrap();
    let state = node.script().redis.take();
    let refused = console.run_plan(&operator(), &with_redis.id, None).await.unwrap_err();
    let why = "Redis was counted then, and does not answer now".to_owned();
    assert_eq!(refused, ConsoleError::StalePlan(why));
    let without = console.plan(&operator(), "users", "4*").await.unwrap();
    assert_eq!((without.l2, without.entries()), (None, 3));
    node.script().redis = state;
    let refused = console.run_plan(&operator(), &without.id, None).await.unwrap_err();
    assert_eq!(
        refused,
        ConsoleError::StalePlan("Redis did not answer then, and does now".to_owned())
    );
    assert_eq!(node.script().n_invalidations, 0);
}

#[tokio::test(start_paused = true)]
async fn the_pattern_is_typed_again_for_everything_and_for_much() {
    let node = node_with(2_000);
    let console = console(&[Arc::clone(&node)]);
    for pattern in ["*", "4*"] {
        let plan = console.plan(&operator(), "users", pattern).await.unwrap();
        assert!(plan.type_again, "{pattern}");
        for typed in [None, Some(""), Some("5*"), Some("4* ")] {
            let refused = console.run_plan(&operator(), &plan.id, typed).await.unwrap_err();
            assert_eq!(refused, ConsoleError::NotConfirmed);
        }
        assert!(console.run_plan(&operator(), &plan.id, Some(pattern)).await.is_ok());
        console.finished(1, 60 * SECOND).await.unwrap();
        node.script().l1.extend((0..2_000).map(|i| (format!("4{i:05}"), 60_000)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_pattern_that_no_field_can_hold_is_typed_as_it_is_written_out() {
    let node = node_with(0);
    node.script().l1.extend((0..2_000).map(|i| (format!("a\nb{i}"), 60_000)));
    let console = console(&[Arc::clone(&node)]);
    let plan = console.plan(&operator(), "users", "a\nb*").await.unwrap();
    assert!(plan.type_again);
    let refused = console.run_plan(&operator(), &plan.id, Some("ab*")).await.unwrap_err();
    assert_eq!(refused, ConsoleError::NotConfirmed);
    assert!(console.run_plan(&operator(), &plan.id, Some(r"a\u{a}b*")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn protected_keys_are_refused_with_the_reason_and_it_is_audited() {
    let node = node_with(3);
    let console = protecting(Arc::clone(&node), "users:400001");
    let actor = operator();
    let plan = console.plan(&operator(), "users", "4*").await.unwrap();
    let why = plan.protected.clone().unwrap();
    assert!(why.contains("400001") && why.contains("protected"), "{why}");
    let refused = ConsoleError::Protected(why);
    assert_eq!(console.run_plan(&actor, &plan.id, None).await.unwrap_err(), refused);
    assert_eq!(console.invalidate_pattern(&actor, "users", "*1").await.unwrap_err(), refused);
    assert_eq!(console.invalidate_key(&actor, "users", "400001").await.unwrap_err(), refused);
    assert_eq!(console.mark_key_stale(&actor, "users", "400001").await.unwrap_err(), refused);
    assert_eq!(node.script().n_invalidations, 0);
    assert_eq!(node.script().n_marked_stale, 0);
    assert!(console.audit().iter().all(|entry| entry.refused));
    assert_eq!(console.audit().len(), 4);
    assert!(console.invalidate_key(&actor, "users", "400002").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_plan_is_refused() {
    let console = console(&[FakeNode::new("1")]);
    let unknown = console.run_plan(&operator(), &"x".repeat(1_000), None).await.unwrap_err();
    assert!(matches!(&unknown, ConsoleError::UnknownPlan(id) if id.len() == 64), "{unknown:?}");
}

#[tokio::test(start_paused = true)]
async fn what_went_wrong_on_which_node_stands_in_the_report() {
    let node = node_with(3);
    node.script().effect = Effect::Queued;
    let deaf = FakeNode::new("2");
    deaf.script().l1.insert("4".to_owned(), 60_000);
    deaf.script().breaks_off = true;
    let console = console(&[node, deaf]);
    let plan = console.plan(&operator(), "users", "4*").await.unwrap();
    let job = console.run_plan(&operator(), &plan.id, None).await.unwrap();
    let ended = console.finished(job.id, 60 * SECOND).await.unwrap();
    assert_eq!((ended.state, ended.l1_left), (JobState::Queued, 1));
    assert_eq!(ended.l1_left_on[1], NodeCount { node: "2".to_owned(), entries: 1 });
    let nodes: Vec<_> = ended.errors.iter().map(|error| error.node.as_str()).collect();
    assert_eq!(nodes, ["1", "2", "2"], "{:?}", ended.errors);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_marked_as_stale_and_nothing_is_removed() {
    let node = node_with(3);
    let console = console(&[Arc::clone(&node)]);
    let job = console.mark_key_stale(&operator(), "users", "400001").await.unwrap();
    assert_eq!(job.state, JobState::Done);
    assert_eq!(node.script().n_marked_stale, 1);
    assert_eq!(node.script().n_invalidations, 0);
    assert_eq!(node.script().l1.len(), 3);
    assert_eq!(console.audit()[0].action, "soften_key");
}
