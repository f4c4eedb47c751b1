//! Live streams within an application, which alone knows who may read them and where they are.

use std::net::{IpAddr, SocketAddr};
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

/// How often the application is asked again who reads, and from a fifth less to a fifth more.
const SOON: Duration = Duration::from_secs(1);

/// A stream as a page opens it, or another reader.
async fn stream(app: &Router, query: &str) -> Response {
    let asked = browser(Method::GET, &format!("/cache/events{query}"));
    app.clone().oneshot(asked).await.unwrap()
}

#[tokio::test]
async fn a_live_stream_ends_soon_and_whoever_has_logged_out_gets_no_other() {
    let shop = service().await;
    let is_logged_in = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&is_logged_in);
    let dashboard = Dashboard::new(&shop.node).recheck_access_every(SOON);
    let app = at_cache(dashboard.access(move |_| match asked.load(Ordering::SeqCst) {
        true => Access::viewer("eva"),
        false => Access::nobody(),
    }));
    let first = stream(&app, "?renew=true").await;
    is_logged_in.store(false, Ordering::SeqCst);
    let text = whole(first).await;
    assert!(text.starts_with("event: snapshot\n"), "{text}");
    assert!(text.ends_with("event: renew\ndata: {}\n\n"), "{text}");
    let again = get(&app, "/cache/events?renew=true&resume=0123").await;
    assert_eq!(again.status, StatusCode::FORBIDDEN, "{}", again.text);
}

/// The build that a stream names which begins with everything.
fn build(stream: &str) -> &str {
    assert!(stream.starts_with("event: snapshot\n"), "{stream}");
    stream.split("{\"build\":\"").nth(1).unwrap().split('"').next().unwrap()
}

#[tokio::test]
async fn a_stream_that_goes_on_after_another_begins_anew_where_that_was_of_another_build() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node).recheck_access_every(2 * SOON));
    let first = whole(stream(&app, "?renew=true").await).await;
    let same = format!("?renew=true&resume={}", build(&first));
    let text = whole(stream(&app, &same).await).await;
    assert!(text.contains("event: frame\n") && !text.contains("snapshot"), "{text}");
    for other in ["another", "true", ""] {
        let other = format!("?renew=true&resume={other}");
        let text = whole(stream(&app, &other).await).await;
        assert_eq!(build(&text), build(&first), "a page of another build learns of this one");
    }
}

#[tokio::test]
async fn a_reader_that_does_not_open_the_next_stream_by_itself_is_ended_more_rarely() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node).recheck_access_every(SOON));
    let (others, pages) = (stream(&app, "").await, stream(&app, "?renew=true").await);
    let mut others = Box::pin(whole(others));
    tokio::select! {
        biased;
        _ = &mut others => panic!("it is ended as often as a page"),
        text = whole(pages) => assert!(text.ends_with("event: renew\ndata: {}\n\n"), "{text}"),
    }
    let text = others.await;
    assert!(text.ends_with("event: renew\ndata: {}\n\n"), "{text}");
}

/// As a proxy on this machine passes a client's request on.
async fn open(app: &Router, client: &'static str) -> Response {
    let mut request = browser(Method::GET, "/cache/events");
    request.headers_mut().insert("x-forwarded-for", HeaderValue::from_static(client));
    app.clone().oneshot(request).await.unwrap()
}

/// As the documentation has it.
fn last_hop(parts: &Parts) -> Option<IpAddr> {
    let hops = parts.headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    let hop = hops.rsplit(',').next()?.trim();
    let with_port = hop.parse::<SocketAddr>().map(|address| address.ip());
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    with_port.or_else(|_| bare.parse()).ok()
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
    for (hops, told) in [
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9:4711", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("gibberish", "127.0.0.1"),
    ] {
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
