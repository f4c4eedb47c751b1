//! A dashboard below a path: everything that it writes begins with it, whoever strips it.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use strata_app::{BasePath, BasePathError};
use strata_server::Settings;

use crate::support::{Answer, Running, request, start, tokens};

const BASE: &str = "/a/b";

/// What holds an address of a page, a form, a file or a stream.
const ATTRIBUTES: [&str; 12] = [
    "href",
    "src",
    "action",
    "formaction",
    "poster",
    "srcset",
    "data-live",
    "data-js",
    "data-wasm",
    "data-href",
    "data-src",
    "data-to",
];

fn below(settings: &mut Settings) {
    settings.base_path = BASE.parse().unwrap();
}

fn pages() -> Vec<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../end2end/support/pages.json");
    let listed: Vec<serde_json::Value> =
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let path = |page: &serde_json::Value| page["path"].as_str().unwrap().to_owned();
    let named = |path: String| path.replace(":cache", "users").replace(":lesson", "stampede");
    let states = [
        "/keys?cache=users&pattern=1*",
        "/keys?cache=users&pattern=1*&plan=1",
        "/keys?cache=users&key=1",
        "/nodes?compare=1",
        "/caches/users?view=dead-letters",
        "/caches/nosuch",
        "/login",
        "/nosuch",
    ];
    listed.iter().map(path).map(named).chain(states.map(str::to_owned)).collect()
}

#[tokio::test]
async fn no_path_of_the_dashboard_itself_is_one_to_put_it_under() {
    let running = start(|_| {}).await;
    let routes = running.demo.routes().into_iter().map(|route| route.path);
    let pages = pages().into_iter().filter(|path| path != "/nosuch");
    let files = ["/pkg/strata.js", "/scripts/page.js", "/favicon.svg", "/robots.txt"];
    for path in routes.chain(pages).chain(files.map(str::to_owned)) {
        let first = path.split(['/', '?']).nth(1).unwrap();
        if first.is_empty() {
            continue;
        }
        let refused = format!("/{first}/x").parse::<BasePath>().unwrap_err();
        assert!(matches!(refused, BasePathError::Taken(_)), "{path}: {refused}");
    }
}

/// Every address in a page, with the attribute that holds it.
fn addresses(html: &str) -> BTreeSet<(&'static str, String)> {
    let mut found = BTreeSet::new();
    for name in ATTRIBUTES {
        for rest in html.split(&format!(" {name}=\"")).skip(1) {
            found.insert((name, rest.split('"').next().unwrap().to_owned()));
        }
    }
    // What is imported by a script that stands in the page.
    for rest in html.split("import('").skip(1) {
        found.insert(("import", rest.split('\'').next().unwrap().to_owned()));
    }
    found
}

fn is_below(address: &str) -> bool {
    let rest = address.strip_prefix(BASE);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

async fn browse(running: &Running, path: &str) -> Answer {
    let asked = request(Method::GET, path).header(header::ACCEPT, "text/html");
    running.ask(asked.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn every_address_of_every_page_is_below_the_base() {
    let running = start(below).await;
    running.get("/demo/users/1").await;
    for page in pages() {
        let answer = browse(&running, &format!("{BASE}{page}")).await;
        let html = answer.text();
        assert!(html.contains("</html>"), "{page}: {html}");
        let found = addresses(html);
        assert!(found.len() >= 2, "{page}: {found:?}");
        for (name, address) in found {
            // A place in the page itself, or the page.
            let is_here = address.is_empty() || address.starts_with(['#', '?']);
            assert!(is_here || is_below(&address), "{page}: {name}={address:?}");
        }
        let is_plain = html.contains("action=\"/a/b/login\"") || answer.status.is_client_error();
        assert!(is_plain || page == "/login" || html.contains(" data-base=\"/a/b\""), "{page}");
    }
}

#[tokio::test]
async fn a_page_is_the_same_whether_a_proxy_strips_the_base_or_not() {
    let running = start(below).await;
    for page in ["/", "/keys", "/caches/users", "/lab/stampede", "/api/v1/session"] {
        let whole = format!("{BASE}{page}");
        for path in [page, whole.as_str(), whole.trim_end_matches('/')] {
            let answer = browse(&running, path).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            for (name, address) in addresses(answer.text()) {
                let is_here = address.is_empty() || address.starts_with(['#', '?']);
                assert!(is_here || is_below(&address), "{path}: {name}={address:?}");
            }
        }
    }
    let elsewhere = browse(&running, "/a/bc/keys").await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn sessions_log_ins_and_redirects_stay_below_the_base() {
    let running = start(|settings| {
        below(settings);
        settings.viewers = tokens("ben:peep");
    })
    .await;
    let answer = browse(&running, "/a/b/keys?cache=users").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let login = answer.header("location").to_owned();
    assert_eq!(login, "/a/b/login?to=%2Fa%2Fb%2Fkeys%3Fcache%3Dusers");
    let page = browse(&running, &login).await;
    assert!(page.text().contains("value=\"/a/b/keys?cache=users\""), "{}", page.text());
    for (to, onward) in [("/a/b/keys?cache=users", "/a/b/keys?cache=users"), ("/keys", "/a/b")] {
        let form = format!("token=peep&to={}", to.replace('/', "%2F").replace('?', "%3F"));
        let asked = request(Method::POST, "/a/b/login")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = running.ask(asked.body(Body::from(form)).unwrap()).await;
        assert_eq!(answer.header("location"), onward, "{to}");
        assert!(answer.header("set-cookie").contains("; Path=/a/b"), "{answer:?}");
    }
}

#[tokio::test]
async fn the_api_says_where_it_is() {
    let running = start(below).await;
    let document = running.get("/a/b/api/v1/openapi.json").await.json();
    assert_eq!(document["servers"][0]["url"], BASE);
    let made = running
        .send(
            Method::POST,
            "/a/b/demo/users",
            &serde_json::json!({ "name": "Ann", "email": "ann@example.org" }),
        )
        .await;
    assert!(made.header("location").starts_with("/a/b/demo/users/"), "{made:?}");
    let begun = running
        .send(
            Method::POST,
            "/a/b/api/v1/caches/users/invalidations",
            &serde_json::json!({ "pattern": "1*" }),
        )
        .await;
    assert!(begun.header("location").starts_with("/a/b/api/v1/invalidations/"), "{begun:?}");
    let unknown = running.get("/a/b/api/v1/session?what=1").await;
    unknown.is_problem(400, "bad-query");
}

#[tokio::test]
async fn a_page_that_is_drawn_again_is_asked_for_by_its_whole_address() {
    let running = start(below).await;
    for address in ["/a/b/keys?cache=users", "/keys?cache=users"] {
        let asked = request(Method::POST, "/a/b/api/strata/draw")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let form = format!("address={}", address.replace('/', "%2F").replace('?', "%3F"));
        let answer = running.ask(asked.body(Body::from(form)).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}: {}", answer.text());
        let html: String = serde_json::from_str(answer.text()).unwrap();
        assert!(html.contains("action=\"/a/b/keys\""), "{address}: {html}");
    }
}
