use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use strata_server::Settings;

use crate::support::{Answer, Running, log_in, request, start, start_at, tokens, with_json};

const CHANGES: [(Method, &str); 5] = [
    (Method::DELETE, "/api/v1/caches/users/keys/1"),
    (Method::POST, "/api/v1/caches/users/invalidations"),
    (Method::PUT, "/api/v1/demo/traffic"),
    (Method::PUT, "/demo/users/1"),
    (Method::DELETE, "/demo/users/1"),
];

/// Every change that there is, with a body that would do.
async fn try_every_change(running: &Running, extra: &[(&str, &str)]) -> Vec<Answer> {
    let traffic = running.get("/api/v1/demo/traffic").await.json();
    let mut answers = Vec::new();
    for (method, path) in CHANGES {
        let body = match path {
            "/api/v1/demo/traffic" => traffic.clone(),
            "/demo/users/1" => json!({ "name": "x" }),
            _ => json!({ "pattern": "1*" }),
        };
        let asked = extra
            .iter()
            .fold(request(method, path), |asked, (name, value)| asked.header(*name, *value));
        answers.push(running.ask(with_json(asked, &body)).await);
    }
    answers
}

fn with_token(settings: &mut Settings) {
    settings.operators = tokens("sesame");
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let running = start(|_| {}).await;
    let foreign: [&[(&str, &str)]; 3] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "http://evil.test")],
    ];
    for headers in foreign {
        for answer in try_every_change(&running, headers).await {
            answer.is_problem(403, "cross-site");
        }
    }
    let name = running.get("/demo/users/1").await.json()["name"].clone();
    assert_ne!(name, "x");
}

#[tokio::test]
async fn our_own_page_may_change_something() {
    let running = start(|_| {}).await;
    let own = [("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:3000")];
    for answer in try_every_change(&running, &own).await {
        assert!(answer.status.is_success(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_request_for_another_host_is_refused() {
    let running = start(|settings| settings.allowed_hosts = vec!["strata.test".into()]).await;
    let to = |host: &str| {
        Request::get("/api/v1/caches").header(header::HOST, host).body(Body::empty()).unwrap()
    };
    for host in ["evil.test", "evil.test:3000", "localhost.evil.test:3000"] {
        running.ask(to(host)).await.is_problem(421, "wrong-host");
    }
    for host in [
        "127.0.0.1:3000",
        "127.0.0.1:3001",
        "localhost:8080",
        "localhost.:3000",
        "[::1]:3000",
        "192.0.2.7",
        "strata.test",
    ] {
        assert_eq!(running.ask(to(host)).await.status, StatusCode::OK, "{host}");
    }
    let nowhere = Request::get("/").body(Body::empty()).unwrap();
    running.ask(nowhere).await.is_problem(421, "wrong-host");
}

#[tokio::test]
async fn read_only_refuses_every_change_even_with_the_token() {
    let running = start(|settings| {
        with_token(settings);
        settings.read_only = true;
    })
    .await;
    for answer in try_every_change(&running, &[("authorization", "Bearer sesame")]).await {
        answer.is_problem(403, "refused");
    }
    assert_eq!(running.get("/demo/users/1").await.status, StatusCode::OK);
    assert_eq!(running.get("/api/v1/session").await.json()["role"], "viewer");
}

#[tokio::test]
async fn with_a_token_only_who_presents_it_may_act() {
    let running = start(with_token).await;
    for wrong in
        [&[][..], &[("authorization", "Bearer guess")], &[("cookie", "strata_session_3000=sesame")]]
    {
        for answer in try_every_change(&running, wrong).await {
            answer.is_problem(403, "refused");
        }
    }
    let session = format!("a=b; {}", log_in(&running, "sesame").await);
    for right in [("authorization", "Bearer sesame"), ("cookie", session.as_str())] {
        let invalidated = &try_every_change(&running, &[right]).await[0];
        assert_eq!(invalidated.status, StatusCode::OK, "{invalidated:?}");
    }
}

#[tokio::test]
async fn who_is_no_operator_cannot_ask_as_admin() {
    let running = start(with_token).await;
    let asked = request(Method::GET, "/demo/users/1").header("x-strata-caller", "admin");
    let answer = running.ask(asked.body(Body::empty()).unwrap()).await;
    answer.is_problem(403, "not-an-operator");
    assert_eq!(running.get("/demo/users/1").await.json().get("email"), None::<&Value>);
}

#[tokio::test]
async fn an_address_that_others_reach_is_read_only_without_a_token() {
    let running = start_at("0.0.0.0:3000", |_| {}).await;
    for answer in try_every_change(&running, &[]).await {
        answer.is_problem(403, "refused");
    }
}

#[tokio::test]
async fn every_answer_says_that_its_type_must_not_be_guessed() {
    let running = start(|_| {}).await;
    for path in ["/", "/demo/users/1", "/api/nosuch", "/metrics"] {
        assert_eq!(running.get(path).await.header("x-content-type-options"), "nosniff", "{path}");
    }
}
