//! Redis goes away and comes back; the service keeps working.

use std::time::{Duration, Instant};

use strata_cache::Node;
use strata_cache::report::{Effect, Outcome};
use strata_testing::{Line, Proxy};

use crate::support::{Redis, Source, cache, eventually, hears};

#[tokio::test]
async fn reads_go_on_without_redis_and_use_it_again_when_it_is_back() {
    let mut redis = Redis::start().await;
    let node = redis.node("1").await;
    let (cache, source) = (cache(&node), Source::new());
    source.value(&cache, 1).await;
    redis.kill();
    assert_eq!(source.read(&cache, 2).await.outcome, Outcome::Loaded);
    assert!(node.report().l2.breaker_open);
    redis.restart().await;
    eventually("the breaker closes", async || !node.report().l2.breaker_open).await;
    source.value(&cache, 3).await;
    let held: bool = redis.ask(&["EXISTS", "{test}:users:3"]).await;
    assert!(held);
}

#[tokio::test]
async fn a_node_starts_without_redis() {
    let mut redis = Redis::start().await;
    redis.kill();
    let node = redis.node("1").await;
    let (cache, source) = (cache(&node), Source::new());
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::Loaded);
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::L1Hit);
    redis.restart().await;
    hears(&node).await;
    eventually("the breaker closes", async || !node.report().l2.breaker_open).await;
}

#[tokio::test]
async fn a_redis_that_hangs_costs_one_hard_timeout_and_then_nothing() {
    let redis = Redis::start().await;
    let node = Node::builder("test")
        .redis_url(&redis.url())
        .l2_timeout(Duration::from_millis(200))
        .start()
        .await
        .unwrap();
    let (cache, source) = (cache(&node), Source::new());
    source.value(&cache, 0).await;
    redis.freeze();
    let began = Instant::now();
    source.value(&cache, 1).await;
    assert!(began.elapsed() >= Duration::from_millis(200));
    for key in 2..100 {
        source.value(&cache, key).await;
    }
    assert_eq!(node.report().l2.timeouts, 1, "98 reads asked a Redis that hangs");
    redis.thaw();
    eventually("the breaker closes", async || !node.report().l2.breaker_open).await;
}

#[tokio::test]
async fn an_invalidation_that_could_not_reach_l2_is_replayed_before_l2_is_trusted() {
    let redis = Redis::start().await;
    let here = redis.hearing_node("1").await;
    let there = redis.hearing_node("2").await;
    let (cache_here, cache_there) = (cache(&here), cache(&there));
    let source = Source::new();
    source.value(&cache_here, 1).await;
    source.value(&cache_there, 1).await;
    redis.freeze();
    source.write(7);
    assert_eq!(cache_here.invalidate(&1).await, Effect::Queued);
    assert_eq!(source.value(&cache_here, 1).await, "7");
    redis.thaw();
    eventually("the queue is replayed", async || {
        let l2 = here.report().l2;
        assert!(l2.breaker_open || l2.queued_invalidations == 0, "trusted too early");
        !l2.breaker_open
    })
    .await;
    eventually("node 2 hears of it", async || source.value(&cache_there, 1).await == "7").await;
    assert_eq!(source.value(&cache_here, 1).await, "7");
}

#[tokio::test]
async fn a_redis_that_lost_its_data_is_a_gap_that_empties_l1() {
    let mut redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (cache, source) = (cache(&node), Source::new());
    source.value(&cache, 1).await;
    redis.restart().await;
    eventually("the gap is noticed", async || node.report().bus.gaps == 1).await;
    source.write(7);
    assert_eq!(source.value(&cache, 1).await, "7");
}

#[tokio::test]
async fn messages_that_were_trimmed_unread_are_a_gap() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let other = redis.hearing_node("2").await;
    let (cache, source) = (cache(&node), Source::new());
    let elsewhere = crate::support::cache(&other);
    source.value(&cache, 1).await;
    elsewhere.invalidate(&5).await;
    eventually("node 1 hears", async || node.report().bus.received == 1).await;
    let () = redis.ask(&["INCR", "{test}!bus:sequence"]).await;
    elsewhere.invalidate(&6).await;
    eventually("the gap is noticed", async || node.report().bus.gaps == 1).await;
    source.write(7);
    let () = redis.ask(&["DEL", "{test}:users:1"]).await;
    assert_eq!(source.value(&cache, 1).await, "7");
}

#[tokio::test]
async fn a_stream_that_vanished_is_noticed_while_the_bus_is_silent() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let cache = cache(&node);
    cache.invalidate(&1).await;
    eventually("the message is heard", async || node.report().bus.received == 1).await;
    let () = redis.ask(&["FLUSHALL"]).await;
    eventually("the gap is noticed", async || node.report().bus.gaps == 1).await;
}

