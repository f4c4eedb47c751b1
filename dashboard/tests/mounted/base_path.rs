//! Every address follows the path under which the application has put the dashboard.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get as get_route;
use strata_dashboard::{Dashboard, MountError};

use crate::support::{Answer, get, service};

/// Whether every address of the page's own is below the base.
fn is_below(answer: &Answer, base: &str) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let addresses = answer.text.split("href=\"").chain(answer.text.split("action=\""));
    let addresses: Vec<_> = addresses.skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let own: Vec<_> = addresses.iter().filter(|address| address.starts_with('/')).collect();
    assert!(own.len() > 5, "{addresses:?}");
    for address in own {
        let below = address.strip_prefix(base).unwrap();
        assert!(below.is_empty() || below.starts_with(['/', '?']), "{address}");
    }
    assert!(answer.text.contains(&format!("data-base=\"{base}\"")), "{}", answer.text);
}

#[tokio::test]
async fn it_answers_below_any_path_with_a_slash_at_the_end_and_without() {
    let shop = service().await;
    for base in ["/cache", "/a/b"] {
        let app: Router = Router::new()
            .nest_service(base, Dashboard::new(&shop.node).router().unwrap())
            .route("/other", get_route(async || "the application"));
        for path in ["", "/", "/keys", "/keys/", "/caches/users", "/?window=1h"] {
            is_below(&get(&app, &format!("{base}{path}")).await, base);
        }
        let other = get(&app, "/other").await;
        assert_eq!(other.text, "the application");
        assert!(other.headers.is_empty() || !other.headers.contains_key("content-security-policy"));
    }
}

#[tokio::test]
async fn it_nests_in_a_router_that_has_a_state() {
    #[derive(Clone)]
    struct Shop(&'static str);
    let shop = service().await;
    let app: Router = Router::new()
        .route("/name", get_route(async |State(Shop(name)): State<Shop>| name))
        .nest("/cache", Dashboard::new(&shop.node).router().unwrap())
        .with_state(Shop("corner shop"));
    assert_eq!(get(&app, "/name").await.text, "corner shop");
    is_below(&get(&app, "/cache").await, "/cache");
    is_below(&get(&app, "/cache/keys").await, "/cache");
}

#[tokio::test]
async fn it_answers_at_the_root_what_the_application_does_not() {
    let shop = service().await;
    let app: Router = Router::new()
        .route("/other", get_route(async || "the application"))
        .fallback_service(Dashboard::new(&shop.node).router().unwrap());
    assert_eq!(get(&app, "/other").await.text, "the application");
    is_below(&get(&app, "/keys").await, "");
    let merged: Router = Router::new().merge(Dashboard::new(&shop.node).router().unwrap());
    is_below(&get(&merged, "/").await, "");
}

#[tokio::test]
async fn routers_within_routers_add_their_paths() {
    let shop = service().await;
    let inner: Router =
        Router::new().nest_service("/cache", Dashboard::new(&shop.node).router().unwrap());
    let app: Router = Router::new().nest("/admin", inner);
    is_below(&get(&app, "/admin/cache/keys").await, "/admin/cache");
}

#[tokio::test]
async fn what_a_proxy_strips_can_be_said() {
    let shop = service().await;
    let dashboard = Dashboard::new(&shop.node).public_path("/app/cache");
    let app: Router = Router::new().nest_service("/cache", dashboard.router().unwrap());
    is_below(&get(&app, "/cache/keys").await, "/app/cache");
    let dashboard = Dashboard::new(&shop.node).public_path("/api/cache");
    let app: Router = Router::new().nest_service("/cache", dashboard.router().unwrap());
    is_below(&get(&app, "/cache/keys").await, "/api/cache");
    for path in ["cache", "/a//b", "/../a", "/a b"] {
        let wrong = Dashboard::new(&shop.node).public_path(path).router::<()>();
        assert!(matches!(wrong, Err(MountError::PublicPath(_))), "{path}");
    }
}
