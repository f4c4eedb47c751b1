//! Answers that come late or on a lost connection, and their cost.

use std::time::Duration;

use strata_cache::Node;
use strata_cache::report::{Effect, Outcome};
use strata_testing::{Direction, Line, Proxy};

use crate::support::ways::{LONG, SHORT, never_opened, node_behind, onlooker, times};
use crate::support::{Redis, Source, cache, eventually, hears};

#[tokio::test]
async fn a_redis_that_is_busy_with_a_script_is_asked_again_and_not_given_up() {
    let redis = Redis::start().await;
    let () = redis.ask(&["CONFIG", "SET", "busy-reply-threshold", "1"]).await;
    let node = Node::builder("test").redis_url(&redis.url()).l2_timeout(SHORT);
    let node = node.start().await.unwrap();
    hears(&node).await;
    let (cache, source) = (cache(&node), Source::new());
    source.read(&crate::support::cache(&onlooker(&redis).await), 2).await;
    let endless = redis.spawn(&["EVAL", "while true do end", "0"]);
    eventually("Redis is busy", async || redis.refuses(&["PING"]).await).await;
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::Loaded);
    assert_eq!(times(&node.report(), "BUSY"), 1);
    never_opened(&node);
    let () = redis.ask(&["SCRIPT", "KILL"]).await;
    endless.await.unwrap();
    hears(&node).await;
    assert_eq!(source.read(&cache, 2).await.outcome, Outcome::L2Hit);
}

#[tokio::test]
async fn a_connection_that_redis_closed_costs_a_read_and_an_invalidation_nothing() {
    let redis = Redis::start().await;
    let (node, other) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&node), cache(&other));
    let source = Source::new();
    for key in 1..=2 {
        source.read(&there, key).await;
    }
    let () = redis.ask(&["CLIENT", "KILL", "TYPE", "NORMAL"]).await;
    assert_eq!(source.read(&here, 1).await.outcome, Outcome::L2Hit);
    let () = redis.ask(&["CLIENT", "KILL", "TYPE", "NORMAL"]).await;
    assert_eq!(here.invalidate(&2).await, Effect::Removed { entries: 1 });
    let () = redis.ask(&["CLIENT", "KILL", "TYPE", "NORMAL"]).await;
    assert!(node.redis_server().await.is_some());
    never_opened(&node);
}

#[tokio::test]
async fn one_answer_that_is_late_costs_its_own_read_while_redis_answers_a_ping() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let node = node_behind(&proxy, SHORT).await;
    let (cache, source) = (cache(&node), Source::new());
    for key in 1..=2 {
        source.read(&crate::support::cache(&onlooker(&redis).await), key).await;
    }
    // Lets the proxy identify the operator's connection by its first command.
    node.count_l2().await.unwrap();
    proxy.hold(&[Line::L2], &[Direction::Answers]).await;
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::Loaded);
    let l2 = node.report().l2;
    assert_eq!((l2.timeouts, l2.breaker_opened), (1, 0));
    proxy.restore().await;
    assert_eq!(source.read(&cache, 2).await.outcome, Outcome::L2Hit);
    never_opened(&node);
}

#[tokio::test]
async fn several_late_answers_in_a_row_open_the_breaker_though_redis_answers_a_ping() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let node = node_behind(&proxy, Duration::from_millis(400)).await;
    let (cache, source) = (cache(&node), Source::new());
    node.count_l2().await.unwrap();
    proxy.hold(&[Line::L2], &[Direction::Answers]).await;
    for key in 1..=3 {
        source.read(&cache, key).await;
    }
    never_opened(&node);
    source.read(&cache, 4).await;
    assert!(node.report().l2.breaker_open);
    proxy.restore().await;
    eventually("the breaker closes", async || !node.report().l2.breaker_open).await;
}

#[tokio::test]
async fn large_entries_are_asked_for_few_at_a_time() {
    const ENTRY_BYTES: usize = 400_000;
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let node = node_behind(&proxy, LONG).await;
    let (here, there) = (cache(&node), cache(&onlooker(&redis).await));
    let load = |keys: Vec<u64>| async {
        let rows = keys.into_iter().map(|key| (key, "x".repeat(ENTRY_BYTES)));
        Ok::<_, std::io::Error>(rows.collect())
    };
    let keys: Vec<u64> = (0..64).collect();
    there.get_many(&keys, load).await;
    proxy.restore().await;
    // The large entries may have kept the machine from hearing the bus.
    hears(&node).await;
    proxy.forget();
    let reads = here.get_many(&keys, load).await;
    assert!(reads.into_iter().all(|read| read.unwrap().outcome == Outcome::L2Hit));
    let asked = proxy.times(Line::L2, "MGET");
    assert_eq!(asked, 25, "sixteen before their size is known, then two at a time");
    never_opened(&node);
}

#[tokio::test]
async fn an_invalidation_whose_runtime_is_dropped_on_the_way_is_sent_all_the_same() {
    let redis = Redis::start().await;
    let (node, other) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&node), cache(&other));
    let source = Source::new();
    source.read(&here, 1).await;
    source.read(&there, 1).await;
    redis.freeze();
    source.write(7);
    let (runtime, invalidating) = (tokio::runtime::Runtime::new().unwrap(), here.clone());
    // An invalidation that was never polled before its runtime ended would have no effect.
    let (polled, was_polled) = tokio::sync::oneshot::channel();
    let begun = runtime.spawn(async move {
        tokio::join!(biased; invalidating.invalidate(&1), async { polled.send(()) })
    });
    was_polled.await.unwrap();
    runtime.shutdown_background();
    drop(begun.await);
    redis.thaw();
    eventually("this node reads the newer row", async || source.value(&here, 1).await == "7").await;
    eventually("so does the other", async || source.value(&there, 1).await == "7").await;
}
