//! Counting the keys of L2: one count at a time, whichever nodes ask, and with rests.

use std::time::Duration;

use strata_cache::{Node, Pattern};

use crate::support::ways::LONG;
use crate::support::{Redis, Source, cache};

async fn users(node: &Node) -> Option<u64> {
    let census = node.census_l2().await?;
    Some(census.counts.iter().find(|count| count.cache == "users")?.entries)
}

#[tokio::test]
async fn whoever_asks_next_is_answered_with_the_last_count() {
    let redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (cache, source) = (cache(&one), Source::new());
    for key in 0..20 {
        source.read(&cache, key).await;
    }
    let counted = one.census_l2().await.unwrap();
    assert_eq!(users(&one).await, Some(20));
    source.read(&cache, 20).await;
    for node in [&one, &two, &one] {
        assert_eq!(node.census_l2().await.as_ref(), Some(&counted), "nobody counts again so soon");
    }
    let () = redis.ask(&["DEL", "{test}!census:turn"]).await;
    assert_eq!(users(&two).await, Some(21), "after a rest");
}

#[tokio::test]
async fn while_another_node_counts_nobody_else_does() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let () = redis.ask(&["SET", "{test}!census:turn", "1", "PX", "60000"]).await;
    assert_eq!(node.census_l2().await, None, "the first count has not ended");
}

#[tokio::test]
async fn a_large_redis_rests_in_proportion_to_what_the_count_took() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let fill = "for n = 1, 20000 do redis.call('SET', 'other:' .. n, 1) end";
    let () = redis.ask(&["EVAL", fill, "0"]).await;
    let took_ms = node.census_l2().await.unwrap().took_ms;
    let rests_ms: u64 = redis.ask(&["PTTL", "{test}!census:turn"]).await;
    let due_ms = 8_000.max(20 * took_ms);
    assert!((due_ms - 1_000..=due_ms).contains(&rests_ms), "{rests_ms} after {took_ms}");
}

#[tokio::test]
async fn counting_what_matches_ends_in_time_and_says_whether_it_saw_all() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (cache, source) = (cache(&node), Source::new());
    for key in 0..20 {
        source.read(&cache, key).await;
    }
    let found = async |within| {
        let all = Pattern::prefix("1");
        node.match_l2_within("users", &all, 5, within).await.unwrap().unwrap()
    };
    let whole = found(LONG).await;
    assert_eq!((whole.n_keys, whole.keys.len(), whole.is_whole), (11, 5, true));
    let others: Vec<String> = (0..20_000).map(|n| format!("other:{n}")).collect();
    for some in others.chunks(5_000) {
        let words = some.iter().flat_map(|key| [key.as_str(), "1"]);
        let () = redis.ask(&["MSET"].into_iter().chain(words).collect::<Vec<_>>()).await;
    }
    let part = found(Duration::from_nanos(1)).await;
    assert!(!part.is_whole && part.n_keys <= 11, "{part:?}");
    assert_eq!(found(LONG).await.n_keys, 11);
}

#[tokio::test]
async fn a_count_that_takes_too_long_is_given_up_and_says_how_far_it_came() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let fill = "for n = 1, 5000 do redis.call('SET', '{test}:users:' .. n, 1) end";
    let () = redis.ask(&["EVAL", fill, "0"]).await;
    let census = node.census_l2_within(Duration::ZERO).await.unwrap();
    assert_eq!((census.given_up_after, census.counts.len()), (Some(1_000), 0), "{census:?}");
    assert!(census.keys >= Some(5_000), "{census:?}");
    let () = redis.ask(&["DEL", "{test}!census:turn"]).await;
    assert_eq!(node.census_l2().await.unwrap().given_up_after, None);
}
