//! Clocks that are set, and a machine that sleeps. These tests move the clocks of the whole
//! process; under nextest each test has a process of its own.

use std::time::Duration;

use strata_cache::report::Outcome;
use strata_cache::test_clock::{set_wall_ahead_ms, sleep_machine};
use strata_cache::{Cache, Node};

use crate::support::{Redis, Source, eventually, hears};

const HOUR_MS: i64 = 3_600_000;
const LIFE: Duration = Duration::from_secs(60);

fn cache(node: &Node) -> Cache<u64, String> {
    Cache::builder("users")
        .jitter(0.0)
        .time_to_live(LIFE)
        .l2_time_to_live(LIFE)
        .build(node)
        .unwrap()
}

#[tokio::test]
async fn a_wall_clock_that_is_set_moves_no_deadline_in_l2() {
    let redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&one), cache(&two));
    let source = Source::new();
    for (key, (filled, read)) in [(0, HOUR_MS), (HOUR_MS, 0), (0, -HOUR_MS)].into_iter().enumerate()
    {
        set_wall_ahead_ms(filled);
        source.read(&here, key as u64).await;
        set_wall_ahead_ms(read);
        let read = source.read(&there, key as u64).await;
        assert_eq!(read.outcome, Outcome::L2Hit);
        assert!(read.age < LIFE / 2, "{:?}", read.age);
        let left = read.expires_in.unwrap();
        assert!((LIFE / 2..=LIFE).contains(&left), "{left:?}");
    }
}

#[tokio::test]
async fn a_wall_clock_that_is_set_shows_no_false_lag() {
    let redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, _there) = (cache(&one), cache(&two));
    for ahead_ms in [HOUR_MS, -HOUR_MS] {
        set_wall_ahead_ms(ahead_ms);
        here.invalidate(&1).await;
        let last = one.bus_sequence().await.unwrap();
        eventually("it is heard", async || two.has_heard(last, Duration::ZERO).await).await;
    }
    let lag = two.report().bus.lag;
    assert_eq!(lag.counts().iter().sum::<u64>(), 2);
    assert!(lag.sum_ns() < 20_000_000_000, "{} ns", lag.sum_ns());
}

#[tokio::test]
async fn after_a_machine_has_slept_nothing_lives_longer_than_its_time() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (here, source) = (cache(&node), Source::new());
    source.read(&here, 1).await;
    assert_eq!(source.read(&here, 1).await.outcome, Outcome::L1Hit);
    sleep_machine(LIFE);
    // Redis has not slept in this test.
    assert_ne!(source.read(&here, 1).await.outcome, Outcome::L1Hit);
}

#[tokio::test]
async fn trust_ends_while_a_machine_sleeps() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (here, source) = (cache(&node), Source::new());
    source.read(&here, 1).await;
    // Long enough for the bus to have been silent, and far from the entry's own deadline.
    sleep_machine(Duration::from_secs(10));
    assert!(!node.report().bus.connected);
    let outcome = source.read(&here, 1).await.outcome;
    assert_ne!(outcome, Outcome::L1Hit, "what others did meanwhile is not known");
    hears(&node).await;
    assert_eq!(source.read(&here, 1).await.outcome, Outcome::L1Hit);
}
