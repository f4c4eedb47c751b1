use axum::body::Body;
use axum::http::{Method, StatusCode, header};

use crate::support::{request, start};

#[tokio::test]
async fn a_page_runs_only_the_scripts_that_carry_its_nonce() {
    let running = start(|_| {}).await;
    let page = running.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.header("content-security-policy");
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    assert!(nonce.len() >= 16, "{policy}");
    let scripts: Vec<&str> = page.text().split("<script").skip(1).collect();
    assert!(!scripts.is_empty());
    for script in scripts {
        let tag = script.split('>').next().unwrap();
        assert!(tag.contains(nonce), "a script without the nonce: {tag}");
    }
    assert!(!page.text().contains(" style=\""), "the policy blocks style attributes");
    for part in [
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
        "'wasm-unsafe-eval'",
    ] {
        assert!(policy.contains(part), "{part}");
    }
    assert!(!policy.contains("unsafe-inline"));
    assert!(!policy.contains("ws:"));
}

#[tokio::test]
async fn a_page_names_its_own_scripts_which_are_kept_for_ever_and_of_one_build() {
    let running = start(|_| {}).await;
    let page = running.get("/").await;
    assert!(page.header("content-security-policy").contains("worker-src 'self'"));
    for before in [" src=\"/scripts/", " data-live=\"/scripts/"] {
        let name = page.text().split(before).nth(1).unwrap().split('"').next().unwrap();
        let script = running.get(&format!("/scripts/{name}")).await;
        assert_eq!(script.status, StatusCode::OK);
        assert!(script.header("content-type").starts_with("text/javascript"));
        assert!(script.header("cache-control").contains("immutable"));
    }
    let old = running.get("/scripts/live.0123456789abcdef.js").await;
    assert_eq!(old.status, StatusCode::NOT_FOUND);
    assert!(!old.headers.contains_key("cache-control"));
}

#[tokio::test]
async fn a_nonce_is_used_once() {
    let running = start(|_| {}).await;
    let first = running.get("/").await;
    let second = running.get("/").await;
    let policy = "content-security-policy";
    assert_ne!(first.header(policy), second.header(policy));
    assert_eq!(first.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_page_that_does_not_exist_is_not_found_and_still_guarded() {
    let running = start(|_| {}).await;
    let page = running.get("/nosuch").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").contains("'nonce-"));
    assert_eq!(page.header("cache-control"), "no-store");
}

#[tokio::test]
async fn pages_and_json_are_compressed_for_who_can_read_it() {
    let running = start(|_| {}).await;
    for path in ["/", "/api/v1/caches"] {
        let asked = request(Method::GET, path).header(header::ACCEPT_ENCODING, "gzip, br");
        let answer = running.ask(asked.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("content-encoding"), "br", "{path}");
        assert_eq!(running.get(path).await.header("content-encoding"), "", "{path}");
    }
}

#[tokio::test]
async fn the_screens_own_calls_are_refused_to_other_sites_too() {
    let running = start(|_| {}).await;
    let asked = request(Method::POST, "/api/strata/log_out").header("sec-fetch-site", "cross-site");
    let answer = running.ask(asked.body(Body::empty()).unwrap()).await;
    answer.is_problem(403, "cross-site");
}

#[tokio::test]
async fn the_files_of_a_page_are_in_the_program_and_kept_for_ever() {
    let running = start(|_| {}).await;
    let page = running.get("/login").await;
    let style = page.text().split("href=\"").map(|rest| rest.split('"').next().unwrap());
    let mut style = style.filter(|address| address.ends_with(".css"));
    let Some(style) = style.next() else {
        // Built without them, which the page says.
        assert!(page.text().contains("./dev assets"), "{}", page.text());
        return;
    };
    let plain = running.get(style).await;
    assert_eq!(plain.status, StatusCode::OK, "{style}");
    assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(plain.header("content-type"), "text/css; charset=utf-8");
    let tag = plain.header("etag").to_owned();
    let asked = request(Method::GET, style).header(header::IF_NONE_MATCH, &tag);
    let again = running.ask(asked.body(Body::empty()).unwrap()).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    running.get("/pkg/other.js").await.is_problem(404, "unknown-path");
}

/// The cards of a page: their ids and the notes below their headings.
fn notes(page: &str) -> Vec<(String, String)> {
    let part = |text: &str, before: &str, after: &str| {
        let (_, rest) = text.split_once(before).unwrap();
        rest.split(after).next().unwrap().to_owned()
    };
    let cards = page.split("<section ").skip(1).filter(|card| card.contains("class=\"card "));
    cards.map(|card| (part(card, "id=\"", "\""), part(card, "</h2><p>", "<"))).collect()
}

#[tokio::test]
async fn each_figure_of_a_caches_page_names_its_window() {
    let running = start(|_| {}).await;
    running.get("/demo/users/1").await;
    for (range, named) in [("1m", "1 min"), ("15m", "15 min"), ("2h", "2 h"), ("1d", "1 day")] {
        let page = running.get(&format!("/caches/users?range={range}")).await;
        let notes = notes(page.text());
        let ids: Vec<_> = notes.iter().map(|(id, _)| id.as_str()).collect();
        for chart in ["outcomes", "evictions"] {
            assert!(ids.contains(&chart), "{ids:?}");
        }
        for (id, note) in notes {
            let says = |window: &str| note.contains(window);
            // What is fresh is so at this moment.
            let windows = ["since the start", " now", "last seconds", "fresh entr", "not s"];
            let is_named = windows.into_iter().any(says);
            let is_of_range = says(&format!("the last {named}")) || says("weighted to the last");
            assert!(is_named || is_of_range || id == "settings", "{range}: {id}: {note}");
        }
    }
}
