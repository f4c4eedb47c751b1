//! Several services on one dashboard.

use std::net::Ipv4Addr;

use serde_json::Value;
use strata_testing::RedisServer;

use super::pod::Pod;
use super::{Dashboard, OPERATOR, status_of, until};

const BROWSER: &str = "accept: text/html\r\n";

impl Dashboard {
    async fn services(&self) -> Vec<Value> {
        self.json("/api/v1/services").await.as_array().unwrap().clone()
    }

    /// Status, head and body of a page, as a browser asks for it.
    async fn browse(&self, path: &str) -> (u16, String, String) {
        let (head, body) = self.send("GET", path, BROWSER).await;
        (status_of(&head), head, body)
    }

    pub(super) async fn until_up(&self, services: &[&str]) {
        until("all services are up", async || {
            let all = self.services().await;
            let up = all.iter().filter(|service| service["state"] == "up");
            up.map(|service| service["service"].as_str().unwrap()).eq(services.iter().copied())
        })
        .await;
    }
}

#[tokio::test]
async fn each_service_has_its_dashboard_below_its_name_whatever_that_is() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let _pods = [
        Pod::start_of("api", &url, "pod-a").await,
        Pod::start_of("s", &url, "pod-s").await,
        Pod::start_of("shop", &url, "pod-1").await,
    ];
    let dashboard = Dashboard::start_front(&["--redis-url", &url]).await;
    dashboard.until_up(&["api", "s", "shop"]).await;
    let (status, _, page) = dashboard.browse("/").await;
    assert_eq!(status, 200, "{page}");
    for said in ["/s/api/", "/s/s/", "/s/shop/", "1 of 1 node up", "Reads/s"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    for (path, node) in [
        ("/s/api/nodes", "pod-a"),
        ("/s/api/api/v1/nodes/rows", "pod-a"),
        ("/s/s/nodes", "pod-s"),
        ("/s/%73hop/nodes", "pod-1"),
        ("/s/shop/api/v1/nodes/rows", "pod-1"),
    ] {
        let (status, _, page) = dashboard.browse(path).await;
        assert!(status == 200 && page.contains(node), "{path}: {status} {page}");
    }
    let (_, _, page) = dashboard.browse("/s/s/").await;
    assert!(page.contains("data-base=\"/s/s\"") && page.contains("href=\"/s/s/keys\""), "{page}");
    for other in ["/s/api/", "/s/shop/", "/?all"] {
        assert!(page.contains(&format!("href=\"{other}\"")), "the way to {other}: {page}");
    }
    let numbers = dashboard.page("/metrics").await;
    for namespace in ["api", "s", "shop"] {
        assert!(numbers.contains(&format!("namespace=\"{namespace}\"")), "{numbers}");
    }
    assert!(!numbers.contains("node="), "{numbers}");
    assert_eq!(numbers.matches("# TYPE cache_bus_connected ").count(), 1, "{numbers}");
    let of_one = dashboard.page("/s/shop/metrics").await;
    assert!(of_one.contains("cache_bus_connected") && !of_one.contains("namespace="), "{of_one}");
}

#[tokio::test]
async fn an_address_of_no_service_says_which_there_are() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let _pods = [Pod::start_of("blog", &url, "b").await, Pod::start_of("shop", &url, "s").await];
    let dashboard = Dashboard::start_front(&["--redis-url", &url]).await;
    dashboard.until_up(&["blog", "shop"]).await;
    for path in ["/s/nosuch/", "/s/nosuch", "/s/", "/s//", "/s/%FF/", "/s/..%2f", "/s/%3Cb%3E/keys"]
    {
        let (status, _, page) = dashboard.browse(path).await;
        assert_eq!(status, 404, "{path}: {page}");
        assert!(page.contains("href=\"/s/blog/\"") && page.contains("href=\"/s/shop/\""), "{page}");
        assert!(!page.contains("<b>"), "{page}");
    }
    let (head, body) = dashboard.send("GET", "/s/nosuch/api/v1/nodes", "").await;
    assert!(status_of(&head) == 404 && head.contains("problem+json"), "{head}");
    assert!(body.contains("unknown-service") && body.contains("/s/shop/"), "{body}");
    let (head, body) = dashboard.send("GET", "/api/v1/nodes", "").await;
    assert!(status_of(&head) == 404 && body.contains("/s/blog/, /s/shop/"), "{head} {body}");
}

