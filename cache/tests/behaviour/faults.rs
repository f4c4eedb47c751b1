//! What lies between a node and Redis breaks, and mends; no answer is ever older than it may be.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::RngExt;
use strata_cache::report::{Effect, Outcome};
use strata_cache::{Node, Pattern};

use crate::coherence::{World, storm};
use crate::support::proxy::{LINES, Line, Proxy, WAYS, Way};
use crate::support::{Redis, Source, cache, eventually, hears};

/// Long enough to show where a wait was, short enough to wait for.
const SHORT: Duration = Duration::from_millis(600);

/// Far longer than anything here takes: whoever waits for it fails.
const LONG: Duration = Duration::from_secs(8);

async fn node_behind(proxy: &Proxy, l2_timeout: Duration) -> Node {
    hearing_node(&proxy.url(), l2_timeout).await
}

/// A node whose own way to Redis is sound and patient.
async fn onlooker(redis: &Redis) -> Node {
    hearing_node(&redis.url(), LONG).await
}

async fn hearing_node(url: &str, l2_timeout: Duration) -> Node {
    let node = Node::builder("test").redis_url(url).l2_timeout(l2_timeout);
    let node = node.start().await.unwrap();
    hears(&node).await;
    node
}

async fn trusts_l2(node: &Node) {
    eventually("the breaker closes", async || !node.report().l2.breaker_open).await;
}

/// How many scripts Redis has run.
async fn scripts_run(redis: &Redis) -> u64 {
    let stats: String = redis.ask(&["INFO", "commandstats"]).await;
    let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
    line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn a_black_hole_costs_one_cold_read_one_hard_timeout_and_the_next_ones_none() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let node = node_behind(&proxy, SHORT).await;
    let (cache, source) = (cache(&node), Source::new());
    proxy.black_hole().await;
    proxy.forget();
    for key in 0..100 {
        assert_eq!(source.read(&cache, key).await.outcome, Outcome::Loaded);
    }
    assert_eq!(node.report().l2.timeouts, 1);
    let mut asked = proxy.seen(Line::L2);
    asked.remove("PING");
    assert_eq!(asked, BTreeMap::from([("GET".to_owned(), 1)]), "more than the probes and one read");
}

#[tokio::test]
async fn a_connection_that_is_reset_and_then_refused_costs_no_timeout() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let node = node_behind(&proxy, LONG).await;
    let (cache, source) = (cache(&node), Source::new());
    source.read(&cache, 0).await;
    proxy.cut().await;
    let began = Instant::now();
    for key in 1..100 {
        assert_eq!(source.read(&cache, key).await.outcome, Outcome::Loaded);
    }
    assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
    let l2 = node.report().l2;
    assert_eq!((l2.timeouts, l2.breaker_open), (0, true));
}

#[tokio::test]
async fn a_node_starts_behind_a_black_hole_and_uses_redis_once_there_is_a_way() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    proxy.black_hole().await;
    let node = Node::builder("test").redis_url(&proxy.url()).start().await.unwrap();
    let (cache, source) = (cache(&node), Source::new());
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::Loaded);
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::L1Hit);
    proxy.restore().await;
    trusts_l2(&node).await;
    hears(&node).await;
    source.read(&cache, 2).await;
    let held: bool = redis.ask(&["EXISTS", "test:users:2"]).await;
    assert!(held);
}

#[tokio::test]
async fn an_invalidation_whose_answer_is_lost_is_replayed_and_leaves_nothing_older_anywhere() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let (one, two) = (node_behind(&proxy, SHORT).await, onlooker(&redis).await);
    let (here, there) = (cache(&one), cache(&two));
    let source = Source::new();
    // Redis knows the script afterwards, so that one request is enough.
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

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_served_and_later_invalidated_like_any_other() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let (one, two) = (node_behind(&proxy, SHORT).await, onlooker(&redis).await);
    let (here, there) = (cache(&one), cache(&two));
    Source::new().read(&here, 99).await;
    let source = Source::closed();
    let reading = tokio::spawn({
        let (source, here) = (source.clone(), here.clone());
        async move { source.read(&here, 1).await }
    });
    source.entered().await;
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
    hears(&one).await;
    assert_eq!(source.value(&here, 1).await, "7");
}

