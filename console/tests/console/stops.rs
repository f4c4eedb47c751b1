//! What becomes of jobs when the program stops. Time is paused throughout.

use std::time::Duration;

use strata_console::Actor;
use strata_report::JobState;

use crate::support::{FakeNode, console, operator};

const PATIENCE: Duration = Duration::from_secs(3);

#[tokio::test(start_paused = true)]
async fn a_job_that_ends_in_time_is_awaited_and_audited() {
    let nodes = [FakeNode::new("1")];
    nodes[0].script().n_batches = 2;
    let console = console(&nodes);
    let job = console.invalidate_pattern(&operator(), "users", "*").await.unwrap();
    assert_eq!(console.n_running_jobs(), 1);
    console.end_jobs(PATIENCE).await;
    assert_eq!(console.job(job.id).unwrap().state, JobState::Done);
    assert_eq!(console.audit()[0].result, "Done: 0 entries from L1, 20 entries from L2.");
    assert_eq!(console.n_running_jobs(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_would_go_on_is_cancelled_and_audited() {
    let nodes = [FakeNode::new("1")];
    nodes[0].script().n_batches = 1_000;
    let console = console(&nodes);
    let job = console.invalidate_pattern(&operator(), "users", "*").await.unwrap();
    console.end_jobs(PATIENCE).await;
    let ended = console.job(job.id).unwrap();
    assert_eq!((ended.state, ended.cancel_asked), (JobState::Cancelled, true));
    assert!(console.audit()[0].result.starts_with("Cancelled: "), "{:?}", console.audit()[0]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_outlasts_the_stop_stands_in_the_trail_with_what_it_has_done() {
    let nodes = [FakeNode::new("1")];
    nodes[0].script().n_batches = 1_000;
    nodes[0].script().ignores_cancelling = true;
    let console = console(&nodes);
    let address = Some([192, 0, 2, 7].into());
    let olga = Actor { address, ..operator() };
    let job = console.invalidate_pattern(&olga, "users", "4*").await.unwrap();
    console.end_jobs(PATIENCE).await;
    assert_eq!(console.n_running_jobs(), 1);
    let trail = console.audit();
    assert!(trail[0].result.starts_with("Given up: "), "{:?}", trail[0]);
    assert!(trail[0].result.contains("entries were removed from L2"), "{:?}", trail[0]);
    assert_eq!((&*trail[0].action, &*trail[0].target), ("invalidate_pattern", "4*"));
    assert!(trail[1].begun, "{:?}", trail[1]);
    assert_eq!(trail[0].address, trail[1].address);
    assert_eq!(trail[0].address, "192.0.2.7");
    console.finished(job.id, Duration::from_secs(2_000)).await.unwrap();
    assert_eq!(console.n_running_jobs(), 0);
    assert_eq!(console.audit().len(), trail.len(), "its end is told once");
}