#[tokio::test]
async fn every_path_leads_to_the_only_service_until_there_is_another() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let _shop = Pod::start_of("shop", &url, "s").await;
    let options = ["--redis-url", &url, "--base-path", "/cache"];
    let dashboard = Dashboard { base: "/cache", ..Dashboard::start_front(&options).await };
    dashboard.until_up(&["shop"]).await;
    for (path, leads) in [
        ("/cache/", "/cache/s/shop/"),
        ("/cache", "/cache/s/shop/"),
        ("/cache/api/v1/nodes?x=1", "/cache/s/shop/api/v1/nodes?x=1"),
        // A proxy has stripped the base.
        ("/nodes", "/cache/s/shop/nodes"),
    ] {
        let (status, head, _) = dashboard.browse(path).await;
        assert!(
            status == 307 && head.contains(&format!("location: {leads}\r\n")),
            "{path}: {head}"
        );
    }
    // What changes something names its service, since there may be another one at any time.
    for method in ["DELETE", "POST", "PUT"] {
        let (head, body) = dashboard.send(method, "/cache/api/v1/caches/users/keys/42", "").await;
        assert_eq!(status_of(&head), 404, "{method}: {head}");
        assert!(!head.contains("location:") && body.contains("/cache/s/shop/"), "{head} {body}");
    }
    let (status, _, page) = dashboard.browse("/cache/?all").await;
    assert!(status == 200 && page.contains("/cache/s/shop/"), "{page}");
    let (status, _, page) = dashboard.browse("/s/shop/nodes").await;
    assert!(status == 200 && page.contains("data-base=\"/cache/s/shop\""), "{page}");
    let _blog = Pod::start_of("blog", &url, "b").await;
    dashboard.until_up(&["blog", "shop"]).await;
    assert_eq!(dashboard.browse("/cache/").await.0, 200);
    assert_eq!(dashboard.browse("/cache/nodes").await.0, 404);
}

#[tokio::test]
async fn one_token_is_good_for_all_services_and_each_writes_down_what_was_done_in_it() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let _pods = [Pod::start_of("blog", &url, "b").await, Pod::start_of("shop", &url, "s").await];
    let options = ["--redis-url", &url, "--operator-token", OPERATOR, "--viewer-token", "v-token"];
    let dashboard = Dashboard::start_front(&options).await;
    let with = |token: &str| format!("authorization: Bearer {token}\r\n");
    let operator = with(OPERATOR);
    until("both are up", async || {
        let (_, all) = dashboard.send("GET", "/api/v1/services", &operator).await;
        all.matches("\"state\":\"up\"").count() == 2
    })
    .await;
    for path in ["/api/v1/services", "/metrics", "/s/nosuch/x", "/s/shop/api/v1/nodes", "/nodes"] {
        let (head, body) = dashboard.send("GET", path, "").await;
        assert_eq!(status_of(&head), 401, "{path}: {body}");
        assert!(!body.contains("blog"), "{path}: {body}");
    }
    let (status, head, _) = dashboard.browse("/").await;
    assert!(status == 303 && head.contains("location: /login?to="), "{head}");
    for path in ["/healthz", "/readyz", "/login"] {
        assert_eq!(status_of(&dashboard.send("GET", path, "").await.0), 200, "{path}");
    }
    let (_, to_strangers) = dashboard.send("GET", "/readyz", "").await;
    assert!(to_strangers.contains("\"services_up\":2"), "{to_strangers}");
    assert!(!to_strangers.contains("shop"), "{to_strangers}");
    assert!(dashboard.send("GET", "/readyz", &operator).await.1.contains("shop"));
    let key = "/s/shop/api/v1/caches/users/keys/42";
    let (head, body) = dashboard.send("DELETE", key, &with("v-token")).await;
    assert_eq!(status_of(&head), 403, "{body}");
    let (head, body) = dashboard.send("DELETE", key, &operator).await;
    assert_eq!(status_of(&head), 200, "{body}");
    let audit = async |service: &str| {
        let path = format!("/s/{service}/api/v1/audit");
        dashboard.send("GET", &path, &operator).await.1
    };
    assert!(audit("shop").await.contains("invalidate_key"));
    assert!(!audit("blog").await.contains("invalidate_key"));
}

#[tokio::test]
async fn wrong_tokens_at_all_services_count_together() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let options = ["--redis-url", &url, "--namespace", "blog,shop", "--operator-token", OPERATOR];
    let dashboard = Dashboard::start_front(&options).await;
    let wrong = "authorization: Bearer not-a-token\r\n";
    let mut statuses = Vec::new();
    for i in 0..70 {
        let service = if i % 2 == 0 { "blog" } else { "shop" };
        let path = format!("/s/{service}/api/v1/session");
        statuses.push(status_of(&dashboard.send("GET", &path, wrong).await.0));
    }
    assert!(statuses.contains(&429), "{statuses:?}");
}

