//! An entry may carry tags. Invalidating a tag is one command, and holds against every race.

use std::io::Error;
use std::time::Duration;

use strata_cache::report::{Effect, Outcome};
use strata_cache::{Cache, Loaded, Read};

use crate::support::{Redis, Source, cache, eventually, lonely_node};

/// Loads the source's row as made from `tags`.
async fn tagged(
    source: &Source,
    cache: &Cache<u64, String>,
    key: u64,
    tags: &[&str],
) -> Read<String> {
    let (source, tags) =
        (source.clone(), tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>());
    let load = async move || {
        let row = source.load().await?;
        Ok::<_, Error>(row.map(|row| Loaded::from(row).tags(tags)))
    };
    cache.get_or_load_entry(&key, load).await.unwrap()
}

async fn value(source: &Source, cache: &Cache<u64, String>, key: u64, tags: &[&str]) -> String {
    tagged(source, cache, key, tags).await.value.unwrap().as_ref().clone()
}

#[tokio::test]
async fn a_tag_takes_the_entries_that_carry_it_and_no_others() {
    let cache = cache(&lonely_node().await);
    let source = Source::new();
    value(&source, &cache, 1, &["author:7", "topic:rust"]).await;
    value(&source, &cache, 2, &["author:8"]).await;
    value(&source, &cache, 3, &[]).await;
    source.write(1);
    assert_eq!(cache.invalidate_tag("author:7").await, Effect::Off);
    assert_eq!(value(&source, &cache, 1, &["author:7", "topic:rust"]).await, "1");
    assert_eq!(value(&source, &cache, 2, &["author:8"]).await, "0");
    assert_eq!(value(&source, &cache, 3, &[]).await, "0");
    let told = cache.report().invalidations.local.tag;
    assert_eq!((told, source.loads()), (1, 4));
}

#[tokio::test]
async fn a_tag_invalidated_on_one_node_is_gone_on_both_levels_of_every_node() {
    let redis = Redis::start().await;
    let (here, there) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there, source) = (cache(&here), cache(&there), Source::new());
    value(&source, &here, 1, &["author:7"]).await;
    assert_eq!(tagged(&source, &there, 1, &["author:7"]).await.outcome, Outcome::L2Hit);
    source.write(1);
    assert_eq!(here.invalidate_tag("author:7").await, Effect::Marked);
    assert_eq!(value(&source, &here, 1, &["author:7"]).await, "1");
    eventually("the other node hears", async || there.report().invalidations.bus.tag == 1).await;
    let read = tagged(&source, &there, 1, &["author:7"]).await;
    assert_eq!((read.outcome, read.value.unwrap().as_str()), (Outcome::L2Hit, "1"));
    assert_eq!(source.loads(), 2);
}

#[tokio::test]
async fn a_load_that_a_tag_overtook_is_not_kept_though_nobody_knew_its_tags() {
    let redis = Redis::start().await;
    let (node, other) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    for cache in [cache(&node), cache(&lonely_node().await)] {
        let source = Source::closed();
        let early = tokio::spawn({
            let (cache, source) = (cache.clone(), source.clone());
            async move { value(&source, &cache, 1, &["author:7"]).await }
        });
        source.entered().await;
        source.write(7);
        cache.invalidate_tag("author:7").await;
        source.open();
        let late = value(&source, &cache, 1, &["author:7"]).await;
        assert_eq!((early.await.unwrap().as_str(), late.as_str()), ("0", "7"));
        assert_eq!(value(&source, &cache, 1, &["author:7"]).await, "7");
    }
    let there = cache(&other);
    assert_eq!(value(&Source::new(), &there, 1, &["author:7"]).await, "7");
}

/// Another process invalidates while this one loads, which only Redis can notice.
#[tokio::test]
async fn a_load_that_another_nodes_tag_overtook_is_not_written_to_l2() {
    let redis = Redis::start().await;
    let (here, there) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there, source) = (cache(&here), cache(&there), Source::closed());
    let early = tokio::spawn({
        let (here, source) = (here.clone(), source.clone());
        async move { value(&source, &here, 1, &["author:7"]).await }
    });
    source.entered().await;
    source.write(7);
    there.invalidate_tag("author:7").await;
    source.open();
    assert_eq!(early.await.unwrap(), "0");
    assert_eq!(here.report().l2_refused, 1);
    assert_eq!(value(&source, &there, 1, &["author:7"]).await, "7");
}

