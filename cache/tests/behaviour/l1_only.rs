//! Behaviour without Redis, built in or not.

use std::io::Error;
use std::time::Duration;

use strata_cache::report::{Effect, Outcome};
use strata_cache::{Cache, Pattern, StructureError};

use crate::support::{Source, cache, eventually, lonely_node};

#[tokio::test]
async fn a_key_is_loaded_once_and_then_hit_until_it_is_invalidated() {
    let node = lonely_node().await;
    let (cache, source) = (cache(&node), Source::new());
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::Loaded);
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::L1Hit);
    source.write(2);
    assert_eq!(cache.invalidate(&1).await, Effect::Off);
    assert_eq!(source.value(&cache, 1).await, "2");
    assert_eq!(source.loads(), 2);
}

#[tokio::test]
async fn a_write_replaces_what_was_cached() {
    let node = lonely_node().await;
    let (cache, source) = (cache(&node), Source::new());
    source.read(&cache, 1).await;
    let written = cache.write_through(&1, async { Ok::<_, Error>("new".to_owned()) }).await;
    assert_eq!(written.unwrap().1, Effect::Off);
    assert_eq!(source.value(&cache, 1).await, "new");
}

#[tokio::test]
async fn a_pattern_takes_what_matches_and_leaves_the_rest() {
    let node = lonely_node().await;
    let (cache, source) = (cache(&node), Source::new());
    for key in [40, 41, 50] {
        source.read(&cache, key).await;
    }
    cache.invalidate_pattern(&Pattern::prefix("4")).await;
    let outcomes = [source.read(&cache, 40).await.outcome, source.read(&cache, 50).await.outcome];
    assert_eq!(outcomes, [Outcome::Loaded, Outcome::L1Hit]);
}

#[tokio::test]
async fn readers_of_a_cold_key_share_one_load() {
    let node = lonely_node().await;
    let (cache, source) = (cache(&node), Source::closed());
    let readers: Vec<_> = (0..100)
        .map(|_| {
            let (cache, source) = (cache.clone(), source.clone());
            tokio::spawn(async move { source.value(&cache, 1).await })
        })
        .collect();
    source.entered().await;
    source.open();
    for reader in readers {
        assert_eq!(reader.await.unwrap(), "0");
    }
    assert_eq!(source.loads(), 1);
}

#[tokio::test]
async fn a_stale_entry_stands_in_for_a_source_that_fails() {
    let node = lonely_node().await;
    let cache: Cache<u64, String> = Cache::builder("users")
        .time_to_live(Duration::from_millis(1))
        .grace(Duration::from_secs(60))
        .build(&node)
        .unwrap();
    let source = Source::new();
    source.read(&cache, 1).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let down = || async { Err::<Option<String>, _>(Error::other("down")) };
    let read = cache.get_or_load(&1, down).await.unwrap();
    assert_eq!((read.outcome, read.value.unwrap().as_str()), (Outcome::Stale, "0"));
}

#[tokio::test]
async fn the_report_says_that_there_is_no_l2_and_no_bus() {
    let report = lonely_node().await.report();
    assert!(!report.l2.configured && !report.bus.configured);
}

#[cfg(not(feature = "redis"))]
#[tokio::test]
async fn an_address_of_redis_is_refused_where_redis_is_not_built_in() {
    let started = strata_cache::Node::builder("test").redis_url("redis://127.0.0.1").start().await;
    let refused = started.map(|_| ()).unwrap_err();
    let refused = strata_cache::ErrorChain(&refused).to_string();
    assert_eq!(refused, "read the Redis address: the feature `redis` is off");
}

#[tokio::test]
async fn structures_are_always_away_without_redis() {
    let node = lonely_node().await;
    let carts = node.structures("carts").unwrap();
    let (hour, away) = (Duration::from_secs(3600), StructureError::Away);
    assert_eq!(carts.hash(1).set([("a", "b")], hour).await, Err(away));
    assert_eq!(carts.list(1).push_back(["a"], 9, hour).await, Err(away));
    assert_eq!(carts.counter(1).add(1, hour).await, Err(away));
    assert_eq!(carts.exists(1).await, Err(away));
    let zero = carts.counter(1).add(1, Duration::ZERO).await;
    assert_eq!(zero, Err(StructureError::NoTimeToLive));
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_leaves_l1_without_being_read_again_and_counts_as_expired() {
    let node = lonely_node().await;
    let builder = Cache::builder("users").time_to_live(Duration::from_secs(10)).jitter(0.0);
    let (cache, source) = (builder.build(&node).unwrap(), Source::new());
    source.read(&cache, 1).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    source.read(&cache, 2).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    eventually("the older entry has left", async || cache.report().l1.entries == 1).await;
    assert_eq!(cache.report().l1.evictions.expired, 1);
    assert_eq!(source.read(&cache, 2).await.outcome, Outcome::L1Hit);
}

/// The walk over L1 runs in the background and meets entries that are just being replaced.
#[tokio::test(start_paused = true)]
async fn what_has_expired_and_was_loaded_again_stays() {
    let node = lonely_node().await;
    let minute = Duration::from_secs(60);
    let builder = Cache::builder("users").time_to_live(minute).jitter(0.0);
    let (cache, source) = (builder.build(&node).unwrap(), Source::new());
    for _ in 0..500 {
        tokio::time::advance(minute).await;
        for key in 0..20 {
            source.read(&cache, key).await;
        }
        for key in 0..20 {
            assert_eq!(source.read(&cache, key).await.outcome, Outcome::L1Hit, "key {key}");
        }
    }
}