#[tokio::test]
async fn a_commit_that_arrives_after_an_invalidation_is_refused() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let (one, two) = (node_behind(&proxy, SHORT).await, onlooker(&redis).await);
    let (here, there) = (cache(&one), cache(&two));
    Source::new().read(&here, 99).await;
    there.invalidate(&99).await;
    let source = Source::closed();
    let reading = tokio::spawn({
        let (source, here) = (source.clone(), here.clone());
        async move { source.value(&here, 1).await }
    });
    source.entered().await;
    proxy.black_hole().await;
    source.open();
    assert_eq!(reading.await.unwrap(), "0");
    source.write(7);
    there.invalidate(&1).await;
    let run = scripts_run(&redis).await;
    proxy.restore().await;
    eventually("the late commit arrives", async || scripts_run(&redis).await > run).await;
    assert_eq!(there.get(&1).await.outcome, Outcome::Missed);
    hears(&one).await;
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
    let held: Option<String> = redis.ask(&["GETRANGE", "test:users:1", "0", "5"]).await;
    held.as_deref() == Some("lease:")
}

#[tokio::test]
async fn a_slow_way_that_stays_below_the_timeout_changes_nothing_but_the_time() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let (one, two) = (node_behind(&proxy, LONG).await, onlooker(&redis).await);
    let (here, there) = (cache(&one), cache(&two));
    proxy.delay(Duration::from_millis(20)).await;
    let source = Source::new();
    assert_eq!(source.read(&here, 1).await.outcome, Outcome::Loaded);
    assert_eq!(source.read(&here, 1).await.outcome, Outcome::L1Hit);
    assert_eq!(source.read(&there, 1).await.outcome, Outcome::L2Hit);
    source.write(7);
    assert_eq!(here.invalidate(&1).await, Effect::Removed { entries: 1 });
    eventually("node 2 hears of it", async || source.value(&there, 1).await == "7").await;
    assert_eq!(source.read(&here, 1).await.outcome, Outcome::L2Hit);
    source.write(8);
    there.invalidate(&1).await;
    eventually("node 1 hears of it", async || source.value(&here, 1).await == "8").await;
    let l2 = one.report().l2;
    assert_eq!((l2.timeouts, l2.errors, l2.breaker_opened), (0, 0, 0));
    assert_eq!((one.report().bus.gaps, one.report().bus.disconnects), (0, 0));
}

#[tokio::test]
async fn while_one_probe_is_on_its_way_nobody_else_asks() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let node = node_behind(&proxy, LONG).await;
    let (cache, source) = (cache(&node), Source::new());
    proxy.cut().await;
    source.read(&cache, 0).await;
    assert!(node.report().l2.breaker_open);
    proxy.forget();
    proxy.hold(&[Line::L2], &[Way::Answers]).await;
    eventually("the probe asks", async || proxy.times(Line::L2, "PING") > 0).await;
    let reads: Vec<_> = (1..100)
        .map(|key| {
            let (cache, source) = (cache.clone(), source.clone());
            tokio::spawn(async move { source.read(&cache, key).await.outcome })
        })
        .collect();
    for read in reads {
        assert_eq!(read.await.unwrap(), Outcome::Loaded);
    }
    assert_eq!(cache.invalidate(&1).await, Effect::Queued);
    assert_eq!(proxy.seen(Line::L2), BTreeMap::from([("PING".to_owned(), 1)]));
    proxy.restore().await;
    trusts_l2(&node).await;
    assert_eq!(proxy.times(Line::L2, "PING"), 1);
    source.read(&cache, 100).await;
    assert_eq!(proxy.times(Line::L2, "GET"), 1);
}

/// Any fault, for a while, between a node and Redis.
async fn trouble(proxies: &mut [Proxy], until: Instant) {
    while Instant::now() < until {
        let (proxy, fault, pause_ms) = {
            let mut rng = rand::rng();
            let proxy = rng.random_range(0..proxies.len());
            (&mut proxies[proxy], rng.random_range(0..8), rng.random_range(5..400))
        };
        match fault {
            0..3 => proxy.cut().await,
            3 => proxy.black_hole().await,
            4 => proxy.half_open().await,
            5 => proxy.hold(&LINES, &[Way::Requests]).await,
            6 => proxy.hold(&[Line::Bus], &WAYS).await,
            _ => proxy.delay(Duration::from_millis(30)).await,
        }
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        proxy.restore().await;
        tokio::time::sleep(Duration::from_millis(pause_ms / 2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_node_reads_older_than_it_acknowledged_however_its_link_flaps() {
    let redis = Redis::start().await;
    let mut proxies = [Proxy::before(&redis).await, Proxy::before(&redis).await];
    let mut nodes = vec![onlooker(&redis).await];
    for proxy in &proxies {
        nodes.push(node_behind(proxy, Node::DEFAULT_L2_TIMEOUT).await);
    }
    let world = World::of(nodes);
    let tasks = world.begin();
    trouble(&mut proxies, Instant::now() + storm()).await;
    world.end(tasks).await;
}
