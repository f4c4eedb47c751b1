use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use strata_cache::{Cache, Node};
use strata_dashboard::Dashboard;
use tower::ServiceExt;

pub(crate) const HERE: &str = "127.0.0.1:50000";
pub(crate) const ELSEWHERE: &str = "192.0.2.7:50000";

/// A service: one node without Redis, and one cache with one key.
pub(crate) struct Service {
    pub(crate) node: Node,
    users: Cache<u64, String>,
}

impl Service {
    /// Whether the cache still has its key.
    pub(crate) async fn has_user(&self) -> bool {
        self.users.get(&1).await.value.is_some()
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

pub(crate) async fn service() -> Service {
    let node = Node::builder("shop").start().await.unwrap();
    let users: Cache<u64, String> = Cache::builder("users").l1_entries(10).build(&node).unwrap();
    users.insert(&1, "Ann".to_owned()).await;
    Service { node, users }
}

/// An application with the dashboard below `/cache`.
pub(crate) fn at_cache(dashboard: Dashboard) -> Router {
    Router::new().nest_service("/cache", dashboard.router().unwrap())
}

/// A request of a browser on this machine.
pub(crate) fn browser(method: Method, path: &str) -> Request<Body> {
    from(HERE, method, path)
}

/// The same from that address.
pub(crate) fn from(peer: &str, method: Method, path: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request =
        request.header(header::HOST, "localhost:3000").header(header::ACCEPT, "text/html");
    let mut request = request.body(Body::empty()).unwrap();
    let peer: SocketAddr = peer.parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

pub(crate) async fn ask(router: &Router, request: Request<Body>) -> Answer {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let text = String::from_utf8_lossy(&body).into_owned();
    Answer { status: parts.status, headers: parts.headers, text }
}

pub(crate) async fn get(router: &Router, path: &str) -> Answer {
    ask(router, browser(Method::GET, path)).await
}