#[tokio::test]
async fn a_node_that_starts_later_asks_redis_whether_older_tags_hold() {
    let redis = Redis::start().await;
    let (node, other) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (first, source) = (cache(&node), Source::new());
    for key in [1, 2] {
        // The bus moves on between a load and its commit, so the first commit may be refused.
        value(&source, &first, key, &[&format!("tag:{key}")]).await;
    }
    first.invalidate_tag("tag:1").await;
    // The second node has heard nothing of this.
    let late = redis.hearing_node("3").await;
    let late = cache(&late);
    source.write(1);
    assert_eq!(value(&source, &late, 1, &["tag:1"]).await, "1");
    assert_eq!(tagged(&source, &late, 2, &["tag:2"]).await.outcome, Outcome::L2Hit);
    drop(other);
}

#[tokio::test]
async fn a_tag_invalidated_while_redis_is_away_holds_once_it_is_back() {
    let mut redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (cache, source) = (cache(&node), Source::new());
    value(&source, &cache, 1, &["author:7"]).await;
    redis.freeze();
    source.write(1);
    assert_eq!(cache.invalidate_tag("author:7").await, Effect::Queued);
    assert_eq!(value(&source, &cache, 1, &["author:7"]).await, "1");
    redis.thaw();
    eventually("L2 is trusted", async || !node.report().l2.breaker_open).await;
    let late = redis.hearing_node("2").await;
    assert_eq!(value(&source, &crate::support::cache(&late), 1, &["author:7"]).await, "1");
    redis.kill();
}

#[tokio::test]
async fn tags_that_redis_has_lost_count_as_invalidated() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (first, source) = (cache(&node), Source::new());
    value(&source, &first, 1, &["author:7"]).await;
    source.write(1);
    let () = redis.ask(&["DEL", "{test}!tags:users"]).await;
    let () = redis.ask(&["INCR", "{test}!bus:sequence"]).await;
    let late = redis.hearing_node("2").await;
    assert_eq!(value(&source, &cache(&late), 1, &["author:7"]).await, "1");
}

#[tokio::test]
async fn a_softly_kept_entry_does_not_outlive_its_tag() {
    let node = lonely_node().await;
    let cache: Cache<u64, String> = Cache::builder("users")
        .time_to_live(Duration::from_millis(1))
        .grace(Duration::from_secs(60))
        .build(&node)
        .unwrap();
    let source = Source::new();
    value(&source, &cache, 1, &["author:7"]).await;
    cache.invalidate_tag("author:7").await;
    let failed = cache.get_or_load(&1, async || Err(Error::other("the source is down"))).await;
    assert!(failed.is_err(), "{failed:?}");
}

#[tokio::test]
async fn batches_carry_tags_too() {
    let cache = cache(&lonely_node().await);
    let load = |keys: Vec<u64>| async move {
        let row =
            |key: u64| (key, Loaded::from(key.to_string()).tags([format!("odd:{}", key % 2)]));
        Ok::<_, Error>(keys.into_iter().map(row).collect())
    };
    cache.get_many_entries(&[1, 2, 3, 4], load).await;
    cache.invalidate_tag("odd:1").await;
    let again = cache.get_many_entries(&[1, 2, 3, 4], load).await;
    let outcomes: Vec<_> = again.into_iter().map(|read| read.unwrap().outcome).collect();
    assert_eq!(outcomes, [Outcome::Loaded, Outcome::L1Hit, Outcome::Loaded, Outcome::L1Hit]);
}

#[tokio::test]
async fn a_cache_that_is_built_after_a_tag_was_heard_asks_redis_too() {
    let redis = Redis::start().await;
    let (node, other) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (there, source) = (cache(&other), Source::new());
    value(&source, &there, 1, &["author:7"]).await;
    source.write(1);
    there.invalidate_tag("author:7").await;
    eventually("node 1 hears", async || node.report().bus.received == 1).await;
    assert_eq!(value(&source, &cache(&node), 1, &["author:7"]).await, "1");
}

/// The greatest number of tags that Redis keeps by name.
const MAX_NAMES: u64 = 90_000;

/// Invalidates other tags than those of the entries until Redis has folded half of their names:
/// most by a script, since it takes a moment, the rest as a service does. Returns how many.
async fn invalidate_others(redis: &Redis, cache: &Cache<u64, String>, round: u64) -> u64 {
    let fill = "local names = redis.call('HLEN', KEYS[1])
        local room = math.min(ARGV[2] - names, 1000)
        for i = names + 1, names + room do
          local n = string.format('%.0f', redis.call('INCR', KEYS[2]))
          redis.call('HSET', KEYS[1], 'tag:round:' .. ARGV[1] .. ':user:' .. i, n)
        end
        return room";
    let keys = ["{test}!tags:users", "{test}!bus:sequence"];
    let (nth, max) = (round.to_string(), MAX_NAMES.to_string());
    let mut filled = 0;
    loop {
        let n: u64 = redis.ask(&["EVAL", fill, "2", keys[0], keys[1], &nth, &max]).await;
        filled += n;
        if n == 0 {
            break;
        }
    }
    let (mut n, mut is_folding) = (0, true);
    while n < 10 || is_folding {
        assert_eq!(cache.invalidate_tag(&format!("round:{round}:{n}")).await, Effect::Marked);
        is_folding = redis.ask(&["HEXISTS", keys[0], "cursor"]).await;
        n += 1;
    }
    filled + n
}

