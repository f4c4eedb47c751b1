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
async fn built_files_are_kept_for_ever_when_their_names_are_hashed() {
    for (hash_files, kept) in [(true, "public, max-age=31536000, immutable"), (false, "no-cache")] {
        let site = tempfile::tempdir().unwrap();
        std::fs::create_dir(site.path().join("pkg")).unwrap();
        std::fs::write(site.path().join("pkg/strata.abc.js"), "plain").unwrap();
        std::fs::write(site.path().join("pkg/strata.abc.js.br"), "small").unwrap();
        let running = start(|settings| {
            settings.leptos.hash_files = hash_files;
            settings.leptos.site_root = site.path().to_str().unwrap().into();
        })
        .await;
        let plain = running.get("/pkg/strata.abc.js").await;
        assert_eq!((plain.text(), plain.header("cache-control")), ("plain", kept));
        assert_eq!(plain.header("content-type"), "text/javascript");
        let path = "/pkg/strata.abc.js";
        let asked = request(Method::GET, path).header(header::ACCEPT_ENCODING, "br");
        let small = running.ask(asked.body(Body::empty()).unwrap()).await;
        assert_eq!((small.text(), small.header("content-encoding")), ("small", "br"));
        assert_eq!(running.get("/pkg/other.js").await.header("cache-control"), "");
    }
}
