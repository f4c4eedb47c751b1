//! What the pages carry of the application: its policy, its environment, the way back.

use axum::http::StatusCode;
use axum::http::header::CONTENT_SECURITY_POLICY;
use strata_dashboard::{Access, Dashboard, EnvironmentColour};

use crate::support::{Answer, at_cache, get, service};

fn policy(answer: &Answer) -> &str {
    answer.headers[CONTENT_SECURITY_POLICY].to_str().unwrap()
}

#[tokio::test]
async fn every_page_answers_and_none_says_anything_of_a_program_of_its_own() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node));
    for path in [
        "/",
        "/keys",
        "/keys?cache=users&pattern=*",
        "/nodes",
        "/redis",
        "/activity",
        "/caches/users",
    ] {
        let page = get(&app, &format!("/cache{path}")).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        for word in ["Log in", "--read-only", "--operator-token", "\"/cache/lab"] {
            assert!(!page.text.contains(word), "{path} says {word}: {}", page.text);
        }
    }
    for path in ["/login", "/lab", "/demo/users/1", "/nothing"] {
        assert_eq!(
            get(&app, &format!("/cache{path}")).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_page_has_a_policy_and_a_nonce_of_its_own() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node));
    let (one, two) = (get(&app, "/cache/").await, get(&app, "/cache/").await);
    assert!(policy(&one).contains("'nonce-") && policy(&one).contains("'wasm-unsafe-eval'"));
    assert_ne!(policy(&one), policy(&two));
}

#[tokio::test]
async fn the_nonce_of_the_applications_policy_stands_on_all_that_it_has_to_let_pass() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node).nonce(|_| Some("abc123==".to_owned())));
    let page = get(&app, "/cache/").await;
    assert!(policy(&page).contains("'nonce-abc123=='"), "{}", policy(&page));
    let loads = page.text.split('<').filter(|tag| {
        tag.starts_with("script")
            || tag.contains("rel=\"stylesheet\"")
            || tag.contains("rel=\"modulepreload\"")
    });
    for tag in loads {
        assert!(tag.contains("nonce=\"abc123==\""), "{tag}");
    }
}

#[tokio::test]
async fn a_nonce_that_would_add_to_the_policy_is_none() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node).nonce(|_| Some("x' 'unsafe-inline".to_owned())));
    let page = get(&app, "/cache/").await;
    assert!(!policy(&page).contains("unsafe-inline"), "{}", policy(&page));
    let broken = Dashboard::new(&shop.node).nonce(|_| std::panic::panic_any("no nonce"));
    let page = get(&at_cache(broken), "/cache/").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn the_environment_and_the_way_back_stand_above_every_page() {
    let shop = service().await;
    let dashboard = Dashboard::new(&shop.node)
        .environment("<production>", EnvironmentColour::Red)
        .home("/admin");
    let app = at_cache(dashboard);
    for path in ["/cache/", "/cache/keys", "/cache/nodes"] {
        let page = get(&app, path).await.text;
        let environment = page.split("class=\"environment red\"").nth(1).unwrap();
        assert!(environment.split("</span>").next().unwrap().contains("&lt;production&gt;"));
        assert!(page.contains("href=\"/admin\""), "{page}");
    }
    let plain = get(&at_cache(Dashboard::new(&shop.node)), "/cache/").await.text;
    // Its scripts then know that there is no log-in page of its own.
    assert!(plain.contains("data-home=\"\""), "{plain}");
    assert!(!plain.contains("class=\"environment") && !plain.contains("class=\"home\""));
}

#[tokio::test]
async fn a_refusal_passes_the_applications_policy_as_every_page_does() {
    let shop = service().await;
    let nonce = || Dashboard::new(&shop.node).nonce(|_| Some("abc123==".to_owned()));
    let refused = get(&at_cache(nonce().access(|_| Access::nobody())), "/cache/").await;
    let failed = nonce().access(|_| std::panic::panic_any("no access"));
    let failed = get(&at_cache(failed), "/cache/").await;
    for (page, status) in [(refused, 403), (failed, 500)] {
        assert_eq!(page.status.as_u16(), status);
        assert!(policy(&page).contains("style-src 'self' 'nonce-abc123=='"), "{}", policy(&page));
        for tag in page.text.split('<').filter(|tag| tag.contains("rel=\"stylesheet\"")) {
            assert!(tag.contains("nonce=\"abc123==\""), "{tag}");
        }
    }
}
