//! Impossible operations, and a Redis that goes away.

use std::time::{Duration, Instant};

use strata_cache::{Node, StructureError};

use super::{HOUR, MINUTE, at, bytes, carts, left_ms};
use crate::support::{Redis, eventually};

#[tokio::test]
async fn another_kind_of_value_is_an_error_that_changes_nothing_and_opens_no_breaker() {
    let redis = Redis::start().await;
    let (node, carts) = carts(&redis).await;
    let refused = StructureError::WrongType;
    carts.list(1).push_back(["a"], 9, MINUTE).await.unwrap();
    assert_eq!(carts.hash(1).set([("a", "b")], HOUR).await, Err(refused));
    assert_eq!(carts.hash(1).get_all().await, Err(refused));
    assert_eq!(carts.counter(1).add(1, HOUR).await, Err(refused));
    assert_eq!(carts.counter(1).set(1, HOUR).await, Err(refused));
    assert_eq!(carts.counter(1).get().await, Err(refused));
    assert_eq!(carts.list(1).range(..).await, Ok(bytes(&["a"])));
    assert!(left_ms(&redis, "1").await <= 60_000);

    let () = redis.ask(&["SET", &at("2"), "many"]).await;
    assert_eq!(carts.list(2).push_back(["a"], 9, HOUR).await, Err(refused));
    assert_eq!(carts.counter(2).add(1, HOUR).await, Err(refused), "no number");
    assert_eq!(carts.counter(2).get().await, Err(refused), "no number");
    assert!(!node.report().l2.breaker_open);
}

#[tokio::test]
async fn a_counter_never_overflows() {
    let redis = Redis::start().await;
    let (node, carts) = carts(&redis).await;
    let counter = carts.counter("full");
    counter.set(i64::MAX, MINUTE).await.unwrap();
    assert_eq!(counter.add(1, HOUR).await, Err(StructureError::Overflow));
    assert_eq!(counter.get().await, Ok(Some(i64::MAX)));
    assert!(left_ms(&redis, "full").await <= 60_000);
    assert!(!node.report().l2.breaker_open);
}

#[tokio::test]
async fn a_redis_whose_memory_is_full_refuses_writes_and_answers_reads() {
    let redis = Redis::start().await;
    let (node, carts) = carts(&redis).await;
    carts.hash(1).set([("a", "b")], MINUTE).await.unwrap();
    let () = redis.ask(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let refused = carts.hash(1).set([("c", "d")], MINUTE).await;
    assert_eq!(refused, Err(StructureError::Full));
    assert_eq!(carts.hash(1).get_all().await.unwrap().len(), 1);
    assert!(!node.report().l2.breaker_open);
}

#[tokio::test]
async fn while_redis_is_away_operations_fail_at_once_and_nothing_is_queued() {
    let mut redis = Redis::start().await;
    let (node, carts) = carts(&redis).await;
    carts.counter("calls").add(1, HOUR).await.unwrap();
    redis.kill();
    let away = StructureError::Away;
    assert_eq!(carts.counter("calls").add(1, HOUR).await, Err(away));
    assert!(node.report().l2.breaker_open);
    assert_eq!(carts.hash(1).set([("a", "b")], HOUR).await, Err(away));
    assert_eq!(carts.list(1).range(..).await, Err(away));
    assert_eq!(carts.exists(1).await, Err(away));
    assert_eq!(carts.remove(1).await, Err(away));
    redis.restart().await;
    eventually("Redis is trusted again", async || !node.report().l2.breaker_open).await;
    assert_eq!(carts.counter("calls").get().await, Ok(None), "the write was queued");
    assert_eq!(carts.counter("calls").add(1, HOUR).await, Ok(1));
}

#[tokio::test]
async fn a_redis_that_hangs_costs_one_hard_timeout_and_then_nothing() {
    let redis = Redis::start().await;
    let node = Node::builder("test").redis_url(&redis.url());
    let node = node.l2_timeout(Duration::from_secs(1)).start().await.unwrap();
    let counter = node.structures("carts").unwrap().counter("calls");
    counter.add(1, HOUR).await.unwrap();
    redis.freeze();
    let began = Instant::now();
    assert_eq!(counter.add(1, HOUR).await, Err(StructureError::Away));
    assert!(began.elapsed() >= Duration::from_secs(1));
    for _ in 0..100 {
        assert_eq!(counter.add(1, HOUR).await, Err(StructureError::Away));
    }
    assert_eq!(node.report().l2.timeouts, 1, "the others waited too");
    redis.thaw();
}

#[tokio::test]
async fn structures_keep_their_way_to_redis_when_the_node_is_dropped() {
    let mut redis = Redis::start().await;
    let (node, carts) = carts(&redis).await;
    drop(node);
    redis.restart().await;
    let counter = carts.counter(1);
    eventually("Redis is reached again", async || counter.add(1, HOUR).await.is_ok()).await;
}
