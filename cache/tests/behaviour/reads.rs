//! The outcomes of reads, and that they add up.

use std::collections::HashMap;
use std::io::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use strata_cache::report::Outcome;
use strata_cache::{Cache, LoadError, Node};

use crate::support::{Redis, Source, cache, lonely_node};

#[tokio::test]
async fn a_first_read_loads_and_a_second_hits_l1() {
    let node = lonely_node().await;
    let (cache, source) = (cache(&node), Source::new());
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::Loaded);
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::L1Hit);
    assert_eq!(source.loads(), 1);
}

#[tokio::test]
async fn another_node_hits_l2_and_then_its_own_l1() {
    let redis = Redis::start().await;
    let (here, there) = (redis.node("1").await, redis.node("2").await);
    let source = Source::new();
    assert_eq!(source.read(&cache(&here), 1).await.outcome, Outcome::Loaded);
    let there = cache(&there);
    assert_eq!(source.read(&there, 1).await.outcome, Outcome::L2Hit);
    assert_eq!(source.read(&there, 1).await.outcome, Outcome::L1Hit);
    assert_eq!(source.loads(), 1);
}

#[tokio::test]
async fn an_entry_from_l2_keeps_its_age_and_lives_no_longer_than_it_has_left_there() {
    let redis = Redis::start().await;
    let (here, there) = (redis.node("1").await, redis.node("2").await);
    let build = |node: &Node| {
        Cache::<u64, String>::builder("users")
            .time_to_live(Duration::from_secs(3600))
            .l2_time_to_live(Duration::from_secs(60))
            .build(node)
            .unwrap()
    };
    let source = Source::new();
    source.read(&build(&here), 1).await;
    let read = source.read(&build(&there), 1).await;
    assert_eq!(read.outcome, Outcome::L2Hit);
    assert!(read.expires_in.unwrap() <= Duration::from_secs(60), "{:?}", read.expires_in);
}

#[tokio::test]
async fn what_an_invalidation_has_overtaken_is_not_kept_and_says_that_it_is_at_its_end() {
    let redis = Redis::start().await;
    for node in [lonely_node().await, redis.node("1").await] {
        let cache = cache(&node);
        let overtaken = cache.clone();
        let load = move || async move {
            overtaken.invalidate(&1).await;
            Ok::<_, Error>(Some("old".to_owned()))
        };
        let read = cache.get_or_load(&1, load).await.unwrap();
        assert_eq!((read.outcome, read.expires_in), (Outcome::Loaded, Some(Duration::ZERO)));
        assert_eq!(cache.get(&1).await.outcome, Outcome::Missed, "no level keeps it");
    }
}

#[tokio::test]
async fn not_found_is_remembered_on_both_levels() {
    let redis = Redis::start().await;
    let (here, there) = (redis.node("1").await, redis.node("2").await);
    let (here, there) = (cache(&here), cache(&there));
    let none = || async { Ok::<_, Error>(None) };
    assert_eq!(here.get_or_load(&1, none).await.unwrap().outcome, Outcome::Loaded);
    let again = here.get_or_load(&1, none).await.unwrap();
    assert!(again.value.is_none() && again.outcome == Outcome::L1Hit);
    assert_eq!(there.get_or_load(&1, none).await.unwrap().outcome, Outcome::L2Hit);
}

#[tokio::test]
async fn a_failed_load_is_an_error_for_this_read_and_is_not_cached() {
    let redis = Redis::start().await;
    let cache = cache(&redis.node("1").await);
    let failed = cache.get_or_load(&1, || async { Err(Error::other("disk on fire")) }).await;
    assert!(matches!(failed, Err(LoadError::Source(_))));
    assert_eq!(Source::new().read(&cache, 1).await.outcome, Outcome::Loaded);
}

#[tokio::test]
async fn a_load_that_panics_fails_its_readers_and_nobody_else() {
    let node = lonely_node().await;
    let cache = cache(&node);
    let panicked = cache.get_or_load(&1, || async { panic!("unwrap on None") as Result<_, Error> });
    assert!(matches!(panicked.await, Err(LoadError::Panicked)));
    assert_eq!(Source::new().read(&cache, 1).await.outcome, Outcome::Loaded);
}

#[tokio::test(start_paused = true)]
async fn a_reader_gives_up_after_the_load_timeout_and_the_load_is_kept_all_the_same() {
    let node = lonely_node().await;
    let cache = Cache::builder("users").load_timeout(Duration::from_secs(2)).build(&node).unwrap();
    let slow = || async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        Ok::<_, Error>(Some("late".to_owned()))
    };
    assert!(matches!(cache.get_or_load(&1, slow).await, Err(LoadError::TimedOut)));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(cache.get(&1u64).await.outcome, Outcome::L1Hit);
}