/// What is asked of a service by somebody who has no token.
const ASKED_BY_STRANGERS: [(&str, &str); 22] = [
    ("GET", ""),
    ("GET", "/"),
    ("GET", "/nodes"),
    ("GET", "/nosuch?x=1"),
    ("GET", "/healthz"),
    ("HEAD", "/healthz"),
    ("POST", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/events"),
    ("GET", "/login"),
    ("GET", "/login?to=%2Fs%2FNAME%2Fnodes"),
    ("POST", "/login"),
    ("POST", "/logout"),
    ("GET", "/api/v1/nodes"),
    ("POST", "/api/strata/log_in"),
    ("POST", "/api/strata/session"),
    ("DELETE", "/api/v1/caches/users/keys/42"),
    ("OPTIONS", "/nodes"),
    ("GET", "/favicon.svg"),
    ("GET", "/pkg/nosuch.js"),
    ("GET", "/scripts/nosuch.js"),
];

impl Dashboard {
    /// An answer below a name, without what differs between any two answers.
    async fn below(&self, name: &str, asked: (&str, &str), headers: &str) -> String {
        self.below_from(Ipv4Addr::LOCALHOST, name, (asked, headers)).await
    }

    /// The same from another address of this machine.
    async fn below_from(
        &self,
        from: Ipv4Addr,
        name: &str,
        ((method, path), headers): ((&str, &str), &str),
    ) -> String {
        let path = format!("/s/{name}{}", path.replace("NAME", name));
        let (head, body) = self.send_from(from, (method, &path), headers).await;
        let is_its_own =
            |line: &&str| line.starts_with("date: ") || line.starts_with("x-request-id: ");
        let head: Vec<_> = head.lines().filter(|line| !is_its_own(line)).collect();
        format!("{}\n\n{body}", head.join("\n")).replace(name, "NAME")
    }
}

#[tokio::test]
async fn whoever_may_not_look_cannot_tell_a_service_from_a_name_that_there_is_not() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let _pod = Pod::start_of("shop", &url, "pod-1").await;
    let tokens = ["--operator-token", OPERATOR, "--viewer-token", "v-token"];
    let options = [&["--redis-url", &url][..], &tokens].concat();
    let dashboard = Dashboard::start_front(&options).await;
    let with_token = format!("authorization: Bearer {OPERATOR}\r\n");
    until("it is up", async || {
        dashboard.send("GET", "/api/v1/services", &with_token).await.1.contains("\"state\":\"up\"")
    })
    .await;
    for (asked, i) in ASKED_BY_STRANGERS.into_iter().zip(2..) {
        // Wrong tokens count by address: one address would soon be told nothing else.
        let from = Ipv4Addr::new(127, 0, 0, i);
        for headers in ["", BROWSER, "authorization: Bearer not-a-token\r\n"] {
            let known = dashboard.below_from(from, "shop", (asked, headers)).await;
            let unknown = dashboard.below_from(from, "shob", (asked, headers)).await;
            assert_eq!(known, unknown, "{asked:?} {headers:?}");
            assert!(!known.contains("pod-1"), "{known}");
            assert_ne!(known.split(' ').nth(1), Some("429"), "{asked:?} {headers:?}");
        }
    }
    let to_viewer = dashboard.below("shop", ("GET", "/readyz"), &with_token).await;
    assert!(to_viewer.contains("pod-1"), "{to_viewer}");
    let to_viewer = dashboard.below("shob", ("GET", "/readyz"), &with_token).await;
    assert!(to_viewer.contains("unknown-service"), "{to_viewer}");
}

#[tokio::test]
async fn whoever_may_not_look_cannot_tell_a_service_that_is_being_found_from_others() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let named = ["--redis-url", &url, "--namespace", "shop,blog"];
    let tokens = ["--operator-token", OPERATOR, "--viewer-token", "v-token"];
    let dashboard = Dashboard::start_front(&[&named[..], &tokens].concat()).await;
    let with_token = format!("authorization: Bearer {OPERATOR}\r\n");
    // From the first moment on, until it is shown.
    until("it is shown", async || {
        for asked in [("GET", "/nodes"), ("GET", "/api/v1/session"), ("GET", "/readyz")] {
            for headers in ["", BROWSER] {
                let known = dashboard.below("shop", asked, headers).await;
                let unknown = dashboard.below("shob", asked, headers).await;
                assert_eq!(known, unknown, "{asked:?} {headers:?}");
            }
        }
        let own = dashboard.below("shop", ("GET", "/api/v1/session"), &with_token).await;
        own.split(' ').nth(1) == Some("200")
    })
    .await;
}

#[tokio::test]
async fn below_any_name_a_health_check_is_answered_and_a_session_ended() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let _pod = Pod::start_of("shop", &url, "pod-1").await;
    let dashboard = Dashboard::start_front(&["--redis-url", &url]).await;
    dashboard.until_up(&["shop"]).await;
    for name in ["shop", "shob"] {
        let out = dashboard.below(name, ("POST", "/logout"), "").await;
        assert!(out.contains("location: /s/NAME/login"), "{out}");
        let answer = dashboard.below(name, ("GET", "/healthz"), "").await;
        assert!(
            answer.starts_with("http/1.0 200") || answer.starts_with("http/1.1 200"),
            "{answer}"
        );
    }
}
