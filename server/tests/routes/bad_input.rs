use axum::body::Body;
use axum::http::{Method, header};
use serde_json::json;

use crate::support::{request, start, tokens, with_json};

#[tokio::test]
async fn what_cannot_be_found_or_read_is_a_problem_that_says_why() {
    let running = start(|_| {}).await;
    let cases = [
        ("/api/v1/caches/nosuch", 404, "unknown-cache"),
        ("/api/v1/caches/nosuch/keys/1", 404, "unknown-cache"),
        ("/api/v1/caches/users/keys/x", 400, "bad-key"),
        ("/api/v1/invalidations/999", 404, "unknown-invalidation"),
        ("/api/v1/invalidations/first", 400, "bad-path"),
        ("/api/v1/nosuch", 404, "unknown-path"),
        ("/api", 404, "unknown-path"),
        ("/demo/nosuch", 404, "unknown-path"),
        ("/pkg/nosuch.js", 404, "unknown-path"),
        ("/demo/users/999999", 404, "not-found"),
        ("/demo/users/-1", 400, "invalid"),
        ("/demo/users/x", 400, "bad-path"),
        ("/demo/users/%ff", 400, "bad-path"),
        ("/demo/users/99999999999999999999", 400, "bad-path"),
        ("/demo/users", 400, "bad-query"),
        ("/demo/users?ids=", 400, "bad-ids"),
        ("/demo/users?ids=1,two", 400, "bad-ids"),
        ("/demo/timelines/1?page=0", 400, "invalid"),
        ("/demo/timelines/1?page=x", 400, "bad-query"),
    ];
    for (path, status, kind) in cases {
        running.get(path).await.is_problem(status, kind);
    }
}

