//! Addresses, certificates and namespaces that are none, and a node that never answers.

use std::process::Command;

use strata_testing::{Authority, Cluster, RedisServer, Validity};

use super::pod::{NAMESPACE, Pod};
use super::{Dashboard, until};

/// `strata serve` with an address that cannot be used says why on its front page, whether services
/// are named or announce themselves.
async fn says_why(url: &str, more: &[&str], why: &str) {
    for named in [&[][..], &["--namespace", NAMESPACE]] {
        let options = [&["--redis-url", url][..], more, named].concat();
        let dashboard = Dashboard::start_front(&options).await;
        dashboard.page("/healthz").await;
        until(&format!("it says {why:?}"), async || dashboard.page("/?all").await.contains(why))
            .await;
        assert_ne!(dashboard.json("/readyz").await["redis"]["state"], "up");
    }
}

#[tokio::test]
async fn a_certificate_of_a_wrong_authority_and_one_that_has_expired_are_told() {
    let plain = ["--tls-auth-clients", "no"];
    let (authority, other) = (Authority::new(), Authority::new());
    let sound = authority.sign("server", &["localhost"], Validity::Lasts);
    let expired = other.sign("server", &["localhost"], Validity::Expired);
    let redis = RedisServer::start_with_tls(&authority, &sound, &plain).await;
    let late = RedisServer::start_with_tls(&other, &expired, &plain).await;
    let ca = other.file();
    let trusts = ["--redis-ca-file", ca.to_str().unwrap()];
    says_why(&redis.tls_url("localhost"), &trusts, "signed by no authority").await;
    says_why(&late.tls_url("localhost"), &trusts, "has expired").await;
}

#[tokio::test]
async fn a_cluster_s_address_of_a_server_that_is_none_is_told() {
    let alone = RedisServer::start_on_a_port(&[]).await;
    let url = format!("redis+cluster://127.0.0.1:{}", alone.port());
    says_why(&url, &[], "the server is no cluster: give a redis:// address").await;
}

#[tokio::test]
async fn an_address_of_one_server_of_a_cluster_leads_to_the_services_or_says_why_not() {
    let cluster = Cluster::start().await;
    let slot = cluster.slot("{shop}").await;
    let lacks = (0..cluster.servers.len()).find(|i| *i != cluster.owner(slot)).unwrap();
    let url = cluster.servers[lacks].tcp_url();
    let dashboard = Dashboard::start_front(&["--redis-url", &url, "--namespace", NAMESPACE]).await;
    until("it says where the slot is", async || {
        dashboard.page("/?all").await.contains("give a redis+cluster:// address")
    })
    .await;
}

#[tokio::test]
async fn a_namespace_that_does_not_exist_has_no_data_and_is_not_made() {
    let redis = RedisServer::start().await;
    let options = ["--redis-url", &redis.url(), "--namespace", "nosuch"];
    let dashboard = Dashboard::start_front(&options).await;
    until("it has no data", async || {
        dashboard.json("/api/v1/services").await[0]["state"] == "no_data"
    })
    .await;
    for path in ["/s/nosuch/", "/s/nosuch/nodes", "/s/nosuch/keys", "/s/nosuch/api/v1/caches"] {
        dashboard.page(path).await;
    }
    let page = dashboard.page("/?all").await;
    assert!(page.contains("No data: none of its nodes is heard."), "{page}");
    let keys: Vec<String> = redis.ask(&["KEYS", "*"]).await;
    for key in keys {
        let left_ms: i64 = redis.ask(&["PTTL", &key]).await;
        assert!(left_ms != -1, "{key} would stay for ever");
    }
    let known: i64 = redis.ask(&["HLEN", "strata:namespaces"]).await;
    assert_eq!(known, 0, "looking does not announce it");
}

#[tokio::test]
async fn a_node_that_never_answers_is_named_and_the_others_answer() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let pods = [Pod::start(&url, "pod-1").await, Pod::start(&url, "pod-2").await];
    let dashboard = Dashboard::start(&["--redis-url", &url, "--namespace", NAMESPACE]).await;
    dashboard.until_counted(2, 2).await;
    let frozen = pods[1].id().to_string();
    let signal = |name: &str| Command::new("kill").args([name, &frozen]).status().unwrap();
    assert!(signal("-STOP").success());
    until("it is named", async || {
        let (_, look) = dashboard.ask("GET", "/api/v1/caches/users/keys/1", None).await;
        assert!(look.contains("pod-1"), "{look}");
        look.contains("1 of 2 nodes answered; silent: pod-2")
    })
    .await;
    for path in ["/", "/nodes", "/keys?cache=users&pattern=*", "/caches/users"] {
        dashboard.page(path).await;
    }
    assert!(signal("-CONT").success());
    dashboard.until_counted(2, 2).await;
    until("it answers again", async || {
        let (_, look) = dashboard.ask("GET", "/api/v1/caches/users/keys/1", None).await;
        !look.contains("silent")
    })
    .await;
}
