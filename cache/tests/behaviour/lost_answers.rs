//! Requests that arrive without an answer, or late. Their effect must never be assumed absent.

use std::time::Duration;

use strata_cache::report::{Effect, Outcome};
use strata_cache::{Cache, Node, Pattern};
use strata_testing::Proxy;

use crate::support::ways::{SHORT, node_behind, onlooker, trusts_l2};
use crate::support::{Redis, Source, cache, eventually, hears};

/// How many scripts Redis has run.
async fn scripts_run(redis: &Redis) -> u64 {
    let stats: String = redis.ask(&["INFO", "commandstats"]).await;
    let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
    line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or(0)
}

/// Waits until `one` has acted on all messages of `other`.
async fn catches_up(one: &Node, other: &Node) {
    let sequence = other.bus_sequence().await.unwrap();
    assert!(one.has_heard(sequence, Duration::from_secs(10)).await, "the bus is not heard");
}

#[tokio::test]
async fn an_invalidation_whose_answer_is_lost_is_replayed_and_leaves_nothing_older_anywhere() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let (one, two) = (node_behind(&proxy, SHORT).await, onlooker(&redis).await);
    let (here, there) = (cache(&one), cache(&two));
    let source = Source::new();
    // Redis then knows the script, so that one request suffices.
    here.invalidate(&99).await;
    source.read(&here, 1).await;
    source.read(&there, 1).await;
    let run = scripts_run(&redis).await;
    proxy.half_open().await;
    source.write(7);
    assert_eq!(here.invalidate(&1).await, Effect::Queued);
    assert_eq!(source.value(&here, 1).await, "7");
    eventually("the request arrives", async || scripts_run(&redis).await > run).await;
    eventually("node 2 hears of it", async || source.value(&there, 1).await == "7").await;
    assert!(one.report().l2.breaker_open, "trusted before the answer");
    assert_eq!(one.report().l2.queued_invalidations, 1);
    proxy.restore().await;
    trusts_l2(&one).await;
    hears(&one).await;
    let l2 = one.report().l2;
    assert_eq!((l2.replayed_invalidations, l2.queued_invalidations), (1, 0));
    let new = cache(&onlooker(&redis).await);
    for cache in [&here, &there, &new] {
        assert_eq!(source.value(cache, 1).await, "7");
    }
}

#[tokio::test]
async fn an_invalidation_that_is_held_up_removes_what_was_filled_before_it_arrived() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let (one, two) = (node_behind(&proxy, SHORT).await, onlooker(&redis).await);
    let (here, there) = (cache(&one), cache(&two));
    let source = Source::new();
    source.read(&here, 1).await;
    proxy.black_hole().await;
    source.write(7);
    assert_eq!(here.invalidate(&1).await, Effect::Queued);
    assert_eq!(there.get(&1).await.value.as_deref().map(String::as_str), Some("0"));
    proxy.restore().await;
    trusts_l2(&one).await;
    eventually("node 2 hears of it", async || source.value(&there, 1).await == "7").await;
    assert_eq!(source.value(&here, 1).await, "7");
}

#[tokio::test]
async fn softly_or_by_pattern_or_all_an_invalidation_that_is_lost_is_replayed() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let (one, two) = (node_behind(&proxy, SHORT).await, onlooker(&redis).await);
    let (here, there) = (cache(&one), cache(&two));
    let source = Source::new();
    for round in 1..=3 {
        source.read(&here, 1).await;
        source.read(&there, 1).await;
        proxy.black_hole().await;
        source.write(round);
        let effect = match round {
            1 => here.invalidate_softly(&1).await,
            2 => here.invalidate_pattern(&Pattern::prefix("1")).await,
            _ => here.clear().await,
        };
        assert_eq!(effect, Effect::Queued, "round {round}");
        let new = round.to_string();
        assert_eq!(source.value(&here, 1).await, new);
        proxy.restore().await;
        trusts_l2(&one).await;
        hears(&one).await;
        eventually("node 2 hears of it", async || source.value(&there, 1).await == new).await;
        assert_eq!(source.value(&here, 1).await, new);
    }
}

