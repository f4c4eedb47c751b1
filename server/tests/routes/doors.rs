//! Who may what, at every door. The doors are those that the program itself lists.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::Value;
use strata_server::{Route, RouteKind, Settings};

use crate::support::{Answer, Running, from, log_in, request, start, tokens};

/// What is sent and changes nothing that others see. Whatever else can be sent asks for a right.
const HARMLESS: [&str; 9] = [
    "/api/strata/draw",
    "/api/strata/forget_progress",
    "/api/strata/log_in",
    "/api/strata/log_out",
    "/api/strata/session",
    "/api/strata/traffic",
    "/api/v1/caches/{cache}/plans",
    "/login",
    "/logout",
];

/// What anybody may see where viewers have tokens.
const OPEN: [&str; 3] = ["/healthz", "/login", "/readyz"];

fn with_tokens(settings: &mut Settings) {
    settings.operators = tokens("anna:sesame");
}

fn with_viewers(settings: &mut Settings) {
    with_tokens(settings);
    settings.viewers = tokens("ben:peep");
}

fn of_kind(running: &Running, kind: RouteKind) -> Vec<Route> {
    let routes = running.demo.routes().into_iter();
    routes.filter(|route| route.kind == kind).collect()
}

/// A request with fields that make no sense: whoever looks at them before the right answers 4xx of
/// another kind.
fn senseless(route: &Route, headers: &[(&str, &str)]) -> Request<Body> {
    let parts = [("{cache}", "users"), ("{key}", "1"), ("{id}", "1"), ("{user}", "1")];
    let path = parts.iter().fold(route.path.clone(), |path, (part, text)| path.replace(part, text));
    let kind = match path.starts_with("/api/strata/") {
        true => "application/x-www-form-urlencoded",
        false => "application/json",
    };
    let asked = request(route.method.clone(), &path).header(header::CONTENT_TYPE, kind);
    let asked = headers.iter().fold(asked, |asked, (name, value)| asked.header(*name, *value));
    asked.body(Body::from("{\"what?")).unwrap()
}

async fn ask_everywhere(running: &Running, headers: &[(&str, &str)]) -> Vec<(Route, Answer)> {
    let mut answers = Vec::new();
    for route in of_kind(running, RouteKind::Change) {
        let answer = running.ask(senseless(&route, headers)).await;
        answers.push((route, answer));
    }
    assert!(answers.len() > 25, "{answers:?}");
    answers
}

async fn every_door_refuses(running: &Running, headers: &[(&str, &str)], why: &str) {
    for (route, answer) in ask_everywhere(running, headers).await {
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{route:?} {headers:?} {}", answer.text());
        assert!(answer.text().contains(why), "{route:?} {headers:?} {}", answer.text());
    }
}

async fn every_door_lets_pass(running: &Running, headers: &[(&str, &str)]) {
    for (route, answer) in ask_everywhere(running, headers).await {
        let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
        assert!(!refused.contains(&answer.status), "{route:?} {headers:?} {}", answer.text());
    }
}

#[tokio::test]
async fn with_a_token_only_the_operator_passes_any_door_that_changes_something() {
    let running = start(with_tokens).await;
    every_door_refuses(&running, &[], "Log in").await;
    every_door_refuses(&running, &[("authorization", "Bearer guess")], "no longer").await;
    every_door_refuses(&running, &[("cookie", "strata_session_3000=guess")], "has ended").await;
    let cookie = log_in(&running, "sesame").await;
    every_door_lets_pass(&running, &[("cookie", &cookie)]).await;
    every_door_lets_pass(&running, &[("authorization", "Bearer sesame")]).await;
    every_door_lets_pass(&running, &[("authorization", "Bearer anna:sesame")]).await;
}

#[tokio::test]
async fn a_viewer_passes_no_door_that_changes_something() {
    let running = start(with_viewers).await;
    let cookie = log_in(&running, "peep").await;
    every_door_refuses(&running, &[("cookie", &cookie)], "Only an operator").await;
    every_door_refuses(&running, &[("authorization", "Bearer peep")], "Only an operator").await;
    for (route, answer) in ask_everywhere(&running, &[]).await {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{route:?} {}", answer.text());
    }
}

#[tokio::test]
async fn under_read_only_nobody_passes_a_door_that_changes_something() {
    let running = start(|settings| {
        with_tokens(settings);
        settings.read_only = true;
    })
    .await;
    for headers in [&[][..], &[("authorization", "Bearer sesame")]] {
        every_door_refuses(&running, headers, "--read-only").await;
    }
}