/// The answer of a node that has heard of nothing, while the source has another value.
async fn on_a_new_node(redis: &Redis, key: u64, tag: &str) -> (Outcome, String) {
    let node = redis.hearing_node("new").await;
    let source = Source::new();
    source.write(7);
    let read = tagged(&source, &cache(&node), key, &[tag]).await;
    (read.outcome, read.value.unwrap().as_ref().clone())
}

async fn outlives(n_others: u64) {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (here, source) = (cache(&node), Source::new());
    for key in 1..6 {
        value(&source, &here, key, &["keep"]).await;
    }
    for (key, tag) in [(10, "round:1:user:9"), (11, "round:1:0"), (12, "gone")] {
        value(&source, &here, key, &[tag]).await;
    }
    here.invalidate_tag("gone").await;
    let (mut n, mut round) = (1, 0);
    while n < n_others {
        round += 1;
        n += invalidate_others(&redis, &here, round).await;
        let names: u64 = redis.ask(&["HLEN", "{test}!tags:users"]).await;
        assert!((20_000..80_000).contains(&names), "round {round}: {names} names are left");
    }
    let kept = (Outcome::L2Hit, "0".to_owned());
    for key in 1..6 {
        assert_eq!(on_a_new_node(&redis, key, "keep").await, kept, "after {n} other tags");
    }
    let gone = (Outcome::Loaded, "7".to_owned());
    for (key, tag) in [(10, "round:1:user:9"), (11, "round:1:0"), (12, "gone")] {
        assert_eq!(on_a_new_node(&redis, key, tag).await, gone, "{tag}");
    }
    let tags = here.report().tags;
    assert!(tags.l2_known.abs_diff(n) <= 5 && tags.l2_forgotten == 0, "{tags:?} of {n}");
    // Redis has evicted the folded tags, so it is unknown which ones they were.
    let () = redis.ask(&["DEL", "{test}!tags:users:1"]).await;
    assert_eq!(on_a_new_node(&redis, 1, "keep").await, gone);
}

#[tokio::test]
async fn entries_whose_tags_nobody_touched_outlive_100_001_others() {
    outlives(100_001).await;
}

#[tokio::test]
#[ignore = "takes a minute: ./dev test long"]
async fn entries_whose_tags_nobody_touched_outlive_a_million_others() {
    outlives(1_000_000).await;
}

#[tokio::test]
async fn where_an_older_node_deletes_all_tags_what_was_folded_counts_no_more() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (here, source) = (cache(&node), Source::new());
    value(&source, &here, 1, &["keep"]).await;
    invalidate_others(&redis, &here, 1).await;
    assert_eq!(on_a_new_node(&redis, 1, "keep").await.0, Outcome::L2Hit);
    let older = "redis.call('DEL', KEYS[1])
        return redis.call('HSETNX', KEYS[1], 'since', redis.call('INCR', KEYS[2]))";
    let keys = ["{test}!tags:users", "{test}!bus:sequence"];
    let _: u64 = redis.ask(&["EVAL", older, "2", keys[0], keys[1]]).await;
    assert_eq!(on_a_new_node(&redis, 1, "keep").await.0, Outcome::Loaded);
    invalidate_others(&redis, &here, 2).await;
    assert_eq!(on_a_new_node(&redis, 1, "keep").await.0, Outcome::L2Hit, "as it was loaded anew");
}

#[tokio::test]
async fn a_tag_is_invalidated_also_where_others_cannot_be_folded() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (here, source) = (cache(&node), Source::new());
    value(&source, &here, 1, &["author:7"]).await;
    let half_folded =
        "redis.call('HSET', KEYS[1], 'cursor', '0', 'slices', '1:9:0', 'tag:old', '1')
        return redis.call('RPUSH', KEYS[1] .. ':1', 'no bitmap')";
    let _: u64 = redis.ask(&["EVAL", half_folded, "1", "{test}!tags:users"]).await;
    source.write(1);
    assert_eq!(here.invalidate_tag("author:7").await, Effect::Marked);
    assert_eq!(value(&source, &here, 1, &["author:7"]).await, "1");
    assert_eq!(node.report().l2.queued_invalidations, 0);
}