#[tokio::test]
async fn a_huge_list_of_ids_is_refused() {
    let running = start(|_| {}).await;
    let ids: Vec<String> = (1..=5_000).map(|id| id.to_string()).collect();
    running.get(&format!("/demo/users?ids={}", ids.join(","))).await.is_problem(400, "invalid");
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_refused_and_changes_nothing() {
    let running = start(|_| {}).await;
    let before = running.get("/demo/users/1").await.json();
    let json_put =
        || request(Method::PUT, "/demo/users/1").header(header::CONTENT_TYPE, "application/json");
    let cut_off = json_put().body(Body::from("{\"name\": \"x\"")).unwrap();
    running.ask(cut_off).await.is_problem(400, "malformed-json");
    let unknown_field = with_json(request(Method::PUT, "/demo/users/1"), &json!({ "nmae": "x" }));
    running.ask(unknown_field).await.is_problem(422, "wrong-fields");
    let plain = request(Method::PUT, "/demo/users/1").body(Body::from("{}")).unwrap();
    running.ask(plain).await.is_problem(415, "not-json");
    let huge = json!({ "name": "x".repeat(70_000) }).to_string();
    let announced = json_put().header(header::CONTENT_LENGTH, huge.len());
    let announced = announced.body(Body::from(huge.clone())).unwrap();
    running.ask(announced).await.is_problem(413, "body-too-large");
    let silent = json_put().body(Body::from(huge)).unwrap();
    running.ask(silent).await.is_problem(413, "body-too-large");
    let form = request(Method::POST, "/api/strata/log_in")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let silent = form.body(Body::from(format!("token={}", "x".repeat(70_000)))).unwrap();
    running.ask(silent).await.is_problem(413, "body-too-large");
    assert_eq!(running.get("/demo/users/1").await.json(), before);
}

#[tokio::test]
async fn a_form_without_its_fields_is_refused_by_their_names() {
    let running = start(|settings| settings.operators = tokens("anna:sesame")).await;
    let post = |path: &str, form: &'static str| {
        let asked = request(Method::POST, path)
            .header(header::AUTHORIZATION, "Bearer sesame")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        asked.body(Body::from(form)).unwrap()
    };
    let paths = running.demo.routes().into_iter().map(|route| route.path);
    let functions: Vec<_> = paths.filter(|path| path.starts_with("/api/strata/")).collect();
    assert!(functions.len() > 5, "{functions:?}");
    for path in &functions {
        for form in ["", "nonsense=1", "token=a&token=b&cache=a&cache=b"] {
            let answer = running.ask(post(path, form)).await;
            let status = answer.status.as_u16();
            assert!(status < 500, "{path} {form}: {status} {}", answer.text());
        }
    }
    let answer = running.ask(post("/api/strata/invalidate_key", "nonsense=1")).await;
    assert!(answer.text().contains("cache"), "{}", answer.text());
    for form in ["", "x=1", "token=a&token=b"] {
        let answer = running.ask(post("/login", form)).await;
        assert_eq!(answer.status.as_u16(), 422, "{form}");
        assert!(answer.text().contains("a field named token"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_pattern_or_traffic_that_makes_no_sense_is_refused() {
    let running = start(|_| {}).await;
    let empty = json!({ "pattern": "" });
    for door in ["plans", "invalidations"] {
        let path = format!("/api/v1/caches/users/{door}");
        running.send(Method::POST, &path, &empty).await.is_problem(400, "bad-pattern");
        let path = format!("/api/v1/caches/nosuch/{door}");
        let any = json!({ "pattern": "*" });
        running.send(Method::POST, &path, &any).await.is_problem(404, "unknown-cache");
    }
    let mut traffic = running.get("/api/v1/demo/traffic").await.json();
    traffic["write_share"] = json!(2.0);
    let refused = running.send(Method::PUT, "/api/v1/demo/traffic", &traffic).await;
    refused.is_problem(400, "bad-traffic");
}

#[tokio::test]
async fn a_method_that_is_not_offered_is_told_which_are() {
    let running = start(|_| {}).await;
    let cases = [
        (Method::PATCH, "/demo/users/1", ["GET", "PUT", "DELETE"].as_slice()),
        (Method::POST, "/api/v1/caches", &["GET"]),
        (Method::PUT, "/api/v1/caches/users/keys/1", &["GET", "DELETE"]),
        (Method::GET, "/api/v1/caches/users/plans", &["POST"]),
        (Method::POST, "/metrics", &["GET"]),
        (Method::POST, "/events", &["GET"]),
    ];
    for (method, path, offered) in cases {
        let answer = running.ask(request(method, path).body(Body::empty()).unwrap()).await;
        answer.is_problem(405, "method-not-allowed");
        for method in offered {
            assert!(answer.header("allow").contains(method), "{path}: {}", answer.header("allow"));
        }
    }
}

#[tokio::test]
async fn an_unknown_caller_is_refused() {
    let running = start(|_| {}).await;
    for caller in ["root", "user:0", "user:x", "ü"] {
        let asked = request(Method::GET, "/demo/users/1").header("x-strata-caller", caller);
        let answer = running.ask(asked.body(Body::empty()).unwrap()).await;
        answer.is_problem(400, "bad-caller");
    }
}

#[tokio::test]
async fn a_key_that_is_no_text_is_refused_and_no_other_is_meant() {
    let running = start(|_| {}).await;
    for bytes in ["%ff", "a%C3%28", "%ed%a0%80"] {
        for path in [
            format!("/api/v1/caches/objects/key?key={bytes}"),
            format!("/keys?cache=objects&key={bytes}"),
            format!("/api/v1/caches/objects/keys?pattern={bytes}*"),
        ] {
            running.get(&path).await.is_problem(400, "bad-query");
        }
        let key = format!("/api/v1/caches/objects/key?key={bytes}");
        running.delete(&key).await.is_problem(400, "bad-query");
        let path = format!("/api/v1/caches/objects/keys/{bytes}");
        assert_eq!(running.get(&path).await.status.as_u16(), 400, "{path}");
    }
}
