//! Live streams within an application, which alone knows who may read them and where they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use strata_dashboard::{Access, Dashboard};
use tokio::time::timeout;
use tower::ServiceExt;

use crate::support::{ask, at_cache, browser, get, service};

const PATIENCE: Duration = Duration::from_secs(60);

/// All that a stream brings until it ends.
async fn whole(stream: Response) -> String {
    assert_eq!(stream.status(), StatusCode::OK);
    let bytes = timeout(PATIENCE, to_bytes(stream.into_body(), usize::MAX)).await;
    assert!(bytes.is_ok(), "the stream goes on");
    String::from_utf8(bytes.unwrap().unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn a_live_stream_ends_within_seconds_and_whoever_has_logged_out_gets_no_other() {
    let shop = service().await;
    let is_logged_in = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&is_logged_in);
    let app =
        at_cache(Dashboard::new(&shop.node).access(move |_| match asked.load(Ordering::SeqCst) {
            true => Access::viewer("eva"),
            false => Access::nobody(),
        }));
    let stream = app.clone().oneshot(browser(Method::GET, "/cache/events")).await.unwrap();
    is_logged_in.store(false, Ordering::SeqCst);
    let text = whole(stream).await;
    assert!(text.starts_with("event: snapshot\n"), "{text}");
    assert!(text.ends_with("event: renew\ndata: {}\n\n"), "{text}");
    let again = get(&app, "/cache/events?resume=true").await;
    assert_eq!(again.status, StatusCode::FORBIDDEN, "{}", again.text);
}

#[tokio::test]
async fn a_stream_that_goes_on_after_another_does_not_begin_anew() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node));
    let next = browser(Method::GET, "/cache/events?resume=true");
    let text = whole(app.clone().oneshot(next).await.unwrap()).await;
    assert!(text.contains("event: frame\n") && !text.contains("snapshot"), "{text}");
}

/// As a proxy on this machine passes a client's request on.
async fn open(app: &Router, client: &'static str) -> Response {
    let mut request = browser(Method::GET, "/cache/events");
    request.headers_mut().insert("x-forwarded-for", HeaderValue::from_static(client));
    app.clone().oneshot(request).await.unwrap()
}

fn last_hop(parts: &Parts) -> Option<std::net::IpAddr> {
    let hops = parts.headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    hops.rsplit(',').next()?.trim().parse().ok()
}

#[tokio::test]
async fn clients_behind_a_proxy_have_streams_of_their_own_where_the_application_tells_them_apart() {
    let shop = service().await;
    let mount = || Dashboard::new(&shop.node).access(|_| Access::viewer("eva"));
    for (app, others_are_let_in) in
        [(at_cache(mount()), false), (at_cache(mount().client_address(last_hop)), true)]
    {
        let mut held = Vec::new();
        let refused = loop {
            assert!(held.len() < 256, "nothing bounds the streams of one client");
            match open(&app, "203.0.113.9").await {
                stream if stream.status().is_success() => held.push(stream),
                refused => break refused.status(),
            }
        };
        assert_eq!(refused, StatusCode::SERVICE_UNAVAILABLE);
        let other = open(&app, "6.6.6.6, 203.0.113.10").await.status();
        assert_eq!(other.is_success(), others_are_let_in, "{other}");
    }
}

#[tokio::test]
async fn the_trail_shows_the_address_that_the_application_tells() {
    let shop = service().await;
    let app = at_cache(
        Dashboard::new(&shop.node).access(|_| Access::operator("anna")).client_address(last_hop),
    );
    for (hops, told) in [("203.0.113.9", "203.0.113.9"), ("gibberish", "127.0.0.1")] {
        let mut request = browser(Method::DELETE, "/cache/api/v1/caches/users/keys/1");
        request.headers_mut().insert("x-forwarded-for", HeaderValue::from_str(hops).unwrap());
        assert!(ask(&app, request).await.status.is_success());
        let trail = get(&app, "/cache/api/v1/audit").await.text;
        let trail: serde_json::Value = serde_json::from_str(&trail).unwrap();
        assert_eq!(trail["entries"][0]["address"], told, "{trail}");
    }
}

#[tokio::test]
async fn an_application_that_panics_over_an_address_costs_that_request_alone() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node).client_address(|parts| {
        assert!(!parts.uri.path().ends_with("/nodes"), "this one alone");
        None
    }));
    assert_eq!(get(&app, "/cache/nodes").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(get(&app, "/cache/keys").await.status, StatusCode::OK);
}
