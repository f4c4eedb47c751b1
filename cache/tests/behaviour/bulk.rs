//! The cost of a bulk invalidation for other caches, and the greatest size of the bus.

use strata_cache::report::Outcome;
use strata_cache::{Cache, Node};
use strata_testing::{DIRECTIONS, Line, Proxy};
use tokio::task::JoinSet;

use crate::support::{Redis, eventually, hears};

async fn named(node: &Node, name: &str) -> Cache<u64, u64> {
    Cache::builder(name).build(node).unwrap()
}

async fn fill(cache: &Cache<u64, u64>) {
    for key in 0..500 {
        cache.get_or_load(&key, || async { Ok::<_, std::io::Error>(Some(1)) }).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bulk_invalidation_larger_than_the_bus_costs_its_own_cache_at_most() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let slow = Node::builder("test").redis_url(&proxy.url()).start().await.unwrap();
    let (a, b) = (named(&slow, "a").await, named(&slow, "b").await);
    let other = redis.hearing_node("2").await;
    let (bulk, beside) = (named(&other, "a").await, named(&other, "b").await);
    // Both caches have a message on the bus.
    bulk.invalidate(&9_999).await;
    beside.invalidate(&9_999).await;
    assert!(slow.has_heard(other.bus_sequence().await.unwrap(), std::time::Duration::MAX).await);
    fill(&a).await;
    fill(&b).await;
    proxy.hold(&[Line::Bus], &DIRECTIONS).await;
    let mut tasks = JoinSet::new();
    for task in 0..4 {
        let bulk = bulk.clone();
        tasks.spawn(async move {
            let keys: Vec<u64> = (0..15_000).map(|key| task * 15_000 + key).collect();
            bulk.invalidate_many(&keys).await;
        });
    }
    tasks.join_all().await;
    proxy.restore().await;
    let last = other.bus_sequence().await.unwrap();
    eventually("all is heard", async || slow.has_heard(last, std::time::Duration::ZERO).await)
        .await;
    hears(&slow).await;
    let report = slow.report();
    assert!(report.bus.gaps > 0, "the bus was large enough");
    assert_eq!(b.get(&7).await.outcome, Outcome::L1Hit, "b has missed nothing");
    assert_eq!(a.get(&7).await.outcome, Outcome::Missed);
    assert!(a.report().gaps > 0);
    assert_eq!(b.report().gaps, 0);
}

#[tokio::test]
async fn the_bus_stays_within_its_bytes_whatever_the_keys() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let cache: Cache<String, u64> = Cache::builder("large").build(&node).unwrap();
    let large = |n: usize| format!("{n}:{}", "x".repeat(100_000));
    let at_once: Vec<String> = (0..250).map(large).collect();
    cache.invalidate_many(&at_once).await;
    let small: Vec<String> = (0..3_000).map(|n| n.to_string()).collect();
    cache.invalidate_many(&small).await;
    for n in 0..250 {
        cache.invalidate(&large(n)).await;
    }
    let bytes: u64 = redis.ask(&["MEMORY", "USAGE", "{test}!bus", "SAMPLES", "0"]).await;
    assert!(bytes < 20 << 20, "{bytes} bytes");
    let kept: u64 = redis.ask(&["XLEN", "{test}!bus"]).await;
    assert!(kept >= 100, "{kept} messages");
    cache.invalidate_many(&small).await;
    let last = node.bus_sequence().await.unwrap();
    eventually("all is heard", async || node.has_heard(last, std::time::Duration::ZERO).await)
        .await;
}
