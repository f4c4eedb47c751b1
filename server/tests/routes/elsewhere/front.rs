//! What `strata serve` says beside its services: alerts, health, numbers of all, refusals.

use std::net::TcpListener;
use std::process::Stdio;

use strata_testing::RedisServer;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::pod::{NAMESPACE, Pod};
use super::{Dashboard, OPERATOR, status_of, until};

fn with(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

/// The number of a metric of the program.
async fn number(dashboard: &Dashboard, path: &str, name: &str) -> u64 {
    let (_, text) = dashboard.send("GET", path, &with(OPERATOR)).await;
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    assert!(line.is_some(), "no {name}: {text}");
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_redis_that_swallows_what_it_is_sent_holds_up_neither_health_nor_the_services_of_another()
{
    // Whoever connects waits for an answer for ever.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let redis = RedisServer::start().await;
    let _pod = Pod::start(&redis.url(), "pod-1").await;
    let eu = format!("eu=redis://{}", silent.local_addr().unwrap());
    let us = format!("us={}", redis.url());
    // One after the other they would take longer than a minute to give up.
    let mut names: Vec<_> = (0..120).map(|n| format!("eu:ns-{n}")).collect();
    names.push("us:shop".to_owned());
    let names = names.join(",");
    let options = ["--redis-url", &eu, "--redis-url", &us, "--namespace", &names];
    let dashboard = Dashboard::start_front(&options).await;
    dashboard.page("/healthz").await;
    assert_eq!(status_of(&dashboard.send("GET", "/", "").await.0), 200);
    until("the other one's service is up", async || {
        let all = dashboard.json("/api/v1/services").await;
        let shop = all.as_array().unwrap().iter().find(|one| one["service"] == "us:shop");
        shop.is_some_and(|shop| shop["state"] == "up")
    })
    .await;
    until("the silent one is known to be down", async || {
        let ready = dashboard.json("/readyz").await;
        assert_ne!(ready["redis"]["each"][0]["state"], "up", "it was never heard: {ready}");
        ready["redis"]["state"] == "down"
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_was_never_heard_is_not_up() {
    let mut redis = RedisServer::start().await;
    let url = redis.url();
    redis.kill();
    for more in [&["--namespace", NAMESPACE][..], &[]] {
        let options = [&["--redis-url", &url][..], more].concat();
        let dashboard = Dashboard::start_front(&options).await;
        until("it is down", async || {
            let ready = dashboard.json("/readyz").await;
            assert_ne!(ready["redis"]["state"], "up", "{ready}");
            ready["redis"]["state"] == "down"
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_expected_and_heard_of_nowhere_is_told_to_those_who_may_look() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let _pods = [Pod::start_of("blog", &url, "b").await, Pod::start_of("shop", &url, "s").await];
    let expect = "depot=2,shop-api=1,blog=1,lonely-api=3";
    let options = ["--redis-url", &url, "--expect", expect];
    let tokens = ["--operator-token", OPERATOR, "--viewer-token", "v-token"];
    let dashboard = Dashboard::start_front(&[&options[..], &tokens].concat()).await;
    let told = async |path: &str| dashboard.send("GET", path, &with("v-token")).await.1;
    until("it is told", async || {
        let ready = told("/readyz").await;
        ready.contains("0 of 2 nodes of depot are heard") && ready.contains("lonely-api")
    })
    .await;
    let ready = told("/readyz").await;
    assert!(!ready.contains("nodes of shop-api") && !ready.contains("nodes of blog"), "{ready}");
    let page = told("/").await;
    assert!(page.contains("role=\"alert\"") && page.contains("0 of 2 nodes of depot"), "{page}");
    let to_strangers = dashboard.send("GET", "/readyz", "").await.1;
    assert!(!to_strangers.contains("depot"), "{to_strangers}");
    let _depot = Pod::start_of("depot", &url, "d").await;
    until("its own dashboard tells of it", async || {
        let ready = told("/readyz").await;
        !ready.contains("depot are heard") && ready.contains("lonely-api")
    })
    .await;
    until("one of two is an alert there", async || {
        told("/s/depot/api/v1/alerts").await.contains("1 of 2 nodes of depot are heard")
    })
    .await;
}

#[tokio::test]
async fn the_numbers_of_the_program_add_up_what_its_services_do() {
    let mut redis = RedisServer::start().await;
    let url = redis.url();
    let _pods = [Pod::start_of("blog", &url, "b").await, Pod::start_of("shop", &url, "s").await];
    let options = ["--redis-url", &url, "--operator-token", OPERATOR];
    let dashboard = Dashboard::start_front(&options).await;
    dashboard.until_up(&["blog", "shop"]).await;
    redis.kill();
    // Nobody can write down what is done meanwhile.
    for service in ["blog", "shop"] {
        let key = format!("/s/{service}/api/v1/caches/users/keys/1");
        dashboard.send("DELETE", &key, &with(OPERATOR)).await;
    }
    let name = "strata_audit_unwritten_entries";
    until("both wait", async || {
        let of_blog = number(&dashboard, "/s/blog/metrics", name).await;
        let of_shop = number(&dashboard, "/s/shop/metrics", name).await;
        let of_all = number(&dashboard, "/metrics", name).await;
        of_blog > 0 && of_shop > 0 && of_all == of_blog + of_shop
    })
    .await;
}

#[tokio::test]
async fn a_parameter_that_an_address_of_the_front_does_not_have_is_refused_by_name() {
    let redis = RedisServer::start().await;
    let dashboard = Dashboard::start_front(&["--redis-url", &redis.url()]).await;
    for path in ["/api/v1/services", "/readyz", "/healthz", "/metrics", "/"] {
        let (head, said) = dashboard.send("GET", &format!("{path}?nosuch=1"), "").await;
        assert!(status_of(&head) == 400 && said.contains("nosuch"), "{path}: {head} {said}");
    }
    for path in ["/?all", "/?all=1", "/login?to=%2F"] {
        assert_eq!(status_of(&dashboard.send("GET", path, "").await.0), 200, "{path}");
    }
}

#[tokio::test]
async fn a_line_of_the_log_says_of_which_service_it_is() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let _pods = [Pod::start_of("blog", &url, "b").await, Pod::start_of("shop", &url, "s").await];
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_strata"));
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--redis-url", &url, "--base-path", "/cache"])
        .env("STRATA_LOG", "strata_server=debug")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = crate::program::address(&mut child).await;
    let address = address.split('/').next().unwrap().to_owned();
    let dashboard = Dashboard { address, base: "/cache", child };
    // All are read, since a log that nobody reads loses lines.
    let (sender, told) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let mut sender = Some(sender);
        while let Ok(Some(line)) = lines.next_line().await {
            if line.contains("/api/v1/nodes")
                && let Some(sender) = sender.take()
            {
                sender.send(line).unwrap();
            }
        }
    });
    dashboard.until_up(&["blog", "shop"]).await;
    dashboard.page("/s/shop/api/v1/nodes").await;
    let line = tokio::time::timeout(crate::support::PATIENCE, told).await.unwrap().unwrap();
    assert!(line.contains("/s/shop/api/v1/nodes"), "{line}");
}
