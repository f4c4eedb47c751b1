//! The console as HTTP: history, plans, keys, activity, nodes.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use strata_server::{RedisChoice, Settings};
use tokio::time::{Duration, sleep, timeout};

use crate::support::{PATIENCE, Running, request, start, tokens, with_json};

fn with_redis(settings: &mut Settings) {
    settings.redis = RedisChoice::Private;
    settings.nodes = 2;
}

async fn reads(running: &Running, ids: impl Iterator<Item = u64>) {
    for id in ids {
        running.get(&format!("/demo/users/{id}")).await;
    }
}

async fn post(running: &Running, path: &str, json: Value) -> crate::support::Answer {
    running.send(Method::POST, path, &json).await
}

async fn ended(running: &Running, path: &str) -> Value {
    let ended = async {
        loop {
            let job = running.get(path).await.json();
            if job["state"] != "running" {
                return job;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, ended).await.unwrap()
}

#[tokio::test]
async fn the_history_of_a_range_adds_up_to_the_reads() {
    let running = start(|_| {}).await;
    reads(&running, 1..=10).await;
    let counted = async {
        loop {
            let past = running.get("/api/v1/caches/users/history?range=1m").await.json();
            let steps = past["steps"].as_array().unwrap();
            let outcomes = |step: &Value| step["point"]["outcomes"].as_array().unwrap().clone();
            let all = steps.iter().flat_map(outcomes).filter_map(|n| n.as_u64());
            if all.sum::<u64>() == 10 {
                return past;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let past = timeout(PATIENCE, counted).await.unwrap();
    assert_eq!((&past["range"], &past["step_ms"]), (&json!("1m"), &json!(1_000)));
    let csv = running.get("/api/v1/history?range=2h&format=csv").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.text().contains("point.at_ms"), "{}", csv.text());
}

#[tokio::test]
async fn a_plan_is_confirmed_run_and_reported_per_level_and_node() {
    let running = start(with_redis).await;
    reads(&running, [1, 2, 40, 41, 42].into_iter()).await;
    let plan = post(&running, "/api/v1/caches/users/plans", json!({ "pattern": "*" })).await.json();
    assert_eq!((&plan["l2"], &plan["type_again"]), (&json!(5), &json!(true)), "{plan}");
    let run = format!("/api/v1/plans/{}/run", plan["id"].as_str().unwrap());
    post(&running, &run, json!({})).await.is_problem(409, "not-confirmed");
    post(&running, &run, json!({ "typed": "4*" })).await.is_problem(409, "not-confirmed");
    let begun = post(&running, &run, json!({ "typed": "*" })).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.text());
    let location = begun.header("location").to_owned();
    let job = ended(&running, &location).await;
    assert_eq!((&job["state"], &job["l2_removed"]), (&json!("done"), &json!(5)), "{job}");
    let csv = running.get(&format!("{location}?format=csv")).await;
    assert_eq!(csv.text().lines().count(), 4, "two nodes and L2: {}", csv.text());
    assert!(csv.header("content-disposition").contains("attachment"));
    let again = post(&running, &run, json!({ "typed": "*" })).await.json();
    assert_eq!(again["id"], job["id"], "run twice");
    let cancelled = running.delete(&location).await.json();
    assert_eq!(running.delete(&location).await.json(), cancelled, "cancelled twice");
    post(&running, "/api/v1/plans/nosuch/run", json!({})).await.is_problem(404, "unknown-plan");
    running.demo.stop().await;
}

#[tokio::test]
async fn protected_keys_stay_and_the_refusal_is_in_the_trail() {
    let protect = |settings: &mut Settings| {
        settings.protected = vec!["users:7".parse().unwrap()];
    };
    let running = start(protect).await;
    reads(&running, [7].into_iter()).await;
    running.delete("/api/v1/caches/users/keys/7").await.is_problem(403, "protected");
    let all = json!({ "pattern": "*" });
    post(&running, "/api/v1/caches/users/invalidations", all).await.is_problem(403, "protected");
    let look = running.get("/api/v1/caches/users/keys/7").await.json();
    assert_eq!(look["l1"][0]["entry"]["fresh"], true, "{look}");
    let trail = running.get("/api/v1/audit").await.json();
    assert_eq!((&trail["entries"][0]["refused"], &trail["next"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn a_viewer_and_a_read_only_program_refuse_every_change() {
    let token = start(|settings| settings.operators = tokens("sesame")).await;
    let read_only = start(|settings| settings.read_only = true).await;
    for running in [token, read_only] {
        let plan = post(&running, "/api/v1/caches/users/plans", json!({ "pattern": "4*" })).await;
        let run = format!("/api/v1/plans/{}/run", plan.json()["id"].as_str().unwrap());
        for path in [
            run.as_str(),
            "/api/v1/caches/users/keys/1/soften",
            "/api/v1/caches/users/keys/1/refresh",
            "/api/v1/caches/users/dead-letters/redrive",
            "/api/v1/caches/users/dead-letters/drop",
        ] {
            post(&running, path, json!({})).await.is_problem(403, "refused");
        }
        running.delete("/api/v1/caches/users/keys/1").await.is_problem(403, "refused");
        running.delete("/api/v1/invalidations/1").await.is_problem(403, "refused");
        let job = "/api/v1/caches/users/dead-letters/job";
        running.delete(job).await.is_problem(403, "refused");
        let trail = running.get("/api/v1/audit").await.json();
        assert_eq!(trail["entries"].as_array().unwrap().len(), 8, "{trail}");
    }
}

#[tokio::test]
async fn keys_are_found_in_both_levels_page_by_page() {
    let running = start(with_redis).await;
    reads(&running, 1..=30).await;
    let mut found = Vec::new();
    let mut path = "/api/v1/caches/users/keys?limit=7".to_owned();
    loop {
        let page = running.get(&path).await.json();
        let rows = page["rows"].as_array().unwrap();
        found.extend(rows.iter().map(|row| row["key"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/caches/users/keys?limit=7&cursor={next}");
    }
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), 30, "{found:?}");
    running.get("/api/v1/caches/users/keys?limit=0").await.is_problem(400, "bad-limit");
    running.get("/api/v1/caches/users/keys?cursor=x").await.is_problem(400, "bad-cursor");
    running.get("/api/v1/caches/users/keys?pattern=%5B").await.is_problem(400, "bad-pattern");
    running.get("/api/v1/caches/users/keys?level=l3").await.is_problem(400, "bad-query");
    running.get("/api/v1/caches/cats/keys").await.is_problem(404, "unknown-cache");
    let nothing = running.get("/api/v1/caches/users/keys?pattern=nothing").await.json();
    assert_eq!((&nothing["rows"], &nothing["cut"]), (&json!([]), &json!(false)));
    running.demo.stop().await;
}

#[tokio::test]
async fn script_in_a_key_is_text_in_every_answer() {
    let running = start(|_| {}).await;
    let key = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    assert!(running.get(&format!("/demo/objects/{key}")).await.status.is_success());
    let look = running.get(&format!("/api/v1/caches/objects/keys/{key}")).await;
    assert_eq!(look.header("content-type"), "application/json");
    assert_eq!(look.header("x-content-type-options"), "nosniff");
    assert_eq!(look.json()["key"], "<script>alert(1)</script>");
    let csv = running.get("/api/v1/caches/objects/keys?format=csv").await;
    assert!(csv.header("content-type").starts_with("text/csv"));
    assert!(csv.header("content-disposition").starts_with("attachment"));
}

#[tokio::test]
async fn a_key_is_compared_with_the_database() {
    let running = start(with_redis).await;
    reads(&running, [4, 4].into_iter()).await;
    let look = running.get("/api/v1/caches/users/keys/4").await.json();
    assert_eq!(look["source"]["state"], "value", "{look}");
    assert_eq!((&look["l1"][0]["differs"], &look["l2_differs"]), (&json!(false), &json!(false)));
    assert_eq!(look["events"][0]["what"]["kind"], "loaded", "{look}");
    let agreement = running.get("/api/v1/caches/users/agreement").await.json();
    assert_eq!((&agreement["compared"], &agreement["differing"]), (&json!(1), &json!([])));
    running.demo.stop().await;
}

#[tokio::test]
async fn a_key_is_loaded_anew_and_nobody_is_left_without_it() {
    let running = start(with_redis).await;
    reads(&running, [4, 4].into_iter()).await;
    let job = post(&running, "/api/v1/caches/users/keys/4/refresh", json!({})).await.json();
    assert_eq!((&job["state"], &job["kind"]), (&json!("done"), &json!("refresh")), "{job}");
    let look = running.get("/api/v1/caches/users/keys/4").await.json();
    assert_eq!(look["l1"][0]["entry"]["fresh"], true, "{look}");
    let softened = post(&running, "/api/v1/caches/users/keys/4/soften", json!({})).await.json();
    assert_eq!(softened["kind"], "soften", "{softened}");
    let look = running.get("/api/v1/caches/users/keys/4").await.json();
    assert_eq!(look["l1"][0]["entry"]["fresh"], false, "{look}");
    running.demo.stop().await;
}

#[tokio::test]
async fn nodes_redis_alerts_and_activity_are_there() {
    let running = start(with_redis).await;
    reads(&running, 1..=4).await;
    let nodes = running.get("/api/v1/nodes/rows").await.json();
    assert_eq!(nodes["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(nodes["nodes"][0]["heard"], true);
    assert_eq!((&nodes["total"], nodes.get("next")), (&json!(2), None));
    let first = running.get("/api/v1/nodes/rows?limit=1").await;
    let link = first.headers[header::LINK].to_str().unwrap().to_owned();
    let next =
        link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
    let (first, second) = (first.json(), running.get(next).await);
    assert!(second.headers.get(header::LINK).is_none(), "there are two");
    let second = second.json();
    let ids = [&first, &second].map(|rows| rows["nodes"][0]["node"].clone());
    assert_eq!(ids, [&nodes["nodes"][0]["node"], &nodes["nodes"][1]["node"]].map(Clone::clone));
    assert_eq!((&first["total"], first["nodes"].as_array().unwrap().len()), (&json!(2), 1));
    running.get("/api/v1/nodes/rows?limit=0").await.is_problem(400, "bad-limit");
    running.get("/api/v1/nodes/rows?limit=1001").await.is_problem(400, "bad-limit");
    running.get("/api/v1/nodes/rows?state=cats").await.is_problem(400, "bad-query");
    let redis = running.get("/api/v1/redis").await.json();
    assert!(redis["server"]["clients"].as_u64() > Some(0), "{redis}");
    let report = running.get("/api/v1/caches/users/report").await.json();
    assert_eq!(report["expiries"]["entries"], 4, "{report}");
    assert!(running.get("/api/v1/alerts").await.json().is_array());
    let activity = running.get("/api/v1/activity?kinds=node,bus").await.json();
    assert!(activity["events"].is_array(), "{activity}");
    running.get("/api/v1/activity?kinds=cats").await.is_problem(400, "bad-query");
    running.get("/api/v1/audit?limit=0").await.is_problem(400, "bad-limit");
    running.demo.stop().await;
}

#[tokio::test]
async fn ten_megabytes_foreign_pages_and_wrong_hosts_are_refused() {
    let running = start(|_| {}).await;
    let plans = "/api/v1/caches/users/plans";
    let huge = json!({ "pattern": "x".repeat(10_000_000) });
    post(&running, plans, huge).await.is_problem(413, "body-too-large");
    let long = json!({ "pattern": "x".repeat(600) });
    post(&running, plans, long).await.is_problem(400, "bad-pattern");
    let foreign = request(Method::POST, "/api/v1/caches/users/keys/1/soften")
        .header(header::ORIGIN, "https://evil.test")
        .header("sec-fetch-site", "cross-site");
    running.ask(foreign.body(Body::empty()).unwrap()).await.is_problem(403, "cross-site");
    let mut wrong = with_json(request(Method::POST, plans), &json!({ "pattern": "4*" }));
    wrong.headers_mut().insert(header::HOST, "evil.test".parse().unwrap());
    running.ask(wrong).await.is_problem(421, "wrong-host");
}

#[tokio::test]
async fn every_path_of_the_document_is_answered() {
    let running = start(|_| {}).await;
    let document = running.get("/api/v1/openapi.json").await.json();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 20, "{}", paths.len());
    for (path, operations) in paths {
        let path = path.replace("{cache}", "users").replace("{key}", "1").replace("{id}", "1");
        for method in operations.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let answer = running.ask(request(method, &path).body(Body::empty()).unwrap()).await;
            assert_ne!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
            assert!(!answer.text().contains("unknown-path"), "{path}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_parameter_that_is_unknown_is_refused_by_name() {
    let running = start(|_| {}).await;
    for (path, name) in [
        ("/api/v1/activity?kind=breaker", "kind"),
        ("/api/v1/caches/users/keys?patern=1*", "patern"),
        ("/api/v1/nodes?format=csv", "format"),
        ("/api/v1/caches/users/keys/1?level=l1", "level"),
    ] {
        let refused = running.get(path).await;
        refused.is_problem(400, "bad-query");
        let detail = running.get(path).await.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(&format!("\"{name}\"")), "{path}: {detail}");
    }
    assert!(running.get("/api/v1/activity?kinds=breaker").await.status.is_success());
}

#[tokio::test]
async fn every_key_can_be_looked_at_and_invalidated_whatever_it_is_made_of() {
    let running = start(|_| {}).await;
    let long = "k".repeat(1_024);
    for key in [".", "..", "a%2Fb%2F", "%20", "%3F%23%25", long.as_str()] {
        let filled = running.get(&format!("/demo/objects/{key}")).await;
        let path = format!("/api/v1/caches/objects/key?key={key}");
        let look = running.get(&path).await;
        assert_eq!(look.status, StatusCode::OK, "{key}: {}", look.text());
        // The demo's own path takes what a path can hold.
        let is_there = filled.status.is_success();
        assert_eq!(!look.json()["l1"][0]["entry"].is_null(), is_there, "{key}");
        let delete = request(Method::DELETE, &path).body(Body::empty()).unwrap();
        let job = running.ask(delete).await.json();
        assert_eq!((&job["state"], &job["scope"]), (&json!("done"), &json!("key")), "{key}: {job}");
        assert!(running.get(&path).await.json()["l1"][0]["entry"].is_null(), "{key}");
    }
    let none = request(Method::DELETE, "/api/v1/caches/objects/key?key=").body(Body::empty());
    running.ask(none.unwrap()).await.is_problem(400, "bad-key");
}

#[tokio::test]
async fn a_csv_link_is_csv_and_holds_all_that_the_page_shows() {
    let running = start(|_| {}).await;
    for key in 0..150 {
        running.get(&format!("/demo/objects/k{key}")).await;
    }
    let csv = running.get("/api/v1/caches/objects/keys?pattern=*&format=csv").await;
    assert_eq!(csv.text().lines().count(), 151);
    assert!(csv.text().starts_with('\u{feff}'), "Excel reads it as UTF-8");
    assert!(!csv.headers.contains_key(header::LINK));
    let cut = running.get("/api/v1/caches/objects/keys?pattern=*&limit=10&format=csv").await;
    assert!(cut.header("content-disposition").contains("keys-first-part.csv"));
    let link = cut.header("link");
    let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
    let rest = running.get(next.unwrap()).await;
    assert_eq!(rest.text().lines().count(), 11, "{next:?}");
    let redis = running.get("/api/v1/redis?format=csv").await;
    assert_eq!(redis.header("content-type"), "text/csv; charset=utf-8");
    assert!(redis.text().contains("state.configured,false"), "{}", redis.text());
}
