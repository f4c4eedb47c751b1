//! A program over a console alone, without a demo and without a lab.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode, header};
use strata_cache::{Cache, Node};
use strata_console::{Access, AccessSettings, Console, NodeClient, PeerBounds, PeerLimit};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::*;
use crate::access::{Hosts, Proxies};
use crate::state::{Needs, Parts, Snapshots};

const LOCAL: ([u8; 4], u16) = ([127, 0, 0, 1], 50_000);

/// Every page of the list, with a name where any name may stand.
fn pages() -> Vec<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../end2end/support/pages.json");
    let listed: Vec<serde_json::Value> =
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let path = |page: &serde_json::Value| page["path"].as_str().unwrap().to_owned();
    let named = |path: String| path.replace(":cache", "users").replace(":lesson", "stampede");
    listed.iter().map(path).map(named).collect()
}

/// A console over one node, whose cache lives as long as it is held.
struct Alone {
    state: AppState,
    _users: Cache<u64, String>,
}

async fn alone() -> Alone {
    let node = Node::builder("alone").start().await.unwrap();
    let users: Cache<u64, String> = Cache::builder("users").l1_entries(10).build(&node).unwrap();
    users.insert(&1, "Ann".to_owned()).await;
    let access = Access::new(AccessSettings { loopback: true, ..AccessSettings::default() });
    let shutdown = CancellationToken::new();
    let nodes: Vec<Arc<dyn NodeClient>> = vec![Arc::new(node)];
    let state = AppState::new(Parts {
        console: Console::start(nodes, access, shutdown.clone()),
        #[cfg(feature = "lab")]
        lab: None,
        registry: prometheus::Registry::new(),
        needs: Needs::default(),
        streams: PeerLimit::new(PeerBounds { total: 8, per_peer: 8 }),
        snapshots: Snapshots::default(),
        files: None,
        shutdown,
        attention: None,
        application: None,
        access_rechecked_every: None,
        _end: None,
    });
    Alone { state, _users: users }
}

async fn ask(alone: &Alone, method: Method, path: &str) -> (StatusCode, String) {
    let rules = AccessRules {
        hosts: Hosts::new(&[], None),
        proxies: Proxies::default(),
        public_url: None,
        turns: AnonymousTurns::default(),
    };
    let asked = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
    let mut asked = asked.body(Body::empty()).unwrap();
    asked.extensions_mut().insert(ConnectInfo(SocketAddr::from(LOCAL)));
    let router = router(alone.state.clone(), Admission::ByProgram(rules), Vec::new());
    let (parts, body) = router.oneshot(asked).await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (parts.status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn without_demo_and_lab_every_other_page_answers() {
    let alone = alone().await;
    for page in pages() {
        let (status, html) = ask(&alone, Method::GET, &page).await;
        let is_of_lab = page.starts_with("/lab");
        let wanted = if is_of_lab { StatusCode::NOT_FOUND } else { StatusCode::OK };
        assert_eq!(status, wanted, "{page}");
        assert!(html.contains("</html>"), "{page}: {html}");
        for word in ["Lab", "\"/lab", "Traffic", "traffic-"] {
            assert!(!html.contains(word), "{page} says {word}: {html}");
        }
    }
}

#[tokio::test]
async fn without_demo_and_lab_nothing_of_theirs_answers() {
    let alone = alone().await;
    let functions = strata_app::LAB_FUNCTIONS.map(|path| (Method::POST, path));
    let others = [
        (Method::GET, "/demo/users/1"),
        (Method::PUT, "/demo/users/1"),
        (Method::GET, "/api/v1/demo/traffic"),
        (Method::PUT, "/api/v1/demo/traffic"),
        (Method::POST, "/api/strata/traffic"),
        (Method::POST, "/api/strata/set_traffic"),
        (Method::POST, "/lab/traces"),
    ];
    for (method, path) in functions.into_iter().chain(others) {
        let (status, body) = ask(&alone, method.clone(), path).await;
        assert!(
            [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(&status),
            "{method} {path}: {status} {body}"
        );
    }
    let listed = routes(&alone.state).into_iter().map(|route| route.path);
    for path in listed {
        let is_theirs = ["/demo", "/lab", "traffic"].iter().any(|part| path.contains(part));
        assert!(!is_theirs && !strata_app::LAB_FUNCTIONS.contains(&path.as_str()), "{path}");
    }
    let (_, document) = ask(&alone, Method::GET, "/api/v1/openapi.json").await;
    assert!(document.contains("/api/v1/caches") && !document.contains("/api/v1/demo"));
}

#[tokio::test]
async fn without_a_database_the_program_is_ready_and_says_nothing_of_one() {
    let (status, body) = ask(&alone().await, Method::GET, "/readyz").await;
    assert_eq!(status, StatusCode::OK);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["ready"], true);
    assert!(body.get("database").is_none(), "{body}");
}
