//! The application says who asks; without its word only this machine looks.

use axum::Extension;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use strata_dashboard::{Access, Dashboard, MountError, Rights};

use crate::support::{ELSEWHERE, ask, at_cache, browser, from, get, service};

const KEY: &str = "/cache/api/v1/caches/users/keys/1";

#[tokio::test]
async fn by_default_a_browser_on_this_machine_may_look_and_not_act() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node));
    let page = get(&app, "/cache/keys").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let refused = ask(&app, browser(Method::DELETE, KEY)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text.contains("Dashboard::access"), "{}", refused.text);
    assert!(shop.has_user().await);
}

#[tokio::test]
async fn by_default_nobody_else_may_look_and_they_are_told_why() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node));
    let mut forwarded = browser(Method::GET, "/cache/");
    forwarded.headers_mut().insert("x-forwarded-for", HeaderValue::from_static("192.0.2.7"));
    let mut rebound = browser(Method::GET, "/cache/");
    rebound.headers_mut().insert("host", HeaderValue::from_static("evil.test"));
    let elsewhere = from(ELSEWHERE, Method::GET, "/cache/");
    for request in [forwarded, rebound, elsewhere] {
        let answer = ask(&app, request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.text.contains("on the machine of this application"), "{}", answer.text);
        assert!(!answer.text.contains("users"), "{}", answer.text);
    }
    for path in ["/api/v1/caches", "/metrics", "/events", "/healthz", "/readyz"] {
        let answer = ask(&app, from(ELSEWHERE, Method::GET, &format!("/cache{path}"))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn without_the_address_of_the_peer_nobody_may_look_and_the_page_names_the_missing_line() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node));
    let mut request = browser(Method::GET, "/cache/");
    request.extensions_mut().clear();
    let answer = ask(&app, request).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let line = "into_make_service_with_connect_info::&lt;SocketAddr&gt;()";
    assert!(answer.text.contains(line), "{}", answer.text);
}

/// Who a header of the test names, as a log-in of the application would.
fn by_header(parts: &Parts) -> Access {
    let name = parts.headers.get("x-user").and_then(|name| name.to_str().ok());
    match name {
        Some("anna") => Access::operator("anna"),
        Some("ben") => Access::only("ben", Rights { look: true, values: true, act: false }),
        Some("eva") => Access::viewer("eva"),
        _ => Access::nobody(),
    }
}

fn of(user: &'static str, method: Method, path: &str) -> axum::http::Request<axum::body::Body> {
    let mut request = from(ELSEWHERE, method, path);
    request.headers_mut().insert("x-user", HeaderValue::from_static(user));
    request
}

#[tokio::test]
async fn the_application_says_who_may_do_what() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node).access(by_header));
    let nobody = get(&app, "/cache/").await;
    assert_eq!(nobody.status, StatusCode::FORBIDDEN, "not even this machine");
    assert!(nobody.text.contains("does not let you look"), "{}", nobody.text);
    for (user, sees_value) in [("eva", false), ("ben", true), ("anna", true)] {
        let look = ask(&app, of(user, Method::GET, KEY)).await;
        assert_eq!(look.status, StatusCode::OK, "{user}");
        assert_eq!(look.text.contains("Ann"), sees_value, "{user}: {}", look.text);
        let page = ask(&app, of(user, Method::GET, "/cache/activity")).await;
        assert!(page.text.contains(user), "{}", page.text);
    }
    for user in ["eva", "ben"] {
        let refused = ask(&app, of(user, Method::DELETE, KEY)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{user}");
        assert!(refused.text.contains("does not let you change"), "{}", refused.text);
    }
    let done = ask(&app, of("anna", Method::DELETE, KEY)).await;
    assert!(done.status.is_success(), "{}", done.text);
    let audit = ask(&app, of("eva", Method::GET, "/cache/api/v1/audit")).await;
    assert!(audit.text.contains("anna") && audit.text.contains("eva"), "{}", audit.text);
}