#[tokio::test]
async fn an_entry_that_a_restored_snapshot_brings_back_is_not_read() {
    let mut redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (cache, source) = (cache(&node), Source::new());
    source.value(&cache, 1).await;
    let () = redis.ask(&["SAVE"]).await;
    source.write(7);
    cache.invalidate(&1).await;
    redis.restart().await;
    eventually("L2 is trusted", async || !node.report().l2.breaker_open).await;
    let held: bool = redis.ask(&["EXISTS", "{test}:users:1"]).await;
    assert!(held, "the snapshot holds it");
    assert_eq!(source.value(&cache, 1).await, "7");
    hears(&node).await;
    eventually("L2 is trusted again", async || !node.report().l2.breaker_open).await;
    source.value(&cache, 2).await;
    let late = redis.hearing_node("2").await;
    let elsewhere = crate::support::cache(&late);
    assert_eq!(source.read(&elsewhere, 2).await.outcome, Outcome::L2Hit, "L2 is of use again");
}

#[tokio::test]
async fn a_redis_whose_memory_is_full_still_hears_of_invalidations() {
    let redis = Redis::start().await;
    let (node, other) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&node), cache(&other));
    let source = Source::new();
    source.value(&here, 1).await;
    source.value(&there, 1).await;
    let () = redis.ask(&["CONFIG", "SET", "maxmemory", "1"]).await;
    for effect in [here.clear().await, here.invalidate(&1).await, here.invalidate_tag("a").await] {
        assert_ne!(effect, Effect::Queued);
    }
    assert!(!node.report().l2.breaker_open);
    eventually("the other node hears", async || there.report().invalidations.bus.key == 1).await;
    assert_eq!(there.report().invalidations.bus.all, 1);
}

#[tokio::test]
async fn a_commit_that_redis_gets_to_after_a_hang_is_refused_where_it_was_overtaken() {
    let redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&one), cache(&two));
    let source = Source::closed();
    let reading = tokio::spawn({
        let (source, here) = (source.clone(), here.clone());
        async move { source.value(&here, 1).await }
    });
    source.entered().await;
    redis.freeze();
    source.open();
    assert_eq!(reading.await.unwrap(), "0");
    source.write(7);
    assert_eq!(here.invalidate(&1).await, Effect::Queued);
    redis.thaw();
    eventually("the breaker closes", async || !one.report().l2.breaker_open).await;
    hears(&one).await;
    for cache in [&here, &there, &crate::support::cache(&redis.node("3").await)] {
        assert_eq!(source.value(cache, 1).await, "7");
    }
}

#[tokio::test]
async fn a_hang_shorter_than_the_timeout_costs_its_time_alone() {
    let redis = Redis::start().await;
    let proxy = Proxy::before(&redis).await;
    let node = Node::builder("test").redis_url(&proxy.url()).l2_timeout(Duration::from_secs(8));
    let node = node.start().await.unwrap();
    let (cache, source) = (cache(&node), Source::new());
    redis.freeze();
    let reading = tokio::spawn({
        let (cache, source) = (cache.clone(), source.clone());
        async move { source.read(&cache, 1).await.outcome }
    });
    eventually("the read asks", async || proxy.times(Line::L2, "GET") == 1).await;
    redis.thaw();
    assert_eq!(reading.await.unwrap(), Outcome::Loaded);
    let l2 = node.report().l2;
    assert_eq!((l2.timeouts, l2.breaker_opened), (0, 0));
    assert!(redis.ask::<bool>(&["EXISTS", "{test}:users:1"]).await, "kept in L2");
}

#[tokio::test]
async fn a_redis_that_is_killed_within_a_write_does_not_fail_it() {
    let mut redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&one), cache(&two));
    let source = Source::new();
    source.read(&here, 1).await;
    source.read(&there, 1).await;
    let row = source.clone();
    let (killed, kill) = (tokio::sync::oneshot::channel::<()>(), tokio::sync::Notify::new());
    let kill = std::sync::Arc::new(kill);
    let writing = tokio::spawn({
        let (here, kill) = (here.clone(), std::sync::Arc::clone(&kill));
        async move {
            let write = async move {
                row.write(7);
                kill.notify_one();
                killed.1.await.unwrap();
                Ok::<_, std::io::Error>("7".to_owned())
            };
            here.write_through(&1, write).await.unwrap()
        }
    });
    kill.notified().await;
    redis.kill();
    killed.0.send(()).unwrap();
    let (value, effect) = writing.await.unwrap();
    assert_eq!((value.as_str(), effect), ("7", Effect::Queued));
    assert_eq!(source.value(&here, 1).await, "7");
    redis.restart().await;
    eventually("node 2 reads the write", async || source.value(&there, 1).await == "7").await;
}

#[tokio::test]
async fn what_is_invalidated_while_redis_is_down_stays_so_however_often_it_restarts() {
    let mut redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&one), cache(&two));
    let source = Source::new();
    for version in 1..=4 {
        redis.kill();
        source.write(version);
        assert_eq!(here.invalidate(&1).await, Effect::Queued);
        let new = version.to_string();
        assert_eq!(source.value(&here, 1).await, new);
        redis.restart().await;
        eventually("the breaker closes", async || !one.report().l2.breaker_open).await;
        eventually("node 2 reads it", async || source.value(&there, 1).await == new).await;
        assert_eq!(source.value(&here, 1).await, new);
    }
    assert_eq!(one.report().l2.queued_invalidations, 0);
}
