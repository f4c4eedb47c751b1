//! A dashboard without Redis, with one that loses its data, and with garbage in it.

use std::path::Path;

use strata_testing::RedisServer;
use tokio::process::Command;

use super::pod::{NAMESPACE, Pod};
use super::{Dashboard, row, until};

async fn redis_cli(redis: &RedisServer, words: &[&str]) {
    let socket = redis.socket();
    let mut command = Command::new("redis-cli");
    command.arg("-s").arg(Path::new(&socket)).args(words);
    let said = command.output().await.unwrap();
    assert!(said.status.success(), "{words:?}: {said:?}");
}

#[tokio::test]
async fn without_redis_it_starts_stays_up_and_says_so_and_nobody_acts_without_a_token() {
    let mut redis = RedisServer::start().await;
    let url = redis.url();
    redis.kill();
    let dashboard = Dashboard::start(&["--redis-url", &url, "--namespace", NAMESPACE]).await;
    dashboard.page("/healthz").await;
    let redis_is = async |state: &str| dashboard.json("/readyz").await["redis"]["state"] == state;
    until("its own way to Redis is known to be down", async || redis_is("down").await).await;
    until("it says so", async || dashboard.has_alert("fleet_unheard").await).await;
    assert!(dashboard.has_alert_that_says("I cannot reach Redis; nothing was heard").await);
    for path in ["/", "/nodes", "/redis", "/activity"] {
        dashboard.page(path).await;
    }
    redis.restart().await;
    until("Redis is up though no node reports", async || redis_is("up").await).await;
    let _pod = Pod::start(&url, "pod-1").await;
    dashboard.until_counted(1, 1).await;
    until("all is well", async || !dashboard.has_alert("fleet_unheard").await).await;
    let (status, said) = dashboard.ask("DELETE", "/api/v1/caches/users/keys/1", None).await;
    assert!(status == 403 && said.contains("--operator-token"), "{status} {said}");

    redis.kill();
    until("it says so again", async || dashboard.has_alert("fleet_unheard").await).await;
    assert!(dashboard.has_alert_that_says("I cannot reach Redis; last heard ").await);
    dashboard.until_counted(1, 1).await;
    assert!(!dashboard.has_alert("node_gone").await, "its own deafness is nobody's death");
    redis.restart().await;
    until("it hears again", async || {
        assert!(!dashboard.has_alert("node_gone").await);
        !dashboard.has_alert("fleet_unheard").await
    })
    .await;
    dashboard.until_counted(1, 1).await;
}

#[tokio::test]
async fn without_a_namespace_it_says_that_it_waits_until_a_service_announces_itself() {
    let mut redis = RedisServer::start().await;
    let url = redis.url();
    redis.kill();
    let dashboard = Dashboard::start_front(&["--redis-url", &url]).await;
    dashboard.page("/healthz").await;
    let says = async |what: &str| dashboard.page("/").await.contains(what);
    until("it says that Redis is away", async || says("I cannot reach Redis; nothing was").await)
        .await;
    let (status, why) = dashboard.ask("GET", "/nodes", None).await;
    assert!(status == 503 && why.contains("No service has announced itself"), "{status} {why}");
    let ready = dashboard.json("/readyz").await;
    assert_eq!((&ready["ready"], &ready["redis"]["state"]), (&true.into(), &"down".into()));
    redis.restart().await;
    until("it says that there is no service", async || says("none has announced itself").await)
        .await;
    until("Redis is up", async || dashboard.json("/readyz").await["redis"]["state"] == "up").await;
    redis_cli(&redis, &["HSET", "strata:namespaces", "a-depot", "1"]).await;
    until("it says what has ended", async || says("a-depot was last seen ").await).await;
    let _pod = Pod::start(&url, "pod-1").await;
    until("it is there", async || {
        dashboard.send("GET", "/s/shop/nodes", "").await.1.contains("pod-1")
    })
    .await;
}

#[tokio::test]
async fn lost_data_and_garbage_in_the_keys_of_the_fleet_break_nothing() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let _pods = [Pod::start(&url, "pod-1").await, Pod::start(&url, "pod-2").await];
    let dashboard = Dashboard::start(&["--redis-url", &url, "--namespace", NAMESPACE]).await;
    dashboard.until_counted(2, 2).await;
    redis_cli(&redis, &["FLUSHALL"]).await;
    for _ in 0..20 {
        let rows = dashboard.rows().await;
        assert_eq!(rows["fleet"]["counted"], 2, "nobody is lost or has left: {rows}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    until("both beat again", async || {
        let rows = dashboard.rows().await;
        ["pod-1", "pod-2"].iter().all(|node| row(&rows, node)["presence"]["state"] == "up")
    })
    .await;

    // A form of a later protocol, and what is no form at all.
    let later = r#"return redis.call('SET', KEYS[1], '\1\0{"protocol":7,"run":"x"}')"#;
    redis_cli(&redis, &["ZADD", "{shop}!fleet:nodes", "4000000000000", "never"]).await;
    until("what cannot be read is told", async || {
        redis_cli(&redis, &["SET", "{shop}!fleet:card:pod-1", "garbage"]).await;
        redis_cli(&redis, &["EVAL", later, "1", "{shop}!fleet:now:pod-1"]).await;
        dashboard.has_alert("node_unreadable").await
    })
    .await;
    for key in ["asks", "asks:pod-1", "want", "nodes", "card:pod-2", "now:pod-2"] {
        redis_cli(&redis, &["DEL", &format!("{{shop}}!fleet:{key}")]).await;
        redis_cli(&redis, &["SET", &format!("{{shop}}!fleet:{key}"), "garbage"]).await;
    }
    for path in ["/", "/nodes", "/api/v1/nodes"] {
        dashboard.page(path).await;
    }
    redis_cli(&redis, &["FLUSHALL"]).await;
    until("all is well again", async || {
        let rows = dashboard.rows().await;
        let is_up = |node: &&str| row(&rows, node)["presence"]["state"] == "up";
        ["pod-1", "pod-2"].iter().all(is_up) && !dashboard.has_alert("node_unreadable").await
    })
    .await;
}
