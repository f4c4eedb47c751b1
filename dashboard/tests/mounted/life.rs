//! The background tasks of a dashboard begin and end with its router.

use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use strata_cache::{Cache, Node};
use strata_dashboard::{Access, Dashboard, MountError, Mounted};
use strata_testing::RedisServer;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::support::{ask, at_cache, browser, get, service};

const PATIENCE: Duration = Duration::from_secs(60);

/// A stream that ends only to be renewed is not at its end.
async fn ends_for_good(stream: Response) {
    let whole = timeout(PATIENCE, to_bytes(stream.into_body(), usize::MAX)).await;
    assert!(whole.is_ok(), "the live stream goes on");
    let whole = whole.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&whole).contains("event: renew"), "it was renewed");
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let shop = runtime.block_on(service());
    let mounted = Dashboard::new(&shop.node).router::<()>();
    assert!(matches!(mounted, Err(MountError::NoRuntime)));
}

#[tokio::test]
async fn with_its_router_a_dashboard_ends() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node));
    let stream = app.clone().oneshot(browser(Method::GET, "/cache/events")).await.unwrap();
    assert_eq!(stream.status(), StatusCode::OK);
    drop(app);
    ends_for_good(stream).await;
}

#[tokio::test]
async fn an_application_that_stops_ends_the_live_streams() {
    let shop = service().await;
    let stop = CancellationToken::new();
    let app = at_cache(Dashboard::new(&shop.node).until(stop.clone()));
    let stream = app.clone().oneshot(browser(Method::GET, "/cache/events")).await.unwrap();
    stop.cancel();
    ends_for_good(stream).await;
}

#[tokio::test]
async fn two_dashboards_of_one_program_go_their_own_ways() {
    let (shop, depot) = (service().await, service().await);
    let acting = Dashboard::new(&shop.node).access(|_| Access::operator("anna"));
    let app: Router = Router::new()
        .nest_service("/shop", acting.router().unwrap())
        .nest_service("/depot", Dashboard::new(&depot.node).read_only().router().unwrap());
    let key = |base: &str| browser(Method::DELETE, &format!("{base}/api/v1/caches/users/keys/1"));
    assert_eq!(ask(&app, key("/depot")).await.status, StatusCode::FORBIDDEN);
    assert!(ask(&app, key("/shop")).await.status.is_success());
    assert!(!shop.has_user().await);
    assert!(depot.has_user().await);
    for base in ["/shop", "/depot"] {
        let metrics = get(&app, &format!("{base}/metrics")).await;
        assert_eq!(metrics.status, StatusCode::OK, "{}", metrics.text);
    }
}

#[tokio::test]
async fn several_nodes_of_one_program_are_shown_together() {
    let (shop, depot) = (service().await, service().await);
    let app = at_cache(Dashboard::new(&shop.node).nodes([&depot.node]));
    let nodes = get(&app, "/cache/api/v1/nodes").await;
    for node in [&shop.node, &depot.node] {
        assert!(nodes.text.contains(node.id()), "{}", nodes.text);
    }
}

#[tokio::test]
async fn a_node_that_is_named_twice_counts_once() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node).nodes([&shop.node, &shop.node]));
    let nodes = get(&app, "/cache/api/v1/nodes").await.text;
    let nodes: serde_json::Value = serde_json::from_str(&nodes).unwrap();
    assert_eq!(nodes.as_array().unwrap().len(), 1, "{nodes}");
}

#[tokio::test]
async fn nodes_of_several_namespaces_are_refused() {
    let shop = service().await;
    let blog = Node::builder("blog").start().await.unwrap();
    let mounted = Dashboard::new(&shop.node).nodes([&blog]).router::<()>();
    let Err(MountError::Namespaces { first, other }) = mounted else { panic!("{mounted:?}") };
    assert_eq!((&*first, &*other), ("shop", "blog"));
}

#[tokio::test]
async fn what_was_done_last_is_in_redis_when_the_dashboard_has_ended() {
    let redis = RedisServer::start().await;
    let node = Node::builder("shop").redis_url(&redis.url()).start().await.unwrap();
    let users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    users.insert(&1, "Ann".to_owned()).await;
    let stop = CancellationToken::new();
    let dashboard = Dashboard::new(&node).access(|_| Access::operator("anna")).until(stop.clone());
    let Mounted { router, end } = dashboard.mount().unwrap();
    let app: Router = Router::new().nest_service("/cache", router);
    let done = ask(&app, browser(Method::DELETE, "/cache/api/v1/caches/users/keys/1")).await;
    assert!(done.status.is_success(), "{}", done.text);
    stop.cancel();
    timeout(PATIENCE, end.finished()).await.unwrap();
    let trail = get(&app, "/cache/api/v1/audit").await.text;
    let trail: serde_json::Value = serde_json::from_str(&trail).unwrap();
    assert_eq!(trail["only_in_memory"], 0, "{trail}");
    assert_eq!(trail["entries"][0]["actor"], "anna", "{trail}");
}

#[tokio::test]
async fn a_dashboard_without_a_token_has_ended_after_its_router() {
    let shop = service().await;
    let Mounted { router, end } = Dashboard::new(&shop.node).mount::<()>().unwrap();
    drop(router);
    timeout(PATIENCE, end.finished()).await.unwrap();
}
