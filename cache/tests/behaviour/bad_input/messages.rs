//! Foreign data in Redis where Strata keeps its own.

use strata_cache::report::{Effect, Outcome};

use crate::support::ways::onlooker;
use crate::support::{Redis, Source, cache, eventually};

/// An unreadable message counts as missed, and the next message is heard.
async fn is_a_gap(redis: &Redis, lua: &str) {
    let (one, two) = (onlooker(redis).await, onlooker(redis).await);
    let (here, there) = (cache(&one), cache(&two));
    let source = Source::new();
    source.read(&here, 1).await;
    let () = redis.ask(&["EVAL", lua, "0"]).await;
    eventually("the gap is noticed", async || one.report().bus.gaps > 0).await;
    there.clear().await;
    source.read(&here, 2).await;
    source.write(7);
    there.invalidate(&2).await;
    eventually("node 1 hears", async || source.value(&here, 2).await == "7").await;
    assert!(one.report().bus.connected);
}

#[tokio::test]
async fn a_message_without_its_fields_is_a_gap() {
    let redis = Redis::start().await;
    is_a_gap(&redis, "redis.call('XADD', '{test}!bus', '*', 'hello', 'world')").await;
}

#[tokio::test]
async fn a_message_of_a_later_version_is_a_gap() {
    let redis = Redis::start().await;
    let lua = "local n = redis.call('INCR', '{test}!bus:sequence')
        redis.call('XADD', '{test}!bus', '*', 's', n, 'k', 'novel', 'c', 'users', 't', '1', 'o', 'x')";
    is_a_gap(&redis, lua).await;
}

#[tokio::test]
async fn a_message_that_is_no_text_is_a_gap() {
    let redis = Redis::start().await;
    is_a_gap(&redis, r"redis.call('XADD', '{test}!bus', '*', 't', '\255\254')").await;
}

#[tokio::test]
async fn something_else_in_the_place_of_an_entry_is_a_miss_and_leaves_with_an_invalidation() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let cache = cache(&node);
    let () = redis.ask(&["HSET", "{test}:users:1", "field", "value"]).await;
    let source = Source::new();
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::Loaded);
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::L1Hit);
    assert!(!node.report().l2.breaker_open);
    cache.invalidate(&1).await;
    source.read(&cache, 1).await;
    let held: String = redis.ask(&["TYPE", "{test}:users:1"]).await;
    assert_eq!(held, "string");
}

#[tokio::test]
async fn something_else_in_the_place_of_the_bus_loses_no_invalidation() {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    let (here, there) = (cache(&one), cache(&two));
    let source = Source::new();
    source.read(&here, 1).await;
    source.read(&there, 1).await;
    let () = redis.ask(&["SET", "{test}!bus", "not a stream"]).await;
    source.write(7);
    assert_eq!(here.invalidate(&1).await, Effect::Queued);
    assert_eq!(source.value(&here, 1).await, "7");
    let () = redis.ask(&["DEL", "{test}!bus"]).await;
    eventually("the queue is replayed", async || !one.report().l2.breaker_open).await;
    eventually("node 2 hears of it", async || source.value(&there, 1).await == "7").await;
}
