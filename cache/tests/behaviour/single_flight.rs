//! One load for any number of readers.

use std::sync::Arc;
use std::time::Duration;

use strata_cache::Cache;
use strata_cache::report::Outcome;

use crate::support::{Redis, Source, cache, eventually, lonely_node};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_readers_of_a_cold_key_cost_one_load() {
    let node = lonely_node().await;
    let (cache, source) = (cache(&node), Source::closed());
    let readers: Vec<_> = (0..1_000)
        .map(|_| {
            let (cache, source) = (cache.clone(), source.clone());
            tokio::spawn(async move { source.read(&cache, 1).await.outcome })
        })
        .collect();
    source.entered().await;
    source.open();
    let mut outcomes = Vec::new();
    for reader in readers {
        outcomes.push(reader.await.unwrap());
    }
    assert_eq!(source.loads(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Loaded).count(), 1);
    assert_eq!(cache.report().outcomes.reads(), 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_readers_on_four_nodes_cost_one_load_in_all() {
    let redis = Redis::start().await;
    let source = Source::closed();
    let mut readers = Vec::new();
    for id in ["1", "2", "3", "4"] {
        let cache: Cache<u64, String> = Cache::builder("users")
            .lease_wait(Duration::from_secs(20))
            .build(&redis.node(id).await)
            .unwrap();
        for _ in 0..250 {
            let (cache, source) = (cache.clone(), source.clone());
            readers.push(tokio::spawn(async move { source.value(&cache, 1).await }));
        }
    }
    source.entered().await;
    source.open();
    for reader in readers {
        assert_eq!(reader.await.unwrap(), "0");
    }
    assert_eq!(source.loads(), 1);
}

#[tokio::test]
async fn a_leader_whose_caller_goes_away_still_answers_the_others() {
    let node = lonely_node().await;
    let (cache, source) = (cache(&node), Source::closed());
    let leader = tokio::spawn({
        let (cache, source) = (cache.clone(), source.clone());
        async move { source.read(&cache, 1).await }
    });
    source.entered().await;
    let waiter = tokio::spawn({
        let (cache, source) = (cache.clone(), source.clone());
        async move { source.value(&cache, 1).await }
    });
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    source.open();
    assert_eq!(waiter.await.unwrap(), "0");
    assert_eq!(source.loads(), 1);
}

#[tokio::test]
async fn a_batch_joins_the_flight_of_a_single_read() {
    let node = lonely_node().await;
    let (cache, source) = (cache(&node), Source::closed());
    let leader = tokio::spawn({
        let (cache, source) = (cache.clone(), source.clone());
        async move { source.read(&cache, 1).await }
    });
    source.entered().await;
    let batch = tokio::spawn({
        let cache = cache.clone();
        async move {
            let asked = |_| async { Err(std::io::Error::other("asked")) };
            cache.get_many(&[1], asked).await.remove(0).unwrap().outcome
        }
    });
    eventually("the batch waits", async || batch.is_finished() || source.loads() == 1).await;
    source.open();
    assert_eq!(leader.await.unwrap().outcome, Outcome::Loaded);
    assert!(matches!(batch.await.unwrap(), Outcome::Coalesced | Outcome::L1Hit));
}

#[tokio::test]
async fn a_lease_that_its_holder_never_gives_back_delays_others_by_the_lease_wait_alone() {
    let redis = Redis::start().await;
    let () = redis.ask(&["SET", "{test}:users:1", "lease:of-a-node-that-died"]).await;
    let cache = Cache::builder("users")
        .lease_wait(Duration::from_millis(30))
        .build(&redis.node("1").await)
        .unwrap();
    let source = Source::new();
    assert_eq!(source.value(&cache, 1).await, "0");
    let held: String = redis.ask(&["GET", "{test}:users:1"]).await;
    assert_eq!(held, "lease:of-a-node-that-died", "who has no lease commits nothing");
}

#[tokio::test]
async fn a_failed_load_gives_its_lease_back() {
    let redis = Redis::start().await;
    let cache = cache(&redis.node("1").await);
    let failed = cache.get_or_load(&1, || async { Err(std::io::Error::other("down")) }).await;
    assert!(failed.is_err());
    let held: Option<String> = redis.ask(&["GET", "{test}:users:1"]).await;
    assert_eq!(held, None);
    drop(Arc::new(cache));
}
