//! What an operator may do, and what they are told about it. Time is paused throughout.

use std::sync::Arc;
use std::time::Duration;

use strata_cache::PatternError;
use strata_console::{
    Access, AccessSettings, Actor, Console, ConsoleError, Credentials, NodeClient, Origin, Token,
};
use strata_report::{Effect, JobState, NodeCount, Scope};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::support::{FakeNode, console, operator, three_nodes};

const SECOND: Duration = Duration::from_secs(1);

fn count(node: &str, entries: u64) -> NodeCount {
    NodeCount { node: node.to_owned(), entries }
}

#[tokio::test(start_paused = true)]
async fn a_key_is_gone_from_every_level_and_the_job_says_what_was_there() {
    let nodes = three_nodes();
    nodes[2].script().l1.clear();
    let console = console(&nodes);
    let job = console.invalidate_key(&operator(), "users", "42").await.unwrap();
    assert_eq!((job.state, job.scope, job.target.as_str()), (JobState::Done, Scope::Key, "42"));
    assert_eq!(job.l1, [count("1", 1), count("2", 1), count("3", 0)]);
    assert_eq!((job.l1_left, job.l2_removed, job.l2_configured), (0, 1, true));
    assert!(job.ended_at_ms.is_some());
    assert_eq!(console.job(job.id).unwrap(), job);
    assert_eq!(nodes.map(|node| node.script().n_invalidations), [1, 0, 0]);
    let audit = console.audit();
    assert_eq!((audit[0].action.as_str(), audit[0].actor.as_str()), ("invalidate_key", "local"));
    assert_eq!(audit[0].result, "Done: 2 entries from L1, 1 entry from L2.");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_hear_in_time_is_told_to_the_operator() {
    let nodes = three_nodes();
    nodes[0].script().peers.pop();
    let console = console(&nodes);
    let begun = Instant::now();
    let job = console.invalidate_key(&operator(), "users", "42").await.unwrap();
    assert!(begun.elapsed() >= SECOND);
    assert_eq!((job.state, job.l1_left), (JobState::Done, 1));
    assert!(console.audit()[0].result.ends_with("1 entry left in L1."));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_traffic_fills_again_at_once_does_not_count_as_left() {
    let nodes = three_nodes();
    nodes[1].script().refills = true;
    let console = console(&nodes);
    let begun = Instant::now();
    let job = console.invalidate_key(&operator(), "users", "42").await.unwrap();
    assert_eq!(job.l1_left, 0);
    assert!(begun.elapsed() < SECOND);
    assert_eq!(nodes[1].script().l1.get("42"), Some(&0));
}

#[tokio::test(start_paused = true)]
async fn a_node_off_the_bus_is_asked_itself() {
    let nodes = three_nodes();
    nodes[0].script().peers.pop();
    nodes[2].reports(|report| report.bus.connected = false);
    let console = console(&nodes);
    let job = console.invalidate_key(&operator(), "users", "42").await.unwrap();
    assert_eq!(job.l1_left, 0);
    assert_eq!(nodes.map(|node| node.script().n_invalidations), [1, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn while_redis_is_away_every_node_is_asked_and_the_job_is_queued() {
    let nodes = three_nodes();
    for node in &nodes {
        node.script().effect = Effect::Queued;
        node.script().peers.clear();
    }
    let console = console(&nodes);
    let job = console.invalidate_key(&operator(), "users", "42").await.unwrap();
    assert_eq!((job.state, job.l1_left, job.l2_configured), (JobState::Queued, 0, true));
    assert_eq!(nodes.map(|node| node.script().n_invalidations), [1, 1, 1]);
    assert!(console.audit()[0].result.starts_with("Queued until Redis is back"));
}

#[tokio::test(start_paused = true)]
async fn without_redis_every_node_is_asked_and_l2_is_said_to_be_off() {
    let nodes = three_nodes();
    for node in &nodes {
        node.script().effect = Effect::Off;
        node.script().peers.clear();
        node.reports(|report| {
            report.bus.connected = false;
            report.l2.configured = false;
        });
    }
    let console = console(&nodes);
    assert_eq!(console.plan(&operator(), "users", "4*").await.unwrap().l2, None);
    assert_eq!(console.look(&Actor::local(), "users", "42").await.unwrap().l2, None);
    let job = console.invalidate_key(&operator(), "users", "42").await.unwrap();
    assert_eq!((job.state, job.l1_left, job.l2_configured), (JobState::Done, 0, false));
    assert_eq!(console.audit()[0].result, "Done: 3 entries from L1, L2 is off.");
}

#[tokio::test(start_paused = true)]
async fn a_cache_without_l2_is_asked_on_every_node_though_there_is_a_bus() {
    let nodes = three_nodes();
    for node in &nodes {
        node.script().effect = Effect::Off;
        node.script().peers.clear();
    }
    let console = console(&nodes);
    let job = console.invalidate_key(&operator(), "users", "42").await.unwrap();
    assert_eq!((job.state, job.l1_left, job.l2_configured), (JobState::Done, 0, false));
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_ends_and_is_audited_though_its_caller_goes_away() {
    let nodes = three_nodes();
    nodes[0].script().peers.pop();
    let console = console(&nodes);
    let actor = operator();
    let impatient = console.invalidate_key(&actor, "users", "42");
    assert!(tokio::time::timeout(SECOND / 10, impatient).await.is_err());
    assert_eq!(console.finished(1, 5 * SECOND).await.unwrap().state, JobState::Done);
    assert_eq!(console.audit().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pattern_runs_in_the_background_and_can_be_watched() {
    let nodes = three_nodes();
    nodes[0].script().n_batches = 5;
    nodes[0].script().effect = Effect::Removed { entries: 50 };
    nodes[1].script().l1.clear();
    nodes[2].script().l1.clear();
    let console = console(&nodes);
    let job = console.invalidate_pattern(&operator(), "users", "4*").await.unwrap();
    assert_eq!((job.state, job.scope), (JobState::Running, Scope::Pattern));
    assert_eq!(job.l1, [count("1", 1), count("2", 0), count("3", 0)]);
    let half = console.finished(job.id, SECOND * 5 / 2).await.unwrap();
    assert_eq!((half.state, half.l2_scanned, half.l2_removed), (JobState::Running, 200, 20));
    let done = console.finished(job.id, 60 * SECOND).await.unwrap();
    assert_eq!((done.state, done.l2_scanned, done.l2_removed), (JobState::Done, 500, 50));
    assert_eq!(done.l1_left, 0);
    assert_eq!(console.audit()[0].result, "Done: 1 entry from L1, 50 entries from L2.");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_pattern_stops_and_keeps_what_it_removed() {
    let nodes = [FakeNode::new("1")];
    nodes[0].script().n_batches = 1_000;
    let console = console(&nodes);
    let job = console.invalidate_pattern(&operator(), "users", "*").await.unwrap();
    console.finished(job.id, SECOND * 7 / 2).await.unwrap();
    let asked = console.cancel(&operator(), job.id).unwrap();
    assert_eq!(console.cancel(&operator(), job.id).unwrap(), asked, "asked twice");
    assert_eq!((asked.state, asked.l2_removed), (JobState::Running, 30));
    let ended = console.finished(job.id, 60 * SECOND).await.unwrap();
    assert_eq!((ended.state, ended.l2_removed), (JobState::Cancelled, 40));
    let results: Vec<_> = console.audit().into_iter().map(|entry| entry.result).collect();
    assert_eq!(
        results,
        [
            "Cancelled: 0 entries from L1, 40 entries from L2.",
            "Asked to stop after 30 entries were removed from L2.",
            "Begun: every key that matches is removed."
        ]
    );
    let late = console.cancel(&operator(), job.id).unwrap();
    assert_eq!(late, ended);
    assert!(late.cancel_asked);
}

#[tokio::test(start_paused = true)]
async fn a_pattern_whose_node_goes_away_has_failed() {
    let nodes = [FakeNode::new("1")];
    nodes[0].script().n_batches = 2;
    nodes[0].script().breaks_off = true;
    let console = console(&nodes);
    let job = console.invalidate_pattern(&operator(), "users", "*").await.unwrap();
    let ended = console.finished(job.id, 60 * SECOND).await.unwrap();
    assert_eq!((ended.state, ended.l2_removed), (JobState::Failed, 20));
    assert!(console.audit()[0].result.starts_with("Failed"));
}

#[tokio::test(start_paused = true)]
async fn a_plan_counts_each_level_and_changes_nothing() {
    let nodes = three_nodes();
    nodes[1].script().l1.extend((0..30).map(|i| (format!("4{i:02}"), 1)));
    let console = console(&nodes);
    let plan = console.plan(&operator(), "users", "4*").await.unwrap();
    assert_eq!(plan.l1, [count("1", 1), count("2", 31), count("3", 1)]);
    assert_eq!(plan.l2, Some(100));
    assert_eq!(plan.samples.len(), 10);
    assert_eq!(nodes.map(|node| node.script().n_invalidations), [0, 0, 0]);
    assert!(console.audit().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_refused_with_its_reason() {
    let console = console(&[FakeNode::new("1")]);
    let actor = operator();
    let unknown = ConsoleError::UnknownCache("cats".to_owned());
    assert_eq!(console.look(&Actor::local(), "cats", "1").await.unwrap_err(), unknown);
    assert_eq!(console.plan(&operator(), "cats", "*").await.unwrap_err(), unknown);
    assert_eq!(console.invalidate_key(&actor, "cats", "1").await.unwrap_err(), unknown);
    assert_eq!(console.invalidate_pattern(&actor, "cats", "*").await.unwrap_err(), unknown);
    for key in ["", "unreadable", &"x".repeat(1_025)] {
        let looked = console.look(&Actor::local(), "users", key).await.unwrap_err();
        assert!(matches!(looked, ConsoleError::BadKey { .. }), "{looked:?}");
        assert!(looked.to_string().len() < 200);
        assert_eq!(console.invalidate_key(&actor, "users", key).await.unwrap_err(), looked);
    }
    let empty = ConsoleError::BadPattern(PatternError::Empty);
    assert_eq!(console.invalidate_pattern(&actor, "users", "").await.unwrap_err(), empty);
    assert_eq!(console.job(99).unwrap_err(), ConsoleError::UnknownJob(99));
    assert_eq!(console.cancel(&actor, 99).unwrap_err(), ConsoleError::UnknownJob(99));
    assert!(console.audit().is_empty() && console.jobs().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_viewer_is_refused_everything_that_changes_something_and_it_is_audited() {
    let node = FakeNode::new("1");
    let operators = Token::read_lines("sesame", "operator").unwrap();
    let access = Access::new(AccessSettings { operators, ..AccessSettings::default() });
    let face: Arc<dyn NodeClient> = node.clone();
    let console = Console::start(vec![face], access, CancellationToken::new());
    let presenting = |token| Credentials { token: Some(token), session: None };
    let who = |token| console.access().identify(presenting(token), &Origin::default());
    let viewer = who("wrong");
    let refusal = console.session(&viewer).refusal.unwrap();
    let refused = ConsoleError::Refused(refusal.clone());
    let key = console.invalidate_key(&viewer, "users", "1").await.unwrap_err();
    let pattern = console.invalidate_pattern(&viewer, "users", "*").await.unwrap_err();
    let cancel = console.cancel(&viewer, 1).unwrap_err();
    let traffic = console.authorise(&viewer, "set_traffic", "off").unwrap_err();
    assert_eq!([key, pattern, cancel, traffic], [(); 4].map(|()| refused.clone()));
    assert_eq!(node.script().n_invalidations, 0);
    let audit = console.audit();
    let actions: Vec<_> = audit.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["set_traffic", "cancel", "invalidate_pattern", "invalidate_key"]);
    assert!(audit.iter().all(|entry| entry.result == format!("Refused: {refusal}")));
    let somebody = who("sesame");
    assert!(console.invalidate_key(&somebody, "users", "1").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_newest_hundred_jobs_are_kept_and_running_ones_go_last() {
    let node = FakeNode::new("1");
    node.script().n_batches = 3_600;
    let console = console(&[node]);
    let running = console.invalidate_pattern(&operator(), "users", "*").await.unwrap();
    for _ in 0..150 {
        console.invalidate_key(&operator(), "users", "1").await.unwrap();
    }
    let ids: Vec<_> = console.jobs().iter().map(|job| job.id).collect();
    assert_eq!((ids.len(), ids[0], ids[99]), (100, 151, running.id));
    assert_eq!(console.job(2).unwrap_err(), ConsoleError::UnknownJob(2));
}
