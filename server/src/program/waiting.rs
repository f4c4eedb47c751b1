//! What `strata serve` answers while it knows of no service.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use strata_dashboard::program::{Hosts, check_host, harden};
use tokio::sync::watch;

/// Asked again after so many seconds.
const AGAIN_S: &str = "2";

/// Why it waits; `None` where not everybody who asks may know.
pub(super) type Because = Option<watch::Receiver<String>>;

/// Says on every path that it waits, and why. It is alive, and not ready.
pub(super) fn router(because: Because, hosts: Hosts) -> Router {
    Router::new()
        .route("/healthz", get(async || r#"{"status":"alive"}"#))
        .fallback(page)
        .layer(from_fn_with_state(hosts, check_host))
        .layer(map_response(harden))
        .with_state(because)
}

async fn page(State(because): State<Because>) -> impl IntoResponse {
    let because = because.map(|because| format!(": {}", escaped(&because.borrow())));
    let because = because.unwrap_or_default();
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Strata</title>\
         <meta http-equiv=\"refresh\" content=\"{AGAIN_S}\"></head><body><h1>Strata</h1>\
         <p>Waiting for a service{because}.</p>\
         <p>A service appears as soon as one of its nodes uses this Redis. \
         <code>--namespace</code> names one.</p></body></html>"
    );
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, AGAIN_S)], Html(page))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    async fn ask(because: Because, host: &str) -> (StatusCode, String) {
        let asked = Request::builder().uri("/nodes").header(header::HOST, host);
        let asked = asked.body(Body::empty()).unwrap();
        let answer = router(because, Hosts::new(&[], None)).oneshot(asked).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (parts.status, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn it_says_why_it_waits_to_those_who_may_know_and_come_by_its_own_name() {
        let (_sender, because) = watch::channel("failed to reach redis-7 <b>".to_owned());
        let (status, said) = ask(Some(because.clone()), "localhost").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(
            said.contains("Waiting for a service: failed to reach redis-7 &lt;b&gt;."),
            "{said}"
        );
        let (_, said) = ask(None, "localhost").await;
        assert!(said.contains("Waiting for a service."), "{said}");
        let (status, said) = ask(Some(because), "evil.example").await;
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST);
        assert!(!said.contains("redis-7"), "{said}");
    }
}