#[tokio::test]
async fn without_a_token_only_what_comes_straight_from_this_machine_passes() {
    let running = start(|_| {}).await;
    for forwarded in
        [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=203.0.113.9"), ("via", "1.1 proxy")]
    {
        every_door_refuses(&running, &[forwarded], "--operator-token").await;
    }
    every_door_lets_pass(&running, &[]).await;
}

#[tokio::test]
async fn without_a_token_nobody_from_elsewhere_passes() {
    let running = start(|_| {}).await;
    for route in of_kind(&running, RouteKind::Change) {
        let mut asked = senseless(&route, &[]);
        asked.extensions_mut().insert(from("192.0.2.1:4711"));
        let answer = running.ask(asked).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{route:?} {}", answer.text());
    }
}

#[tokio::test]
async fn a_page_of_another_site_passes_no_door_not_even_an_operators() {
    let running = start(with_tokens).await;
    let cookie = log_in(&running, "sesame").await;
    for foreign in [("sec-fetch-site", "cross-site"), ("origin", "http://evil.test")] {
        every_door_refuses(&running, &[foreign, ("cookie", &cookie)], "another site").await;
    }
}

#[tokio::test]
async fn every_door_that_can_be_sent_something_is_either_guarded_or_known_to_be_harmless() {
    let running = start(|_| {}).await;
    let mut harmless: Vec<_> =
        of_kind(&running, RouteKind::Ask).into_iter().map(|route| route.path).collect();
    harmless.sort();
    assert_eq!(harmless, HARMLESS);
    let guarded = of_kind(&running, RouteKind::Change);
    let document = running.get("/api/v1/openapi.json").await.json();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in ["post", "put", "delete", "patch"] {
            let Some(Value::Object(_)) = methods.get(method) else { continue };
            let method: Method = method.to_uppercase().parse().unwrap();
            let is_guarded = guarded.iter().any(|one| one.path == *path && one.method == method);
            assert!(is_guarded || HARMLESS.contains(&path.as_str()), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn where_viewers_have_tokens_nobody_else_sees_anything_but_health_and_the_way_in() {
    let running = start(with_viewers).await;
    for route in of_kind(&running, RouteKind::Look) {
        let answer = running.ask(senseless(&route, &[])).await;
        let is_open = OPEN.contains(&route.path.as_str());
        assert_eq!(answer.status == StatusCode::UNAUTHORIZED, !is_open, "{route:?} {answer:?}");
        assert_eq!(answer.header("www-authenticate") == "Bearer", !is_open, "{route:?}");
        let viewer = running.respond(senseless(&route, &[("authorization", "Bearer peep")])).await;
        assert_ne!(viewer.status(), StatusCode::UNAUTHORIZED, "{route:?}");
    }
    for page in ["/", "/keys?cache=users", "/lab", "/nosuch"] {
        let asked = request(Method::GET, page).header(header::ACCEPT, "text/html");
        let answer = running.ask(asked.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{page}");
        assert!(answer.header("location").starts_with("/login?to=%2F"), "{answer:?}");
    }
}

#[tokio::test]
async fn values_are_hidden_from_viewers_unless_they_are_open() {
    const KEY: &str = "/api/v1/caches/users/keys/1";
    for open in [false, true] {
        let running = start(|settings| {
            with_tokens(settings);
            settings.open_values = open;
        })
        .await;
        let read = request(Method::GET, "/demo/users/1").header("x-strata-caller", "user:1");
        let name = running.ask(read.body(Body::empty()).unwrap()).await.json()["name"].clone();
        let name = name.as_str().unwrap().to_owned();
        let page = "/keys?cache=users&key=1";
        for path in [KEY, page] {
            let seen = running.get(path).await;
            assert_eq!(seen.text().contains(&name), open, "{path} {}", seen.text());
            let asked = request(Method::GET, path).header("authorization", "Bearer sesame");
            let operators = running.ask(asked.body(Body::empty()).unwrap()).await;
            assert!(operators.text().contains(&name), "{path} {}", operators.text());
        }
        let look = running.get(KEY).await.json();
        let entry = &look["l1"][0]["entry"];
        assert_eq!(entry["value_hidden"].as_bool().unwrap_or(false), !open, "{look}");
        assert_eq!(look["source"]["state"], if open { "value" } else { "hidden" }, "{look}");
    }
}
