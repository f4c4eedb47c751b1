//! The form of values in L2: JSON or postcard, compressed or not, within limits.

use std::collections::HashMap;
use std::io::Error;
use std::time::Duration;

use strata_cache::report::Outcome;
use strata_cache::{Cache, CacheBuilder, Codec, Node};

use crate::support::Redis;
use crate::support::log::Log;

type Wide = Cache<String, Vec<u64>>;

fn wide(
    node: &Node,
    set: impl FnOnce(CacheBuilder<String, Vec<u64>>) -> CacheBuilder<String, Vec<u64>>,
) -> Wide {
    set(Cache::builder("wide")).build(node).unwrap()
}

fn numbers() -> Vec<u64> {
    (0..1_000).collect()
}

async fn load(cache: &Wide, key: &str) -> Outcome {
    let read = cache.get_or_load(&key.to_owned(), async || Ok::<_, Error>(Some(numbers()))).await;
    let read = read.unwrap();
    assert_eq!(*read.value.unwrap(), numbers());
    read.outcome
}

#[tokio::test]
async fn a_cache_reads_what_another_codec_has_written() {
    let redis = Redis::start().await;
    let nodes = [redis.node("1").await, redis.node("2").await, redis.node("3").await];
    let json = wide(&nodes[0], |cache| cache);
    let postcard = wide(&nodes[1], |cache| cache.codec(Codec::Postcard));
    let packed = wide(&nodes[2], |cache| cache.compress_above(100));
    let caches = [json, postcard, packed];
    for (i, writer) in caches.iter().enumerate() {
        let key = format!("key-{i}");
        assert_eq!(load(writer, &key).await, Outcome::Loaded);
        for (j, reader) in caches.iter().enumerate() {
            let expected = if i == j { Outcome::L1Hit } else { Outcome::L2Hit };
            assert_eq!(load(reader, &key).await, expected, "{i} {j}");
        }
    }
    let bytes = |cache: &Wide| cache.report().l2_put_bytes.sum();
    let [json, postcard, packed] = [&caches[0], &caches[1], &caches[2]].map(bytes);
    assert!(postcard < json / 2 && packed < json, "{json} {postcard} {packed}");
}

#[tokio::test]
async fn values_in_json_are_readable_in_redis_cli() {
    let redis = Redis::start().await;
    let node = redis.node("1").await;
    load(&wide(&node, |cache| cache), "a").await;
    let tail: String = redis.ask(&["GETRANGE", "{test}:wide:a", "-9", "-1"]).await;
    assert_eq!(tail, ",998,999]");
}

#[tokio::test]
async fn what_is_too_large_for_l2_lives_in_l1_and_leaves_no_lease_behind() {
    let redis = Redis::start().await;
    let node = redis.node("1").await;
    let cache = wide(&node, |cache| cache.max_value_bytes(100));
    assert_eq!(load(&cache, "a").await, Outcome::Loaded);
    assert_eq!(load(&cache, "a").await, Outcome::L1Hit);
    assert!(!redis.ask::<bool>(&["EXISTS", "{test}:wide:a"]).await);
    let long = "k".repeat(1_025);
    assert_eq!(load(&wide_other(&node), &long).await, Outcome::Loaded);
    assert!(!redis.ask::<bool>(&["EXISTS", &format!("{{test}}:other:{long}")]).await);
    assert_eq!(cache.report().l2_unfit, 1);
}

fn wide_other(node: &Node) -> Wide {
    Cache::builder("other").build(node).unwrap()
}

#[tokio::test]
async fn ten_thousand_values_without_a_form_are_told_in_one_line() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (log, _listening) = Log::listen();
    let cache: Cache<u64, HashMap<(u32, u32), u32>> =
        Cache::builder("maps").time_to_live(Duration::ZERO).build(&node).unwrap();
    for key in 0..10_000 {
        let load = async || Ok::<_, Error>(Some(HashMap::from([((1, 2), 3)])));
        cache.get_or_load(&(key % 100), load).await.unwrap();
    }
    let lines = log.lines("a value is not kept in L2");
    // There is a second line if the test takes a minute.
    assert!(matches!(lines.len(), 1 | 2), "{lines:?}");
    assert!(lines[0].contains("times=1 "), "{lines:?}");
    assert!(lines[0].contains("write it as JSON: key must be a string"), "{lines:?}");
    assert_eq!(cache.report().l2_unfit, 10_000);
}

#[cfg(debug_assertions)]
#[tokio::test]
async fn a_value_that_l2_would_not_give_back_as_it_was_is_told_in_debug_builds() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (log, _listening) = Log::listen();
    let lost: Cache<u64, Option<Option<u64>>> = Cache::builder("lost").build(&node).unwrap();
    let sound: Cache<u64, HashMap<String, Option<f64>>> =
        Cache::builder("sound").build(&node).unwrap();
    for key in 0..100 {
        lost.get_or_load(&key, async || Ok::<_, Error>(Some(Some(None)))).await.unwrap();
        let map = |n: u64| (n.to_string(), Some(n as f64 / 3.0));
        let load = move || async move { Ok::<_, Error>(Some((0..key).map(map).collect())) };
        sound.get_or_load(&key, load).await.unwrap();
    }
    let lines = log.lines("does not read back");
    assert!(matches!(lines.len(), 1 | 2), "{lines:?}");
    assert!(lines.iter().all(|line| line.contains("\"lost\"")), "{lines:?}");
}
