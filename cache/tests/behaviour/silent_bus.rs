//! A node whose connection to the bus is silent. Its L2 answers, but it hears no invalidations.

use std::time::Duration;

use strata_cache::Node;
use strata_cache::report::Outcome;
use strata_testing::{DIRECTIONS, Line, Proxy};

use crate::support::{Redis, Source, cache, eventually, hears};

async fn silent_node(proxy: &mut Proxy) -> Node {
    let node = Node::builder("test").redis_url(&proxy.url()).l2_timeout(Duration::from_secs(8));
    let node = node.start().await.unwrap();
    hears(&node).await;
    proxy.hold(&[Line::Bus], &DIRECTIONS).await;
    node
}

async fn notices(node: &Node) {
    eventually("the silence is noticed", async || !node.report().bus.connected).await;
}

#[tokio::test]
async fn l1_counts_only_for_a_short_time_while_the_bus_is_silent() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let (silent, other) = (silent_node(&mut proxy).await, redis.hearing_node("2").await);
    let (here, there) = (cache(&silent), cache(&other));
    let source = Source::new();
    source.read(&here, 1).await;
    source.write(7);
    there.invalidate(&1).await;
    notices(&silent).await;
    eventually("the older value no longer counts", async || source.value(&here, 1).await == "7")
        .await;
    let report = silent.report();
    assert_eq!((report.l2.timeouts, report.l2.breaker_open), (0, false), "L2 is not to blame");
    assert_eq!(source.read(&here, 1).await.outcome, Outcome::L1Hit);
}

#[tokio::test]
async fn a_node_that_hears_again_catches_up_with_what_it_missed() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let (silent, other) = (silent_node(&mut proxy).await, redis.hearing_node("2").await);
    let (here, there) = (cache(&silent), cache(&other));
    let source = Source::new();
    source.read(&here, 1).await;
    source.write(7);
    there.invalidate(&1).await;
    notices(&silent).await;
    proxy.restore().await;
    hears(&silent).await;
    assert_eq!(source.value(&here, 1).await, "7");
    let bus = silent.report().bus;
    assert_eq!((bus.received, bus.gaps), (1, 0));
}

#[tokio::test]
async fn a_node_that_can_no_longer_catch_up_empties_its_l1() {
    let redis = Redis::start().await;
    for kept in ["0", "1"] {
        let mut proxy = Proxy::before(&redis).await;
        let (silent, other) = (silent_node(&mut proxy).await, redis.hearing_node("2").await);
        let (here, there) = (cache(&silent), cache(&other));
        let source = Source::new();
        source.read(&here, 1).await;
        source.write(7);
        there.invalidate(&1).await;
        there.invalidate(&2).await;
        let () = redis.ask(&["XTRIM", "{test}!bus", "MAXLEN", kept]).await;
        notices(&silent).await;
        proxy.restore().await;
        hears(&silent).await;
        assert_eq!(source.value(&here, 1).await, "7", "{kept} messages kept");
        assert_eq!(silent.report().bus.gaps, 1, "{kept} messages kept");
        there.clear().await;
    }
}