/// Makes sure that Redis has the commit's script. Otherwise the commit takes more than one request.
async fn knows_the_commit(here: &Cache<u64, String>, there: &Cache<u64, String>) {
    let committed = async || {
        here.invalidate(&99).await;
        Source::new().read(here, 99).await;
        there.get(&99).await.value.is_some()
    };
    eventually("a commit arrives", committed).await;
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_served_and_later_invalidated_like_any_other() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let (one, two) = (node_behind(&proxy, SHORT).await, onlooker(&redis).await);
    let (here, there) = (cache(&one), cache(&two));
    knows_the_commit(&here, &there).await;
    let source = Source::closed();
    let reading = tokio::spawn({
        let (source, here) = (source.clone(), here.clone());
        async move { source.read(&here, 1).await }
    });
    source.entered().await;
    assert!(there_is_a_lease(&redis).await, "L2 was away before the scene began");
    proxy.half_open().await;
    source.open();
    let read = reading.await.unwrap();
    assert_eq!((read.outcome, read.value.unwrap().as_str()), (Outcome::Loaded, "0"));
    eventually("the commit arrives", async || there.get(&1).await.value.is_some()).await;
    source.write(7);
    there.invalidate(&1).await;
    assert_eq!(source.value(&there, 1).await, "7");
    proxy.restore().await;
    trusts_l2(&one).await;
    catches_up(&one, &two).await;
    assert_eq!(source.value(&here, 1).await, "7");
}

#[tokio::test]
async fn a_commit_that_arrives_after_an_invalidation_is_refused() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let (one, two) = (node_behind(&proxy, SHORT).await, onlooker(&redis).await);
    let (here, there) = (cache(&one), cache(&two));
    knows_the_commit(&here, &there).await;
    there.invalidate(&99).await;
    let source = Source::closed();
    let reading = tokio::spawn({
        let (source, here) = (source.clone(), here.clone());
        async move { source.value(&here, 1).await }
    });
    source.entered().await;
    assert!(there_is_a_lease(&redis).await, "L2 was away before the scene began");
    proxy.black_hole().await;
    source.open();
    assert_eq!(reading.await.unwrap(), "0");
    source.write(7);
    there.invalidate(&1).await;
    let run = scripts_run(&redis).await;
    proxy.restore().await;
    eventually("the late commit arrives", async || scripts_run(&redis).await > run).await;
    assert_eq!(there.get(&1).await.outcome, Outcome::Missed);
    catches_up(&one, &two).await;
    assert_eq!(source.value(&here, 1).await, "7");
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_acknowledged_and_every_node_reads_it() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let (one, two) = (node_behind(&proxy, SHORT).await, onlooker(&redis).await);
    let (here, there) = (cache(&one), cache(&two));
    let source = Source::new();
    here.insert(&99, "warm".to_owned()).await;
    source.read(&here, 1).await;
    source.read(&there, 1).await;
    let (row, (written, committed)) = (source.clone(), tokio::sync::oneshot::channel::<()>());
    let writing = tokio::spawn({
        let here = here.clone();
        async move {
            let write = async move {
                row.write(7);
                committed.await.unwrap();
                Ok::<_, std::io::Error>("7".to_owned())
            };
            here.write_through(&1, write).await.unwrap()
        }
    });
    eventually("the lease is taken", async || there_is_a_lease(&redis).await).await;
    proxy.half_open().await;
    written.send(()).unwrap();
    let (value, effect) = writing.await.unwrap();
    assert_eq!((value.as_str(), effect), ("7", Effect::Queued));
    assert_eq!(source.value(&here, 1).await, "7");
    proxy.restore().await;
    trusts_l2(&one).await;
    eventually("node 2 hears of it", async || source.value(&there, 1).await == "7").await;
    assert_eq!(source.value(&here, 1).await, "7");
}

async fn there_is_a_lease(redis: &Redis) -> bool {
    let held: Option<String> = redis.ask(&["GETRANGE", "{test}:users:1", "0", "5"]).await;
    held.as_deref() == Some("lease:")
}
