//! Processes that come, are killed, and come again.

use std::time::Duration;

use serde_json::Value;
use strata_testing::RedisServer;
use tokio::time::Instant;

use super::pod::{NAMESPACE, Pod};
use super::{Dashboard, OPERATOR, row, until};
use crate::private_redis::kill;

/// How many reads ended in each second of the last minute, oldest first, from the first one on.
async fn reads_by_second(dashboard: &Dashboard) -> Vec<u64> {
    let history = dashboard.json("/api/v1/history?range=1m").await;
    let steps = history["steps"].as_array().unwrap();
    let reads = |step: &Value| {
        let outcomes = step["point"]["outcomes"].as_array().unwrap();
        outcomes.iter().map(|count| count.as_u64().unwrap()).sum::<u64>()
    };
    steps.iter().map(reads).skip_while(|reads| *reads == 0).collect()
}

#[tokio::test]
async fn a_killed_process_is_late_then_lost_and_up_again_under_a_new_run() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let mut pods = Vec::new();
    for node in ["pod-1", "pod-2", "pod-3"] {
        pods.push(Pod::start(&url, node).await);
    }
    let options = ["--redis-url", &url, "--namespace", NAMESPACE, "--expect", "shop-api=3"];
    let dashboard = Dashboard::start(&options).await;
    dashboard.until_counted(3, 3).await;
    let rows = dashboard.rows().await;
    let run = row(&rows, "pod-3")["presence"]["run"].clone();
    assert_eq!(row(&rows, "pod-3")["presence"]["pid"], pods[2].id());
    assert!(!dashboard.has_alert("nodes_missing").await);
    until("there are some seconds of reads", async || reads_by_second(&dashboard).await.len() > 3)
        .await;

    pods.pop().unwrap().kill().await;
    let killed = Instant::now();
    let mut states: Vec<Value> = Vec::new();
    until("it is lost", async || {
        let rows = dashboard.rows().await;
        states.push(row(&rows, "pod-3")["presence"]["state"].clone());
        states.last().unwrap() == "lost"
    })
    .await;
    assert!(states.iter().any(|state| state == "late"), "{states:?}");
    assert!(killed.elapsed() < Duration::from_secs(20), "{:?}", killed.elapsed());
    dashboard.until_counted(2, 3).await;
    assert!(dashboard.page("/nodes").await.contains("of 2 of 3 nodes"));
    until("it is told", async || dashboard.has_alert("node_gone").await).await;
    assert!(dashboard.has_alert("nodes_missing").await);
    let reads = reads_by_second(&dashboard).await;
    assert!(!reads.contains(&0), "nothing dips to zero: {reads:?}");
    let frozen = dashboard.rows().await;
    assert_eq!(row(&frozen, "pod-3")["heard"], false);
    assert!(row(&frozen, "pod-3")["caches"][0]["l1_entries"].as_u64() > Some(0), "as it was last");

    let _again = Pod::start(&url, "pod-3").await;
    dashboard.until_counted(3, 3).await;
    let rows = dashboard.rows().await;
    assert_eq!(row(&rows, "pod-3")["presence"]["state"], "up");
    assert_ne!(row(&rows, "pod-3")["presence"]["run"], run, "another run");
    until("all is well", async || !dashboard.has_alert("node_gone").await).await;
}

#[tokio::test]
async fn a_key_that_the_dashboard_invalidates_is_gone_in_every_process() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let mut pods = Vec::new();
    for node in ["pod-1", "pod-2", "pod-3"] {
        pods.push(Pod::start(&url, node).await);
    }
    for pod in &mut pods {
        pod.read(42).await;
        assert!(pod.has(42).await);
    }
    // Without a namespace it watches the one that nodes announce.
    let dashboard = Dashboard::start(&["--redis-url", &url, "--operator-token", OPERATOR]).await;
    dashboard.until_counted(3, 3).await;
    until("the cache is there", async || {
        dashboard.json("/api/v1/caches").await.to_string().contains("users")
    })
    .await;
    let path = "/api/v1/caches/users/keys/42";
    let look = dashboard.json(path).await;
    assert_eq!(look["l1"].as_array().unwrap().len(), 3, "{look}");
    let (status, said) = dashboard.ask("DELETE", path, None).await;
    assert_eq!(status, 403, "{said}");
    assert!(pods[0].has(42).await);
    let (status, job) = dashboard.ask("DELETE", path, Some(OPERATOR)).await;
    assert_eq!(status, 200, "{job}");
    let job: Value = serde_json::from_str(&job).unwrap();
    assert_eq!((&job["heard"]["nodes"], &job["heard"]["of"]), (&3.into(), &3.into()), "{job}");
    for pod in &mut pods {
        assert!(!pod.has(42).await);
    }
    let audit = dashboard.json("/api/v1/audit").await.to_string();
    assert!(audit.contains("heard by 3 of 3 nodes"), "{audit}");

    // One that stands still is up or late for a while, and answers nothing.
    kill("-STOP", pods[2].id());
    let look = dashboard.json(path).await;
    kill("-CONT", pods[2].id());
    let said = look["partial"].as_str().unwrap().to_owned();
    assert!(said.starts_with("2 of 3 nodes answered; silent: pod-3 (last heard "), "{said}");
}
