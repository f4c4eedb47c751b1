//! What a server is not, or refuses, is said in one sentence.

use strata_cache::RedisAddress;
use strata_cache::doctor::{Verdict, examine};
use strata_testing::{Cluster, MASTER, Sentinel};

use super::{node_at, says};
use crate::support::Redis;

async fn node(url: &str) -> strata_cache::Node {
    node_at(&RedisAddress::parse(url).unwrap(), "node").await
}

/// What the doctor finds first of all.
async fn found(url: &str) -> String {
    let diagnosis = examine(url, Some("test")).await.unwrap();
    assert_eq!(diagnosis.verdict(), Verdict::Fails, "{diagnosis:#?}");
    let fails = diagnosis.findings.into_iter().find(|one| one.verdict == Verdict::Fails).unwrap();
    format!("{}: {} {}", fails.subject, fails.seen, fails.advice.unwrap_or_default())
}

#[tokio::test]
async fn a_server_that_is_no_cluster_and_no_sentinel_is_told() {
    let redis = Redis::start_on_a_port().await;
    for (scheme, path, said) in [
        ("redis+cluster", "", "the server is no cluster: give a redis:// address"),
        ("redis+sentinel", "/main", "it is no Sentinel"),
    ] {
        let url = format!("{scheme}://127.0.0.1:{}{path}", redis.port());
        assert!(found(&url).await.contains(said), "{}", found(&url).await);
        let code = if scheme.ends_with("cluster") { "CLUSTER" } else { "SENTINEL" };
        says(&node(&url).await, code, said).await;
    }
}

#[tokio::test]
async fn an_address_of_one_server_of_a_cluster_that_lacks_the_slot_is_told() {
    let cluster = Cluster::start().await;
    let owner = cluster.owner(cluster.slot("{test}").await);
    let other = &cluster.servers[(owner + 1) % 3];
    let url = other.tcp_url();
    let told = found(&url).await;
    assert!(
        told.contains("one server of a cluster") && told.contains("redis+cluster://"),
        "{told}"
    );
    says(&node(&url).await, "CLUSTER", "give a redis+cluster:// address").await;
}

#[tokio::test]
async fn an_address_of_a_sentinel_without_a_master_is_told() {
    let redis = Redis::start_on_a_port().await;
    let sentinel = Sentinel::watching(&redis, 0, &[]).await;
    let url = format!("redis://127.0.0.1:{}", sentinel.port());
    let said = "the server is a Sentinel: give the address as redis+sentinel://";
    assert!(found(&url).await.contains(said), "{}", found(&url).await);
    says(&node(&url).await, "SENTINEL", said).await;
}

#[tokio::test]
async fn a_master_that_no_sentinel_knows_is_told() {
    let redis = Redis::start_on_a_port().await;
    let sentinel = Sentinel::watching(&redis, 0, &[]).await;
    let url = sentinel.url("mian");
    assert!(found(&url).await.contains("no Sentinel knows a master named \"mian\""));
    let node = node(&url).await;
    says(&node, "SENTINEL", "no Sentinel knows a master named \"mian\"").await;
    assert!(!found(&url).await.contains(MASTER));
}

#[tokio::test]
async fn sentinels_of_which_none_answers_are_named() {
    let url = "redis+sentinel://127.0.0.1:1,127.0.0.1:2/main";
    assert!(found(url).await.contains("no Sentinel answers: 127.0.0.1:2: "));
}

#[tokio::test]
async fn a_wrong_password_is_told_in_one_sentence() {
    let redis = Redis::start().await;
    let () = redis.ask(&["CONFIG", "SET", "requirepass", "right"]).await;
    let url = format!("{}?pass=hunter2", redis.url());
    let said = found(&url).await;
    assert_eq!(
        said.trim(),
        "Connection: WRONGPASS: authentication failed: Redis refuses the user or the password"
    );
    says(&node(&url).await, "WRONGPASS", "refuses the user or the password").await;
    says(&node(&redis.url()).await, "NOAUTH", "Authentication required").await;
}
