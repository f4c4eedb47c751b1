use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use strata_server::RedisChoice;

use crate::support::{Answer, Running, request, start, with_json};

async fn get_from(running: &Running, node: &str, path: &str) -> Answer {
    let asked = request(Method::GET, path).header("x-strata-node", node);
    running.ask(asked.body(Body::empty()).unwrap()).await
}

async fn get_as(running: &Running, caller: &str, path: &str) -> Answer {
    let asked = request(Method::GET, path).header("x-strata-caller", caller);
    running.ask(asked.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn an_answer_tells_how_it_came_about() {
    let running = start(|_| {}).await;
    let first = running.get("/demo/users/17").await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(first.json()["id"], 17);
    assert!(first.header("cache-status").contains("fwd=uri-miss; stored"), "{first:?}");
    let second = running.get("/demo/users/17").await;
    assert!(second.header("cache-status").starts_with("strata-l1; hit; ttl="), "{second:?}");
    assert!(second.header("cache-status").contains("key=\"users:17\""));
    assert!(second.header("server-timing").contains("total;dur="));
    assert_eq!(second.header("x-strata-node"), "1");
    assert_eq!(second.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_client_may_go_around_the_cache() {
    let running = start(|_| {}).await;
    running.get("/demo/users/3").await;
    let asked = request(Method::GET, "/demo/users/3").header(header::CACHE_CONTROL, "no-cache");
    let answer = running.ask(asked.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("cache-status").contains("fwd=request"), "{answer:?}");
}

#[tokio::test]
async fn every_kind_of_thing_can_be_read() {
    let running = start(|_| {}).await;
    assert_eq!(running.get("/demo/posts/1").await.json()["id"], 1);
    assert_eq!(running.get("/demo/objects/a%2Fb").await.json()["key"], "a/b");
    let page = running.get("/demo/timelines/1?page=1").await;
    assert_eq!(page.json()["author_id"], 1);
    let batch = running.get("/demo/users?ids=2,999999,1").await.json();
    let ids: Vec<&Value> = batch.as_array().unwrap().iter().map(|user| &user["id"]).collect();
    assert_eq!(ids, [&json!(2), &Value::Null, &json!(1)]);
}

#[tokio::test]
async fn what_was_made_can_be_read_changed_and_removed() {
    let running = start(|_| {}).await;
    let draft = json!({ "name": "Ada", "email": "ada@example.test" });
    let made = running.send(Method::POST, "/demo/users", &draft).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let path = made.header("location").to_owned();
    assert_eq!(running.get(&path).await.json()["name"], "Ada");
    let changed = running.send(Method::PUT, &path, &json!({ "name": "Ada L." })).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_eq!(running.get(&path).await.json()["name"], "Ada L.");
    assert_eq!(changed.header("cache-status"), "strata; fwd=method");
    let removed = running.delete(&path).await;
    assert_eq!((removed.status, removed.text()), (StatusCode::NO_CONTENT, ""));
    let missing = running.get(&path).await;
    missing.is_problem(404, "not-found");
    for header in ["cache-status", "server-timing", "x-strata-node"] {
        assert_ne!(missing.header(header), "", "{header}");
    }
}

#[tokio::test]
async fn a_change_to_an_older_version_is_refused() {
    let running = start(|_| {}).await;
    let edit = json!({ "name": "New", "version": 1 });
    assert_eq!(running.send(Method::PUT, "/demo/users/5", &edit).await.status, StatusCode::OK);
    running.send(Method::PUT, "/demo/users/5", &edit).await.is_problem(409, "conflict");
}

#[tokio::test]
async fn callers_see_and_change_only_what_is_theirs() {
    let running = start(|_| {}).await;
    assert!(get_as(&running, "user:7", "/demo/users/7").await.json()["email"].is_string());
    assert!(get_as(&running, "user:8", "/demo/users/7").await.json()["email"].is_null());
    assert!(get_as(&running, "guest", "/demo/users/7").await.json()["email"].is_null());
    let asked = request(Method::PUT, "/demo/users/7").header("x-strata-caller", "user:8");
    let refused = running.ask(with_json(asked, &json!({ "name": "Mallory" }))).await;
    refused.is_problem(403, "forbidden");
    assert_ne!(running.get("/demo/users/7").await.json()["name"], "Mallory");
}

#[tokio::test]
async fn nodes_take_turns_unless_one_is_named() {
    let running = start(|settings| settings.nodes = 3).await;
    let mut turns = Vec::new();
    for _ in 0..3 {
        turns.push(running.get("/demo/users/1").await.header("x-strata-node").to_owned());
    }
    turns.sort();
    assert_eq!(turns, ["1", "2", "3"]);
    for _ in 0..3 {
        let answer = get_from(&running, "2", "/demo/users/1").await;
        assert_eq!(answer.header("x-strata-node"), "2");
    }
    get_from(&running, "4", "/demo/users/1").await.is_problem(400, "unknown-node");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_is_never_followed_by_the_older_value() {
    let running = start(|settings| {
        settings.nodes = 3;
        settings.redis = RedisChoice::Private;
    })
    .await;
    for round in 0..120 {
        let writer = (round % 3 + 1).to_string();
        let name = format!("round {round}");
        // Every node holds the older value when the write comes.
        for node in ["1", "2", "3"] {
            get_from(&running, node, "/demo/users/9").await;
        }
        let asked = request(Method::PUT, "/demo/users/9").header("x-strata-node", &writer);
        let written = running.ask(with_json(asked, &json!({ "name": name }))).await;
        assert_eq!(written.status, StatusCode::OK, "{written:?}");
        for node in [writer.as_str(), "1", "2", "3"] {
            let seen = get_from(&running, node, "/demo/users/9").await.json();
            assert_eq!(seen["name"], name.as_str(), "node {node} in round {round}");
        }
    }
    running.demo.stop().await;
}
