//! The network between a node and Redis breaks and recovers; the service keeps working.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::RngExt;
use strata_cache::report::{Effect, Outcome};
use strata_cache::{Node, Pattern};
use strata_testing::{DIRECTIONS, Direction, LINES, Line, Proxy};

use crate::coherence::World;
use crate::support::ways::{LONG, SHORT, node_behind, onlooker, trusts_l2};
use crate::support::{Redis, Source, cache, eventually, hears};

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
    // A machine that stalls may lose Redis again for a moment.
    let id = Cell::new(1);
    eventually("an entry lies in Redis", async || {
        id.set(id.get() + 1);
        source.read(&cache, id.get()).await;
        redis.ask(&["EXISTS", &format!("{{test}}:users:{}", id.get())]).await
    })
    .await;
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
    proxy.hold(&[Line::L2], &[Direction::Answers]).await;
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

#[tokio::test]
async fn who_goes_on_invalidating_by_pattern_does_not_keep_l2_away() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let (node, two) = (node_behind(&proxy, LONG).await, onlooker(&redis).await);
    let (here, there) = (cache(&node), cache(&two));
    let source = Source::new();
    for key in 0..500 {
        source.read(&there, key).await;
    }
    proxy.cut().await;
    source.write(7);
    let invalidated = Arc::new(AtomicU64::new(0));
    let invalidating = tokio::spawn({
        let (here, invalidated) = (here.clone(), Arc::clone(&invalidated));
        async move {
            for n in (0..500).cycle() {
                here.invalidate_pattern(&Pattern::prefix(&n.to_string())).await;
                invalidated.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
        }
    });
    eventually("each has waited", async || invalidated.load(Ordering::SeqCst) > 500).await;
    proxy.restore().await;
    trusts_l2(&node).await;
    invalidating.abort();
    let new = cache(&onlooker(&redis).await);
    for key in 0..500 {
        assert_eq!(source.value(&new, key).await, "7", "key {key}");
    }
}

/// Random faults between nodes and Redis, each for a while.
async fn trouble(proxies: &mut [Proxy], goes_on: impl Fn() -> bool) {
    while goes_on() {
        let (proxy, fault, pause_ms) = {
            let mut rng = rand::rng();
            let proxy = rng.random_range(0..proxies.len());
            (&mut proxies[proxy], rng.random_range(0..8), rng.random_range(5..400))
        };
        match fault {
            0..3 => proxy.cut().await,
            3 => proxy.black_hole().await,
            4 => proxy.half_open().await,
            5 => proxy.hold(&LINES, &[Direction::Requests]).await,
            6 => proxy.hold(&[Line::Bus], &DIRECTIONS).await,
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
    trouble(&mut proxies, world.storms()).await;
    println!("{}", world.end(tasks).await);
}
