use axum::http::StatusCode;
use serde_json::json;
use strata_server::RedisChoice;

use crate::support::start;

#[tokio::test]
async fn a_running_program_is_alive_and_ready() {
    let running = start(|_| {}).await;
    assert_eq!(running.get("/healthz").await.json(), json!({ "status": "ok" }));
    let ready = running.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::OK);
    let state = ready.json();
    assert_eq!((&state["ready"], &state["database"]["up"]), (&json!(true), &json!(true)));
    assert_eq!(state["redis"], json!({ "state": "off", "private": false, "pid": null }));
}

#[tokio::test]
async fn without_its_database_the_program_is_not_ready() {
    let running = start(|_| {}).await;
    running.demo.stop().await;
    let ready = tower::ServiceExt::oneshot(
        running.router.clone(),
        crate::support::request(axum::http::Method::GET, "/readyz")
            .body(axum::body::Body::empty())
            .unwrap(),
    );
    assert_eq!(ready.await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_private_redis_is_named_by_its_process_id() {
    let running = start(|settings| settings.redis = RedisChoice::Private).await;
    let state = running.get("/readyz").await.json();
    assert_eq!(state["redis"]["private"], true);
    assert_eq!(state["redis"]["pid"], running.demo.redis_pid().unwrap());
    running.demo.stop().await;
}

#[tokio::test]
async fn a_redis_that_is_away_is_no_reason_not_to_be_ready() {
    let away = RedisChoice::Url("redis+unix:///nowhere/redis.sock".into());
    let running = start(|settings| settings.redis = away).await;
    let ready = running.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::OK);
    assert_eq!(ready.json()["redis"]["state"], "down");
    assert_eq!(running.get("/demo/users/1").await.status, StatusCode::OK);
}
