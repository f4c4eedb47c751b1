//! After an acknowledged invalidation no reader sees the older value.

use strata_cache::report::{Effect, Outcome};
use strata_cache::{Cache, Node, Pattern};

use crate::support::{Redis, Source, cache, eventually, lonely_node};

/// A stale set: a load that began before a write ends after its invalidation.
async fn stale_set(cache: Cache<u64, String>) -> (String, String) {
    let source = Source::closed();
    let early = tokio::spawn({
        let (cache, source) = (cache.clone(), source.clone());
        async move { source.value(&cache, 1).await }
    });
    source.entered().await;
    source.write(7);
    cache.invalidate(&1).await;
    source.open();
    let early = early.await.unwrap();
    (early, source.value(&cache, 1).await)
}

#[tokio::test]
async fn a_load_that_an_invalidation_overtook_is_not_kept_in_l1() {
    let node = lonely_node().await;
    assert_eq!(stale_set(cache(&node)).await, ("0".into(), "7".into()));
}

#[tokio::test]
async fn a_load_that_an_invalidation_overtook_is_not_kept_in_l2() {
    let redis = Redis::start().await;
    let cache = cache(&redis.node("1").await);
    assert_eq!(stale_set(cache.clone()).await, ("0".into(), "7".into()));
    assert_eq!(cache.report().l2_refused, 1);
    let there = crate::support::cache(&redis.node("2").await);
    assert_eq!(*there.get(&1).await.value.unwrap(), "7");
}

/// The same race against moka alone, which is why Strata does not use its loading methods.
#[tokio::test]
async fn bare_moka_keeps_the_stale_value() {
    let moka: moka::future::Cache<u64, String> = moka::future::Cache::new(10);
    let source = Source::closed();
    let early = tokio::spawn({
        let (moka, source) = (moka.clone(), source.clone());
        async move {
            let load = async { source.load().await.map(|value| value.unwrap()) };
            moka.try_get_with(1, load).await.unwrap()
        }
    });
    source.entered().await;
    source.write(7);
    moka.invalidate(&1).await;
    source.open();
    early.await.unwrap();
    assert_eq!(moka.get(&1).await.unwrap(), "0", "the row is 7 by now");
}

#[tokio::test]
async fn a_reader_after_an_invalidation_does_not_wait_for_the_older_load() {
    let node = lonely_node().await;
    let cache = cache(&node);
    let (old, new) = (Source::closed(), Source::new());
    new.write(7);
    let early = tokio::spawn({
        let (cache, old) = (cache.clone(), old.clone());
        async move { old.value(&cache, 1).await }
    });
    old.entered().await;
    cache.invalidate(&1).await;
    assert_eq!(new.value(&cache, 1).await, "7");
    old.open();
    assert_eq!(early.await.unwrap(), "0");
    assert_eq!(new.value(&cache, 1).await, "7");
}

#[tokio::test]
async fn another_node_hears_of_an_invalidation_and_of_a_write() {
    let redis = Redis::start().await;
    let (here, there) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&here), cache(&there));
    let source = Source::new();
    source.value(&here, 1).await;
    assert_eq!(source.value(&there, 1).await, "0");
    source.write(7);
    assert_eq!(here.invalidate(&1).await, Effect::Removed { entries: 1 });
    eventually("node 2 drops the entry", async || source.value(&there, 1).await == "7").await;
    here.insert(&1, "8".to_owned()).await;
    source.write(8);
    eventually("node 2 reads the write", async || source.value(&there, 1).await == "8").await;
}

#[tokio::test]
async fn a_pattern_leaves_on_every_level_and_node_and_what_does_not_match_stays() {
    let redis = Redis::start().await;
    let build = |node: &Node| Cache::<String, String>::builder("timelines").build(node).unwrap();
    let here = build(&redis.hearing_node("1").await);
    let there = build(&redis.hearing_node("2").await);
    let load = || async { Ok::<_, std::io::Error>(Some("page".to_owned())) };
    for key in ["author:1:page:1", "author:1:page:2", "author:10:page:1", "author:*:page:1"] {
        here.get_or_load(&key.to_owned(), load).await.unwrap();
        there.get_or_load(&key.to_owned(), load).await.unwrap();
    }
    let effect = here.invalidate_pattern(&Pattern::prefix("author:1:")).await;
    assert_eq!(effect, Effect::Removed { entries: 2 });
    eventually("node 2 drops the pages", async || {
        there.get(&"author:1:page:1".to_owned()).await.outcome == Outcome::Missed
    })
    .await;
    assert_eq!(here.get(&"author:1:page:2".to_owned()).await.outcome, Outcome::Missed);
    assert_eq!(here.get(&"author:10:page:1".to_owned()).await.outcome, Outcome::L1Hit);
    assert_eq!(there.get(&"author:10:page:1".to_owned()).await.outcome, Outcome::L1Hit);
    here.invalidate_pattern(&Pattern::prefix("author:*:")).await;
    assert_eq!(here.get(&"author:10:page:1".to_owned()).await.outcome, Outcome::L1Hit);
    assert_eq!(here.get(&"author:*:page:1".to_owned()).await.outcome, Outcome::Missed);
}