#[tokio::test(start_paused = true)]
async fn an_entry_is_loaded_again_when_its_time_to_live_is_over() {
    let node = lonely_node().await;
    let cache = Cache::builder("users")
        .time_to_live(Duration::from_secs(10))
        .jitter(0.0)
        .build(&node)
        .unwrap();
    let source = Source::new();
    source.read(&cache, 1).await;
    tokio::time::advance(Duration::from_millis(9_999)).await;
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::L1Hit);
    tokio::time::advance(Duration::from_millis(2)).await;
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::Loaded);
}

#[tokio::test]
async fn zero_and_huge_settings_are_defined() {
    let node = lonely_node().await;
    let source = Source::new();
    let nothing = Cache::builder("nothing").time_to_live(Duration::ZERO).build(&node).unwrap();
    source.read(&nothing, 1).await;
    assert_eq!(source.read(&nothing, 1).await.outcome, Outcome::Loaded);
    let ever = Cache::builder("ever").time_to_live(Duration::MAX).build(&node).unwrap();
    source.read(&ever, 1).await;
    assert_eq!(source.read(&ever, 1).await.outcome, Outcome::L1Hit);
    let full = Cache::builder("full").l1_entries(0).build(&node).unwrap();
    source.read(&full, 1).await;
    node.report();
    assert_eq!(source.read(&full, 1).await.outcome, Outcome::Loaded);
    assert!(Cache::<u64, String>::builder("Bad name").build(&node).is_err());
    assert!(Cache::<u64, String>::builder("full").build(&node).is_err(), "the name is taken");
}

#[tokio::test]
async fn many_keys_are_read_by_one_load_in_their_order_with_duplicates_and_gaps() {
    let redis = Redis::start().await;
    let cache = cache(&redis.node("1").await);
    cache.insert(&2, "two".to_owned()).await;
    let loads = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&loads);
    let reads = cache
        .get_many(&[3, 2, 9, 3, 1], move |keys: Vec<u64>| {
            counted.fetch_add(1, Ordering::SeqCst);
            assert_eq!(keys, [3, 9, 1]);
            async {
                Ok::<_, Error>(HashMap::from([(1, "one".to_owned()), (3, "three".to_owned())]))
            }
        })
        .await;
    let texts: Vec<Option<String>> = reads
        .iter()
        .map(|read| read.as_ref().unwrap().value.as_ref().map(|v| v.to_string()))
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(texts, [text("three"), text("two"), None, text("three"), text("one")]);
    let outcomes: Vec<Outcome> = reads.iter().map(|read| read.as_ref().unwrap().outcome).collect();
    use Outcome::{Coalesced, L1Hit, Loaded};
    assert_eq!(outcomes, [Loaded, L1Hit, Loaded, Coalesced, Loaded]);
    assert_eq!(loads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn many_keys_come_from_l2_on_another_node_without_a_load() {
    let redis = Redis::start().await;
    let here = cache(&redis.node("1").await);
    let keys: Vec<u64> = (0..100).collect();
    let all = |keys: Vec<u64>| async move {
        Ok::<_, Error>(keys.into_iter().map(|key| (key, key.to_string())).collect())
    };
    here.get_many(&keys, all).await;
    let there = cache(&redis.node("2").await);
    let reads = there
        .get_many(&keys, |_| async { Err::<HashMap<u64, String>, _>(Error::other("asked")) })
        .await;
    assert!(reads.iter().all(|read| read.as_ref().unwrap().outcome == Outcome::L2Hit));
}

#[tokio::test]
async fn outcomes_add_up_to_the_reads() {
    let redis = Redis::start().await;
    let cache = cache(&redis.node("1").await);
    let source = Source::new();
    let mut reads = 0;
    for key in [1, 2, 1, 3, 1] {
        source.read(&cache, key).await;
        reads += 1;
    }
    cache.get(&99).await;
    cache.bypass(source.clone().load()).await.unwrap();
    let _ = cache.get_or_load(&50, || async { Err(Error::other("down")) }).await;
    let report = cache.report();
    assert_eq!(report.outcomes.reads(), reads + 3);
    assert_eq!(report.outcomes.missed, 1);
    assert_eq!(report.outcomes.bypassed, 1);
    assert_eq!(report.outcomes.failed, 1);
    assert_eq!(report.l1.gets.hit + report.l1.gets.miss, reads + 2, "a bypass asks no level");
}

#[tokio::test]
async fn an_unreadable_entry_is_a_miss_that_is_counted_and_repaired() {
    let redis = Redis::start().await;
    let cache = cache(&redis.node("1").await);
    let () = redis.ask(&["SET", "{test}:users:1", "gibberish"]).await;
    let source = Source::new();
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::Loaded);
    assert!(cache.report().l2_unreadable > 0);
    let there = crate::support::cache(&redis.node("2").await);
    assert_eq!(source.read(&there, 1).await.outcome, Outcome::L2Hit);
}
