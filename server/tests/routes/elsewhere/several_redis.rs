//! Several Redis, and one that allows little.

use strata_testing::RedisServer;

use super::pod::{NAMESPACE, Pod};
use super::{Dashboard, OPERATOR, status_of, until};

#[tokio::test]
async fn where_one_redis_is_away_its_services_say_so_and_the_others_go_on() {
    let (mut eu, us) = (RedisServer::start().await, RedisServer::start().await);
    let _pods = [Pod::start(&eu.url(), "pod-eu").await, Pod::start(&us.url(), "pod-us").await];
    let (eu_url, us_url) = (format!("eu={}", eu.url()), format!("us={}", us.url()));
    let options = ["--redis-url", &eu_url, "--redis-url", &us_url, "--expect", "us:shop=2"];
    let dashboard = Dashboard::start_front(&options).await;
    let state = async |service: &str| {
        let all = dashboard.json("/api/v1/services").await;
        let found = all.as_array().unwrap().iter().find(|one| one["service"] == service);
        found.map(|one| one["state"].as_str().unwrap().to_owned()).unwrap_or_default()
    };
    until("both are up", async || state("eu:shop").await == "up" && state("us:shop").await == "up")
        .await;
    for (service, node) in [("eu:shop", "pod-eu"), ("us:shop", "pod-us")] {
        let page = dashboard.page(&format!("/s/{service}/nodes")).await;
        assert!(page.contains(node), "{service}: {page}");
    }
    let alerts = async |service: &str| dashboard.page(&format!("/s/{service}/api/v1/alerts")).await;
    until("one is missing in one of them", async || {
        alerts("us:shop").await.contains("1 of 2 nodes of shop are heard")
    })
    .await;
    assert!(!alerts("eu:shop").await.contains("nodes_missing"));
    let numbers = dashboard.page("/metrics").await;
    assert!(numbers.contains("namespace=\"shop\",redis=\"eu\""), "{numbers}");

    eu.kill();
    until("it is known", async || state("eu:shop").await == "unheard").await;
    let page = dashboard.page("/").await;
    assert!(page.contains("I cannot reach Redis eu; last heard "), "{page}");
    until("an alert says so", async || {
        alerts("eu:shop").await.contains("I cannot reach Redis eu; last heard ")
    })
    .await;
    assert_eq!(state("us:shop").await, "up");
    assert!(!alerts("us:shop").await.contains("fleet_unheard"));
    let ready = dashboard.json("/readyz").await;
    assert_eq!(
        ready["redis"]["each"].to_string(),
        "[{\"redis\":\"eu\",\"state\":\"down\"},{\"redis\":\"us\",\"state\":\"up\"}]"
    );
    eu.restart().await;
    until("it is heard again", async || state("eu:shop").await == "up").await;
}

#[tokio::test]
async fn a_redis_that_does_not_tell_its_services_is_watched_by_name() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    // As docs/fleet.md has it, without the list of namespaces.
    let rules = "ACL SETUSER app on >password resetkeys ~{shop}* resetchannels -@all +@read \
                 +@write +@connection +@transaction +@scripting -@dangerous +time +info";
    let words: Vec<_> = rules.split_whitespace().collect();
    assert_eq!(redis.cli(&words).await, "OK");
    let dir = tempfile::tempdir().unwrap();
    let password = dir.path().join("password");
    std::fs::write(&password, "password").unwrap();
    let login = [
        "--redis-url",
        &url,
        "--redis-user",
        "app",
        "--redis-password-file",
        password.to_str().unwrap(),
    ];
    let mut pod = Pod::start(&url, "pod-1").await;
    let refused = Dashboard::start_front(&login).await;
    until("it says why it finds none", async || {
        let page = refused.page("/").await;
        page.contains("does not tell which services there are") && page.contains("NOPERM")
    })
    .await;
    let named = [&login[..], &["--namespace", NAMESPACE, "--operator-token", OPERATOR]].concat();
    let dashboard = Dashboard::start(&named).await;
    dashboard.until_counted(1, 1).await;
    pod.read(42).await;
    assert!(pod.has(42).await);
    let (status, said) =
        dashboard.ask("DELETE", "/api/v1/caches/users/keys/42", Some(OPERATOR)).await;
    assert_eq!(status, 200, "{said}");
    assert!(!pod.has(42).await);
    let (head, _) = dashboard.send("GET", "/", "").await;
    assert!(status_of(&head) == 307 && head.contains("/s/shop/"), "{head}");
}
