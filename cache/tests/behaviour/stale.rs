//! When an older value is served on purpose, and for how long.

use std::io::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use strata_cache::report::Outcome;
use strata_cache::{Cache, CacheBuilder, LoadError, Loaded};
use tokio::time::advance;

use crate::support::{Redis, Source, eventually, lonely_node};

const LIFE: Duration = Duration::from_secs(10);
const GRACE: Duration = Duration::from_secs(100);
const RETRY: Duration = Duration::from_secs(3);

fn fail_safe() -> CacheBuilder<u64, String> {
    Cache::builder("users").time_to_live(LIFE).jitter(0.0).grace(GRACE).retry_after(RETRY)
}

async fn down() -> Result<Option<String>, Error> {
    Err(Error::other("down"))
}

#[tokio::test(start_paused = true)]
async fn a_stale_entry_stands_in_within_its_grace_when_the_source_fails() {
    let cache = fail_safe().build(&lonely_node().await).unwrap();
    let source = Source::new();
    source.read(&cache, 1).await;
    advance(LIFE + GRACE / 2).await;
    let read = cache.get_or_load(&1, down).await.unwrap();
    assert_eq!((read.outcome, read.value.as_deref()), (Outcome::Stale, Some(&"0".to_owned())));
    advance(GRACE).await;
    assert!(matches!(cache.get_or_load(&1, down).await, Err(LoadError::Source(_))));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_failed_is_asked_again_no_sooner_than_the_retry_interval() {
    let cache = fail_safe().build(&lonely_node().await).unwrap();
    let source = Source::new();
    source.read(&cache, 1).await;
    advance(LIFE).await;
    cache.get_or_load(&1, down).await.unwrap();
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::Stale);
    assert_eq!(source.loads(), 1, "asked within the interval");
    advance(RETRY).await;
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::Loaded);
}