#[tokio::test]
async fn code_of_the_application_that_panics_costs_one_request() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node).access(|parts| {
        let is_broken = parts.headers.get("x-user").is_some_and(|name| name == "broken");
        assert!(!is_broken, "the log-in of the application is broken");
        by_header(parts)
    }));
    let broken = ask(&app, of("broken", Method::GET, "/cache/")).await;
    assert_eq!(broken.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(broken.text.contains("rules for this dashboard failed"), "{}", broken.text);
    assert_eq!(ask(&app, of("eva", Method::GET, "/cache/")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_a_layer_of_the_application_found_out_is_there_to_decide_by() {
    #[derive(Clone)]
    struct User(&'static str);
    let shop = service().await;
    let access = |parts: &Parts| match parts.extensions.get::<User>() {
        Some(User(name)) => Access::operator(*name),
        None => Access::nobody(),
    };
    let app = at_cache(Dashboard::new(&shop.node).access(access));
    assert_eq!(get(&app, "/cache/").await.status, StatusCode::FORBIDDEN);
    let app = app.layer(Extension(User("anna")));
    assert_eq!(get(&app, "/cache/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_dashboard_that_is_read_only_lets_nobody_act() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node).access(by_header).read_only());
    let refused = ask(&app, of("anna", Method::DELETE, KEY)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text.contains("read-only"), "{}", refused.text);
    let look = ask(&app, of("anna", Method::GET, KEY)).await;
    assert!(look.text.contains("Ann"), "an operator reads values all the same: {}", look.text);
    assert!(shop.has_user().await);
}

#[tokio::test]
async fn nobody_logs_in_at_a_mounted_dashboard() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node).access(by_header));
    for path in ["/login", "/logout", "/api/strata/log_in", "/api/strata/log_out"] {
        let answer = ask(&app, of("anna", Method::POST, &format!("/cache{path}"))).await;
        let is_there =
            ![StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(&answer.status);
        assert!(!is_there, "{path}: {} {}", answer.status, answer.text);
    }
}

#[tokio::test]
async fn protected_keys_are_left_alone() {
    let shop = service().await;
    let dashboard = Dashboard::new(&shop.node).access(by_header).protect(["users:1*"]);
    let refused = ask(&at_cache(dashboard), of("anna", Method::DELETE, KEY)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
    assert!(shop.has_user().await);
    let wrong = Dashboard::new(&shop.node).protect(["users"]).router::<()>();
    assert!(matches!(wrong, Err(MountError::Protected { text, .. }) if text == "users"));
}

#[tokio::test]
async fn another_site_cannot_make_an_operator_change_anything() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node).access(by_header));
    let mut request = of("anna", Method::DELETE, KEY);
    let headers = request.headers_mut();
    headers.insert("origin", HeaderValue::from_static("https://evil.test"));
    headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
    assert_eq!(ask(&app, request).await.status, StatusCode::FORBIDDEN);
    assert!(shop.has_user().await);
}

#[tokio::test]
async fn behind_a_proxy_that_changes_the_host_the_application_says_where_browsers_find_it() {
    let shop = service().await;
    let from_page = || {
        let mut request = of("anna", Method::DELETE, KEY);
        request.headers_mut().insert("origin", HeaderValue::from_static("https://shop.example"));
        request
    };
    let refused = ask(&at_cache(Dashboard::new(&shop.node).access(by_header)), from_page()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let told = &refused.text;
    assert!(told.contains("Dashboard::public_url") && !told.contains("--public-url"), "{told}");
    let known = Dashboard::new(&shop.node).access(by_header).public_url("https://shop.example");
    let done = ask(&at_cache(known), from_page()).await;
    assert!(done.status.is_success(), "{}", done.text);
    assert!(!shop.has_user().await);
    let wrong = Dashboard::new(&shop.node).public_url("shop.example").router::<()>();
    assert!(matches!(wrong, Err(MountError::PublicUrl(_))));
}

#[tokio::test]
async fn a_name_of_the_application_is_shown_as_a_readable_one() {
    let shop = service().await;
    let app = at_cache(Dashboard::new(&shop.node).access(|_| Access::operator("")));
    assert!(ask(&app, browser(Method::DELETE, KEY)).await.status.is_success());
    let audit = get(&app, "/cache/api/v1/audit").await;
    assert!(audit.text.contains("\"unnamed\""), "{}", audit.text);
}
