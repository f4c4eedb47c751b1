//! Each background task of the program is ended in turn: `/readyz`, an alert and the metrics say
//! so, and it starts again.

use axum::http::StatusCode;
use serde_json::Value;
use strata_server::{RedisChoice, TrafficMode};
use tokio::time::{sleep, timeout};

use crate::private_redis::kill;
use crate::support::{PATIENCE, Running, start};

async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let all = async {
        while !holds().await {
            sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    assert!(timeout(PATIENCE, all).await.is_ok(), "{what}");
}

async fn down(running: &Running, task: &str) -> Option<Value> {
    let ready = running.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::OK, "requests are answered all the same");
    let tasks = ready.json()["tasks_down"].as_array().unwrap().clone();
    tasks.into_iter().find(|down| down["task"] == task)
}

async fn failures(running: &Running, task: &str) -> u64 {
    let series = format!("strata_task_failures_total{{task=\"{task}\"}} ");
    let metrics = running.get("/metrics").await;
    let found = metrics.text().lines().find_map(|line| line.strip_prefix(&series)).unwrap();
    found.parse().unwrap()
}

async fn is_alerted(running: &Running, task: &str) -> bool {
    let alerts = running.get("/api/v1/alerts").await.json().to_string();
    alerts.contains(&format!("The task {task} of the dashboard "))
}

/// Ends the task again and again, so that its pauses grow, until it is seen to rest.
async fn end(running: &Running, task: &str) {
    assert_eq!(failures(running, task).await, 0, "{task}");
    until(&format!("{task} is down"), async || {
        running.demo.tasks().abort(task);
        let Some(down) = down(running, task).await else { return false };
        assert_eq!(down["node"], Value::Null);
        assert_eq!(down["state"], "restarting");
        assert_eq!(down["because"], "it ended before its time");
        down["since_ms"].as_u64().is_some_and(|since_ms| since_ms > 0)
    })
    .await;
    until(&format!("{task} runs again"), async || down(running, task).await.is_none()).await;
    assert!(failures(running, task).await > 0, "{task}");
    until(&format!("{task} is alerted"), async || is_alerted(running, task).await).await;
}

#[tokio::test]
async fn each_task_of_the_program_that_ends_is_told_of_and_starts_again() {
    let running = start(|settings| {
        settings.redis = RedisChoice::Private;
        settings.traffic = TrafficMode::Steady;
    })
    .await;
    for task in ["sampler", "redis state", "census", "attached census", "audit", "traffic"] {
        end(&running, task).await;
    }
    running.demo.stop().await;
}

#[tokio::test]
async fn a_keeper_of_the_private_redis_that_ended_goes_on_keeping_it() {
    let running = start(|settings| settings.redis = RedisChoice::Private).await;
    let pid = running.demo.redis_pid().unwrap();
    end(&running, "private redis").await;
    assert_eq!(running.demo.redis_pid(), Some(pid), "the server itself went on");
    kill("-KILL", pid);
    until("another server runs", async || running.demo.redis_pid().is_some_and(|now| now != pid))
        .await;
    let last = running.demo.redis_pid().unwrap();
    running.demo.stop().await;
    assert!(!crate::private_redis::is_alive(last));
}

#[tokio::test]
async fn readiness_says_what_each_node_knows_of_its_way_to_redis() {
    let running = start(|_| {}).await;
    let node = running.get("/readyz").await.json()["nodes"][0].clone();
    assert!(node["at_ms"].as_u64().is_some_and(|at_ms| at_ms > 0));
    for told in ["bus_silent_since_ms", "bus_silent_because", "l2_last_error", "l2_server"] {
        assert!(node.get(told).is_some_and(Value::is_null), "{told} without Redis");
    }
}
