//! A service that has moka caches and no Redis.

use axum::http::{Method, StatusCode};
use moka::future::Cache;
use strata_cache::{Node, Observer};
use strata_dashboard::{Access, Dashboard};

use crate::support::{ask, at_cache, browser, get};

#[tokio::test]
async fn an_observed_moka_cache_has_its_page_and_its_keys_can_be_cleared() {
    let node = Node::builder("shop").start().await.unwrap();
    let sessions = Cache::builder().max_capacity(100);
    let observer = Observer::new(&node, "sessions").unwrap();
    let sessions = observer.observe_keys::<Cache<String, String>>(sessions.build());
    sessions.insert("anna".to_owned(), "basket 7".to_owned()).await;
    assert!(sessions.get("anna").await.is_some());
    let app = at_cache(Dashboard::new(&node).access(|_| Access::operator("admin")));
    let caches = get(&app, "/cache/api/v1/caches").await;
    assert!(caches.text.contains("sessions"), "{}", caches.text);
    let page = get(&app, "/cache/caches/sessions").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let key = "/cache/api/v1/caches/sessions/keys/anna";
    let cleared = ask(&app, browser(Method::DELETE, key)).await;
    assert!(cleared.status.is_success(), "{}", cleared.text);
    assert!(sessions.get("anna").await.is_none());
}