#[tokio::test(start_paused = true)]
async fn without_a_stale_entry_a_failure_is_an_error() {
    let cache = fail_safe().build(&lonely_node().await).unwrap();
    assert!(cache.get_or_load(&1, down).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_invalidated_entry_never_stands_in() {
    let cache = fail_safe().build(&lonely_node().await).unwrap();
    Source::new().read(&cache, 1).await;
    cache.invalidate(&1).await;
    assert!(cache.get_or_load(&1, down).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_slow_source_is_waited_for_no_longer_than_the_soft_timeout_and_its_load_is_kept() {
    let soft = Duration::from_millis(50);
    let cache = fail_safe().soft_timeout(soft).build(&lonely_node().await).unwrap();
    Source::new().read(&cache, 1).await;
    advance(LIFE).await;
    let slow = Source::closed();
    slow.write(7);
    let began = tokio::time::Instant::now();
    let read = slow.read(&cache, 1).await;
    assert_eq!((read.outcome, began.elapsed()), (Outcome::Stale, soft));
    slow.open();
    eventually("the load lands", async || cache.get(&1).await.outcome == Outcome::L1Hit).await;
    assert_eq!(*cache.get(&1).await.value.unwrap(), "7");
}

#[tokio::test(start_paused = true)]
async fn there_is_no_soft_timeout_without_a_stale_entry() {
    let soft = Duration::from_millis(50);
    let cache = fail_safe().soft_timeout(soft).build(&lonely_node().await).unwrap();
    let slow = || async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, Error>(Some("late".to_owned()))
    };
    assert_eq!(cache.get_or_load(&1, slow).await.unwrap().outcome, Outcome::Loaded);
}

#[tokio::test]
async fn a_node_that_is_new_serves_the_stale_entry_of_l2_when_the_source_fails() {
    let redis = Redis::start().await;
    let short = || fail_safe().l2_time_to_live(Duration::from_millis(50));
    let here = short().build(&redis.node("1").await).unwrap();
    Source::new().read(&here, 1).await;
    for id in ["2", "3"] {
        let new = short().build(&redis.node(id).await).unwrap();
        eventually("the entry in L2 is stale", async || {
            new.get_or_load(&1, down).await.unwrap().outcome == Outcome::Stale
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_near_its_deadline_is_refreshed_once_while_readers_go_on_hitting() {
    let cache = Cache::builder("users")
        .time_to_live(LIFE)
        .jitter(0.0)
        .refresh_ahead(1_000.0)
        .build(&lonely_node().await)
        .unwrap();
    let loads = Arc::new(AtomicU64::new(0));
    let load = || {
        let loads = Arc::clone(&loads);
        move || async move {
            let nth = loads.fetch_add(1, Ordering::SeqCst);
            std::future::ready(()).await;
            Ok::<_, Error>(Some(nth.to_string()))
        }
    };
    cache.get_or_load(&1u64, load()).await.unwrap();
    advance(LIFE - Duration::from_nanos(1)).await;
    for _ in 0..20 {
        assert_eq!(cache.get_or_load(&1, load()).await.unwrap().outcome, Outcome::L1Hit);
    }
    eventually("the refresh lands", async || loads.load(Ordering::SeqCst) == 2).await;
    eventually("it is kept", async || *cache.get(&1).await.value.unwrap() == "1").await;
}

#[tokio::test]
async fn a_softly_invalidated_entry_is_served_stale_on_every_node_while_one_loads_it() {
    let redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let here = fail_safe().build(&one).unwrap();
    let there = fail_safe().build(&two).unwrap();
    let source = Source::new();
    source.read(&here, 1).await;
    source.read(&there, 1).await;
    let heard = two.report().bus.received;
    here.invalidate_softly(&1).await;
    eventually("node 2 hears", async || two.report().bus.received > heard).await;
    let slow = Source::closed();
    slow.write(7);
    for cache in [&here, &there, &here] {
        let read = slow.read(cache, 1).await;
        assert_eq!((read.outcome, read.value.as_deref()), (Outcome::Stale, Some(&"0".to_owned())));
    }
    slow.open();
    eventually("node 1 has the new value", async || slow.value(&here, 1).await == "7").await;
    eventually("node 2 has the new value", async || slow.value(&there, 1).await == "7").await;
}

#[tokio::test]
async fn a_new_node_serves_a_softly_invalidated_entry_and_refreshes_it_in_l2() {
    let redis = Redis::start().await;
    let here = fail_safe().build(&redis.node("1").await).unwrap();
    let source = Source::new();
    source.read(&here, 1).await;
    here.invalidate_softly(&1).await;
    source.write(7);
    let new = fail_safe().build(&redis.node("2").await).unwrap();
    assert_eq!(source.read(&new, 1).await.outcome, Outcome::Stale);
    eventually("the refresh lands", async || source.value(&new, 1).await == "7").await;
    let third = fail_safe().build(&redis.node("3").await).unwrap();
    assert_eq!(source.read(&third, 1).await.outcome, Outcome::L2Hit);
}

#[tokio::test]
async fn a_refresh_that_an_invalidation_overtook_is_kept_on_no_level() {
    let redis = Redis::start().await;
    let cache = fail_safe().build(&redis.hearing_node("1").await).unwrap();
    Source::new().read(&cache, 1).await;
    cache.invalidate_softly(&1).await;
    let slow = Source::closed();
    assert_eq!(slow.read(&cache, 1).await.outcome, Outcome::Stale);
    slow.entered().await;
    slow.write(7);
    cache.invalidate(&1).await;
    let refused = cache.report().l2_refused + cache.report().l1.fenced;
    slow.open();
    eventually("the refresh is refused", async || {
        cache.report().l2_refused + cache.report().l1.fenced > refused
    })
    .await;
    assert_eq!(slow.value(&cache, 1).await, "7");
}

#[tokio::test(start_paused = true)]
async fn an_entry_may_bring_its_own_time_to_live() {
    let cache = Cache::builder("users").time_to_live(LIFE).build(&lonely_node().await).unwrap();
    let load = || async {
        let loaded = Loaded::from("short".to_owned()).time_to_live(Duration::from_secs(1));
        Ok::<_, Error>(Some(loaded))
    };
    assert_eq!(cache.get_or_load_entry(&1u64, load).await.unwrap().outcome, Outcome::Loaded);
    assert_eq!(cache.get_or_load_entry(&1, load).await.unwrap().outcome, Outcome::L1Hit);
    advance(Duration::from_secs(1)).await;
    assert_eq!(cache.get_or_load_entry(&1, load).await.unwrap().outcome, Outcome::Loaded);
}
