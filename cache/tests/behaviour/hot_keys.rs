//! Which keys are read and missed most.

use std::io::Error;

use strata_cache::report::HotKey;
use strata_cache::{Cache, Recording};

use crate::support::{Source, cache, lonely_node};

#[tokio::test]
async fn the_key_that_half_of_all_reads_ask_for_comes_first_with_half_of_the_reads() {
    let node = lonely_node().await;
    let (cache, source) = (cache(&node), Source::new());
    for n in 0..40_000 {
        let key = if n % 2 == 0 { 7 } else { 100 + n % 500 };
        source.read(&cache, key).await;
    }
    let hot = cache.report().hot_keys.unwrap();
    assert_eq!(hot.keys[0].key, "7");
    let share = hot.share(&hot.keys[0]).unwrap();
    assert!((0.35..0.65).contains(&share), "{share}");
    assert_eq!(hot.sampled_one_in, 64);
    assert!((450..800).contains(&hot.sampled), "40 000 / 64 reads were sampled: {}", hot.sampled);
}

#[tokio::test]
async fn a_key_that_is_asked_for_in_vain_is_among_the_most_missed() {
    let node = lonely_node().await;
    let (cache, source) = (cache(&node), Source::new());
    source.read(&cache, 1).await;
    source.read(&cache, 1).await;
    for n in 0..4_000 {
        cache.get(&if n % 2 == 0 { 42 } else { 1_000 + n }).await;
        source.read(&cache, 1).await;
    }
    let missed = cache.report().missed_keys.unwrap();
    assert_eq!(missed.keys[0].key, "42");
    assert!(missed.keys.iter().all(|key| key.key != "1"), "what hits is not missed");
}

#[tokio::test]
async fn a_cache_that_nobody_reads_has_no_hot_keys() {
    let node = lonely_node().await;
    let hot = cache(&node).report().hot_keys.unwrap();
    assert_eq!((hot.keys.len(), hot.sampled, hot.per_second), (0, 0, 0.0));
    assert_eq!(hot.share(&HotKey::default()), None);
}

#[tokio::test]
async fn the_text_of_a_long_key_is_cut() {
    let node = lonely_node().await;
    let cache: Cache<String, u8> = Cache::builder("long").build(&node).unwrap();
    let key = "k".repeat(1_000);
    for _ in 0..2_000 {
        cache.get_or_load(&key, async || Ok::<_, Error>(Some(1))).await.unwrap();
    }
    let hot = cache.report().hot_keys.unwrap();
    assert_eq!((hot.keys[0].key.len(), hot.keys[0].is_cut), (200, true));
}

#[tokio::test]
async fn a_cache_that_records_counts_alone_has_neither_hot_keys_nor_a_curve() {
    let node = lonely_node().await;
    let cache =
        Cache::builder("users").recording(Recording::Counts).group("{id}").build(&node).unwrap();
    Source::new().read(&cache, 1).await;
    let report = cache.report();
    assert_eq!((report.hot_keys, report.missed_keys, report.what_if), (None, None, None));
    assert_eq!(report.groups.groups[0].outcomes.loaded, 1);
}
