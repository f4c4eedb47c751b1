use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use strata_demo::{Store, UserEdit};
use strata_server::RedisChoice;
use tokio::time::{sleep, timeout};

use crate::support::{Answer, PATIENCE, Running, request, start};

async fn get_from(running: &Running, node: u8, path: &str) -> Answer {
    let asked = request(Method::GET, path).header("x-strata-node", node.to_string());
    running.ask(asked.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn the_caches_of_the_demo_are_listed_with_their_numbers() {
    let running = start(|_| {}).await;
    let caches = running.get("/api/v1/caches").await.json();
    let names: Vec<&Value> =
        caches.as_array().unwrap().iter().map(|cache| &cache["report"]["cache"]).collect();
    assert_eq!(names, ["users", "posts", "timelines", "objects"]);
    let users = running.get("/api/v1/caches/users").await.json();
    assert_eq!(users["report"]["outcomes"]["l1_hit"], 0);
    let nodes = running.get("/api/v1/nodes").await.json();
    assert_eq!(nodes[0]["node"], "1");
}

#[tokio::test]
async fn one_key_is_seen_in_every_level_and_gone_after_it_was_invalidated() {
    let running = start(|settings| settings.redis = RedisChoice::Private).await;
    running.get("/demo/users/4").await;
    let look = running.get("/api/v1/caches/users/keys/4").await.json();
    assert_eq!(look["l1"][0]["entry"]["fresh"], true, "{look}");
    assert_eq!(look["l2"]["state"], "entry", "{look}");
    let done = running.delete("/api/v1/caches/users/keys/4").await;
    assert_eq!(done.status, StatusCode::OK);
    let job = done.json();
    assert_eq!((&job["state"], &job["l2_removed"]), (&json!("done"), &json!(1)), "{job}");
    let look = running.get("/api/v1/caches/users/keys/4").await.json();
    assert!(look["l1"][0]["entry"].is_null(), "{look}");
    assert_eq!(look["l2"]["state"], "absent", "{look}");
    running.demo.stop().await;
}

#[tokio::test]
async fn a_pattern_is_planned_run_and_watched() {
    let running = start(|settings| settings.redis = RedisChoice::Private).await;
    for id in [1, 2, 40, 41, 42] {
        running.get(&format!("/demo/users/{id}")).await;
    }
    let pattern = json!({ "pattern": "4?" });
    let plan = running.send(Method::POST, "/api/v1/caches/users/plans", &pattern).await.json();
    assert_eq!((&plan["l1"][0]["entries"], &plan["l2"]), (&json!(3), &json!(3)), "{plan}");
    let begun = running.send(Method::POST, "/api/v1/caches/users/invalidations", &pattern).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED);
    let job = ended(&running, begun.header("location")).await;
    assert_eq!(job["state"], "done", "{job}");
    assert_eq!(job["l2_removed"], 3, "{job}");
    let all = json!({ "pattern": "*" });
    let left = running.send(Method::POST, "/api/v1/caches/users/plans", &all).await.json();
    assert_eq!(left["l2"], 2, "{left}");
    let audit = running.get("/api/v1/audit").await.json();
    assert_eq!(audit["entries"][0]["target"], "4?", "{audit}");
    running.demo.stop().await;
}

async fn ended(running: &Running, path: &str) -> Value {
    let ended = async {
        loop {
            let job = running.get(path).await.json();
            if job["state"] != "running" {
                return job;
            }
            sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, ended).await.unwrap()
}

#[tokio::test]
async fn the_traffic_can_be_changed_while_it_runs() {
    let running = start(|_| {}).await;
    let mut traffic = running.get("/api/v1/demo/traffic").await.json();
    assert_eq!(traffic["running"], false);
    traffic["running"] = json!(true);
    traffic["rate_per_s"] = json!(77);
    let changed = running.send(Method::PUT, "/api/v1/demo/traffic", &traffic).await;
    assert_eq!(changed.json(), traffic);
    assert_eq!(running.get("/api/v1/demo/traffic").await.json(), traffic);
    running.demo.stop().await;
}

#[tokio::test]
async fn a_local_caller_is_told_that_it_may_act() {
    let running = start(|_| {}).await;
    let session = running.get("/api/v1/session").await.json();
    assert_eq!((&session["role"], &session["refusal"]), (&json!("operator"), &Value::Null));
}

#[tokio::test]
async fn where_there_is_no_write_behind_there_are_no_dead_letters() {
    let running = start(|_| {}).await;
    assert_eq!(running.get("/api/v1/write-behinds").await.json(), json!([]));
    let letters = "/api/v1/caches/users/dead-letters";
    running.get(letters).await.is_problem(404, "no-write-behind");
    running.get("/api/v1/caches/cats/dead-letters").await.is_problem(404, "unknown-cache");
    running.get(&format!("{letters}?limit=0")).await.is_problem(400, "bad-limit");
    running.get(&format!("{letters}?key=[")).await.is_problem(400, "bad-pattern");
    running.get(&format!("{letters}/job")).await.is_problem(404, "no-dead-letter-job");
    running.delete(&format!("{letters}/job")).await.is_problem(404, "no-dead-letter-job");
    for action in ["redrive", "drop"] {
        let path = format!("{letters}/{action}");
        running.send(Method::POST, &path, &json!({})).await.is_problem(404, "no-write-behind");
        // A slip does not mean all of them.
        let slip = json!({ "keys": "4*" });
        running.send(Method::POST, &path, &slip).await.is_problem(422, "wrong-fields");
        for field in ["id", "node", "key", "reason"] {
            let empty = json!({ field: "" });
            running.send(Method::POST, &path, &empty).await.is_problem(400, "empty-field");
        }
    }
    for field in ["id", "node", "key", "reason"] {
        running.get(&format!("{letters}?{field}=")).await.is_problem(400, "empty-field");
    }
}

#[tokio::test]
async fn after_a_refresh_no_node_answers_with_the_older_value_and_the_job_claims_no_more() {
    const USER: &str = "/demo/users/4";
    let mut folder = None;
    let running = start(|settings| {
        settings.redis = RedisChoice::Private;
        settings.nodes = 3;
        folder = Some(settings.data_dir.clone());
    })
    .await;
    let all_hold_it = async {
        for node in 1..=3 {
            let holds = async || {
                get_from(&running, node, USER).await.header("cache-status").contains("l1; hit")
            };
            while !holds().await {
                sleep(std::time::Duration::from_millis(5)).await;
            }
        }
    };
    timeout(PATIENCE, all_hold_it).await.unwrap();
    let database = Store::open(None, &folder.unwrap()).await.unwrap();
    let edit = UserEdit { name: Some("Behind the caches".to_owned()), ..UserEdit::default() };
    database.put_user(4, &edit).await.unwrap();
    let refresh = "/api/v1/caches/users/keys/4/refresh";
    let job = running.send(Method::POST, refresh, &json!({})).await.json();
    assert_eq!(job["state"], "done", "{job}");
    for place in job["refreshed"].as_array().unwrap() {
        assert!(["loaded", "removed"].contains(&place["state"].as_str().unwrap()), "{job}");
    }
    for node in 1..=3 {
        let read = get_from(&running, node, USER).await;
        assert_eq!(read.json()["name"], "Behind the caches", "node {node}: {job} {read:?}");
    }
    database.close().await;
    running.demo.stop().await;
}