#[tokio::test]
async fn a_fill_that_a_pattern_overtook_is_not_kept() {
    let redis = Redis::start().await;
    let cache = cache(&redis.node("1").await);
    let source = Source::closed();
    let early = tokio::spawn({
        let (cache, source) = (cache.clone(), source.clone());
        async move { source.value(&cache, 1).await }
    });
    source.entered().await;
    source.write(7);
    cache.invalidate_pattern(&Pattern::parse("*").unwrap()).await;
    source.open();
    assert_eq!(early.await.unwrap(), "0");
    assert_eq!(source.value(&cache, 1).await, "7");
}

#[tokio::test]
async fn clearing_empties_both_levels_on_every_node() {
    let redis = Redis::start().await;
    let (here, there) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&here), cache(&there));
    let source = Source::new();
    for key in 0..50 {
        source.value(&here, key).await;
        source.value(&there, key).await;
    }
    assert_eq!(here.clear().await, Effect::Removed { entries: 50 });
    assert_eq!(here.get(&3).await.outcome, Outcome::Missed);
    eventually("node 2 is empty", async || there.get(&3).await.outcome == Outcome::Missed).await;
}

#[tokio::test]
async fn of_two_racing_writers_the_older_value_never_stays() {
    let redis = Redis::start().await;
    let cache = cache(&redis.node("1").await);
    let (first_wrote, second_done) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
    let (first_wrote, second_done) =
        (std::sync::Arc::new(first_wrote), std::sync::Arc::new(second_done));
    let first = tokio::spawn({
        let cache = cache.clone();
        let (first_wrote, second_done) = (first_wrote.clone(), second_done.clone());
        async move {
            let write = async move {
                first_wrote.notify_one();
                second_done.notified().await;
                Ok::<_, std::io::Error>("older".to_owned())
            };
            cache.write_through(&1, write).await.unwrap()
        }
    });
    first_wrote.notified().await;
    let newer = async { Ok::<_, std::io::Error>("newer".to_owned()) };
    cache.write_through(&1, newer).await.unwrap();
    second_done.notify_one();
    first.await.unwrap();
    let read = cache.get(&1).await;
    assert_ne!(read.value.as_deref().map(String::as_str), Some("older"));
}

#[tokio::test]
async fn a_write_that_fails_leaves_the_entry_to_the_source() {
    let redis = Redis::start().await;
    let cache = cache(&redis.node("1").await);
    let refused = cache.write_through(&1, async { Err::<String, _>("no such row") }).await;
    assert_eq!(refused.unwrap_err(), "no such row");
    assert_eq!(Source::new().read(&cache, 1).await.outcome, Outcome::Loaded);
}

#[tokio::test]
async fn an_invalidation_runs_to_its_end_when_its_caller_goes_away() {
    let redis = Redis::start().await;
    let cache = cache(&redis.node("1").await);
    Source::new().value(&cache, 1).await;
    redis.freeze();
    let asked =
        tokio::time::timeout(std::time::Duration::from_millis(5), cache.invalidate(&1)).await;
    assert!(asked.is_err(), "the caller went away");
    redis.thaw();
    eventually("the entry is gone", async || cache.get(&1).await.outcome == Outcome::Missed).await;
}

#[tokio::test]
async fn a_node_that_has_heard_the_bus_up_to_a_write_reads_nothing_older() {
    let redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&one), cache(&two));
    let source = Source::new();
    for version in 1..200 {
        source.value(&there, 1).await;
        source.write(version);
        here.invalidate(&1).await;
        let sequence = one.bus_sequence().await.unwrap();
        assert!(two.has_heard(sequence, std::time::Duration::from_secs(10)).await);
        assert_eq!(source.value(&there, 1).await, version.to_string());
    }
}
