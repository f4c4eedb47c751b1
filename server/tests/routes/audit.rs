use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use strata_server::RedisChoice;

use strata_testing::RedisServer;
use tokio::time::timeout;

use crate::support::{PATIENCE, Running, request, start};

async fn newest(running: &Running) -> Value {
    running.get("/api/v1/audit").await.json()["entries"][0].clone()
}

#[tokio::test]
async fn changes_through_the_demo_are_in_the_trail() {
    let running = start(|_| {}).await;
    let changes = [
        (Method::PUT, "/demo/users/1", json!({ "name": "Ada" })),
        (Method::PUT, "/demo/objects/7", json!({ "body": "new" })),
        (Method::DELETE, "/demo/posts/1", Value::Null),
    ];
    for (method, path, body) in changes {
        let answer = running.send(method.clone(), path, &body).await;
        assert!(answer.status.is_success(), "{path} {}", answer.text());
        let entry = newest(&running).await;
        assert_eq!(entry["action"], "write_demo", "{entry}");
        assert_eq!(entry["target"], format!("{method} {path}"), "{entry}");
        assert_eq!((&entry["actor"], &entry["result"]), (&json!("local"), &json!("Done.")));
    }
    running.send(Method::PUT, "/demo/users/999999", &json!({ "name": "Nobody" })).await;
    let failed = newest(&running).await;
    assert!(failed["result"].as_str().unwrap().starts_with("Failed: "), "{failed}");
}

#[tokio::test]
async fn a_changed_setting_is_told_with_what_it_was_before_at_both_doors() {
    let running = start(|_| {}).await;
    let wanted = json!({ "running": true, "rate_per_s": 7, "skew": 1.0, "write_share": 0.0 });
    running.send(Method::PUT, "/api/v1/demo/traffic", &wanted).await;
    let by_api = newest(&running).await["result"].as_str().unwrap().to_owned();
    assert!(by_api.starts_with("From stopped, "), "{by_api}");
    assert!(by_api.contains("to running, 7 requests/s"), "{by_api}");
    let form = request(Method::POST, "/api/strata/set_traffic")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from("running=false&rate_per_s=9&skew=1&write_share=0"));
    assert_eq!(running.ask(form.unwrap()).await.status, StatusCode::OK);
    let by_page = newest(&running).await["result"].as_str().unwrap().to_owned();
    assert!(by_page.starts_with("From running, 7 requests/s"), "{by_page}");
    assert!(by_page.contains("to stopped, 9 requests/s"), "{by_page}");
}

#[tokio::test]
async fn the_trail_says_where_it_lives_and_each_line_has_a_date() {
    let off = start(|_| {}).await;
    off.delete("/api/v1/caches/users/keys/1").await;
    assert_eq!(off.get("/api/v1/audit").await.json()["home"], "memory");
    let page = off.get("/activity").await;
    assert!(page.text().contains("a restart of Strata loses it"), "{}", page.text());
    assert!(page.text().contains("<time datetime=\"2"), "{}", page.text());
    let private = start(|settings| settings.redis = RedisChoice::Private).await;
    assert_eq!(private.get("/api/v1/audit").await.json()["home"], "private_redis");
    assert!(private.get("/activity").await.text().contains("a restart loses both"));
    private.demo.stop().await;
}

#[tokio::test]
async fn of_a_redis_that_may_evict_anything_the_trail_does_not_promise_to_survive() {
    for (policy, home, told) in [
        ("allkeys-lru", "evicting_redis", "which may evict it when memory runs short"),
        ("allkeys-random", "evicting_redis", "which may evict it when memory runs short"),
        ("volatile-lru", "redis", "so it survives a restart of Strata"),
        ("noeviction", "redis", "so it survives a restart of Strata"),
    ] {
        let redis =
            RedisServer::start_on_a_port(&["--maxmemory", "64mb", "--maxmemory-policy", policy])
                .await;
        let running = start(|settings| settings.redis = RedisChoice::Url(redis.url())).await;
        let is_known = async {
            while running.get("/api/v1/audit").await.json()["home"] != home {
                tokio::task::yield_now().await;
            }
        };
        assert!(timeout(PATIENCE, is_known).await.is_ok(), "{policy}");
        let page = running.get("/activity").await;
        assert!(page.text().contains(told), "{policy}: {}", page.text());
        running.demo.stop().await;
    }
}
