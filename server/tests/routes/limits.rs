//! Looks that cost much, at the doors of the program.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use futures::future::join_all;
use strata_server::RedisChoice;
use tokio::time::timeout;

use crate::support::{Answer, PATIENCE, Running, from, request, start, tokens};

const SEARCH: &str = "/api/v1/caches/users/keys?pattern=*";

async fn start_with_token() -> Running {
    let running = start(|settings| {
        settings.operators = tokens("sesame");
        settings.redis = RedisChoice::Private;
    })
    .await;
    redis_answers(&running).await;
    running
}

/// Waits until every node asks Redis, so that every search waits for it.
async fn redis_answers(running: &Running) {
    let all_ask = async || {
        let nodes = running.get("/readyz").await.json()["nodes"].clone();
        nodes.as_array().unwrap().iter().all(|node| node["l2_breaker_open"] == false)
    };
    let up = async {
        while !all_ask().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(timeout(PATIENCE, up).await.is_ok(), "Redis answers");
}

/// What an anonymous client at this address is answered.
async fn ask(running: &Running, (address, accept): (&str, &str), path: &str) -> Answer {
    let asked = request(Method::GET, path).header(header::ACCEPT, accept);
    let asked = asked.extension(from(&format!("{address}:1"))).body(Body::empty()).unwrap();
    running.ask(asked).await
}

fn refused(answers: &[Answer]) -> Vec<&Answer> {
    answers.iter().filter(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS).collect()
}

#[tokio::test]
async fn anonymous_searches_beyond_their_share_are_refused_and_others_wait_their_turn() {
    let running = start_with_token().await;
    let flood = join_all((0..20).map(|_| ask(&running, ("192.0.2.1", "*/*"), SEARCH)));
    let other = ask(&running, ("192.0.2.2", "*/*"), SEARCH);
    let (flood, other) = tokio::join!(flood, other);
    let refusals = refused(&flood);
    assert_eq!(refusals.len(), 12, "8 of one address are under way or wait");
    for refusal in refusals {
        refusal.is_problem(429, "busy");
        assert_eq!(refusal.header("retry-after"), "5");
        assert!(refusal.text().contains("Too many requests of yours"), "{refusal:?}");
    }
    assert_eq!(other.status, StatusCode::OK, "{}", other.text());
    let later = ask(&running, ("192.0.2.1", "*/*"), SEARCH).await;
    assert_eq!(later.status, StatusCode::OK, "what has ended makes room");
    running.demo.stop().await;
}

#[tokio::test]
async fn a_page_that_is_refused_says_why_and_when_to_try_again() {
    let running = start_with_token().await;
    let page = "/keys?cache=users&pattern=*";
    let answers = join_all((0..20).map(|_| ask(&running, ("192.0.2.1", "text/html"), page))).await;
    let refusals = refused(&answers);
    assert!(!refusals.is_empty());
    for refusal in refusals {
        assert_eq!(refusal.header("retry-after"), "5");
        assert!(refusal.text().contains("Try again in 5 s."), "{}", refusal.text());
    }
    running.demo.stop().await;
}

#[tokio::test]
async fn a_browser_that_restores_many_tabs_gets_them_all() {
    let running = start_with_token().await;
    let tabs = join_all((0..20).map(|_| ask(&running, ("192.0.2.1", "text/html"), "/redis"))).await;
    assert!(tabs.iter().all(|tab| tab.status == StatusCode::OK), "{tabs:?}");
    running.demo.stop().await;
}

#[tokio::test]
async fn anonymous_pages_never_hide_the_metrics() {
    let running = start_with_token().await;
    let pages =
        join_all(
            (0..160).map(|n| {
                let running = &running;
                async move {
                    ask(running, (&format!("192.0.2.{}", n % 8), "text/html"), "/nosuch").await
                }
            }),
        );
    let metrics = ask(&running, ("192.0.2.1", "*/*"), "/metrics");
    let (pages, metrics) = tokio::join!(pages, metrics);
    assert!(!refused(&pages).is_empty(), "more than may wait");
    assert_eq!(metrics.status, StatusCode::OK, "{}", metrics.text());
    running.demo.stop().await;
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_browser_has_a_share_of_its_own() {
    let running = start(|settings| {
        settings.operators = tokens("sesame");
        settings.redis = RedisChoice::Private;
        settings.trusted_proxies = vec!["192.0.2.9".parse().unwrap()];
    })
    .await;
    redis_answers(&running).await;
    let of_browser = async |last: usize| {
        let asked =
            request(Method::GET, SEARCH).header("x-forwarded-for", format!("192.0.2.{last}"));
        running.ask(asked.extension(from("192.0.2.9:1")).body(Body::empty()).unwrap()).await
    };
    let answers = join_all((0..20).map(|n| of_browser(100 + n % 4))).await;
    assert!(refused(&answers).is_empty());
    let answers = join_all((0..20).map(|_| of_browser(100))).await;
    assert_eq!(refused(&answers).len(), 12);
    running.demo.stop().await;
}
