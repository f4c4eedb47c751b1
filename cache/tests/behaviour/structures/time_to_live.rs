//! The time to live of written data.

use std::time::Duration;

use strata_cache::StructureError;

use super::{HOUR, MINUTE, at, carts, left_ms};
use crate::support::{Redis, eventually};

#[tokio::test]
async fn every_write_sets_the_time_to_live() {
    let redis = Redis::start().await;
    let (_node, carts) = carts(&redis).await;
    carts.hash("hash").set([("a", "b")], HOUR).await.unwrap();
    carts.list("back").push_back(["a"], 9, HOUR).await.unwrap();
    carts.list("front").push_front(["a"], 9, HOUR).await.unwrap();
    carts.counter("add").add(1, HOUR).await.unwrap();
    carts.counter("window").add_in_window(1, HOUR).await.unwrap();
    carts.counter("set").set(1, HOUR).await.unwrap();
    for key in ["hash", "back", "front", "add", "window", "set"] {
        let left_ms = left_ms(&redis, key).await;
        assert!((3_500_000..=3_600_000).contains(&left_ms), "{key}: {left_ms}");
    }
    carts.hash("hash").set([("c", "d")], MINUTE).await.unwrap();
    carts.list("back").push_back(["a"], 9, MINUTE).await.unwrap();
    carts.counter("add").add(1, MINUTE).await.unwrap();
    carts.counter("set").set(1, MINUTE).await.unwrap();
    for key in ["hash", "back", "add", "set"] {
        assert!(left_ms(&redis, key).await <= 60_000, "{key} lives as the last write says");
    }
}

#[tokio::test]
async fn a_counter_in_a_window_lives_from_its_first_write() {
    let redis = Redis::start().await;
    let (_node, carts) = carts(&redis).await;
    let calls = carts.counter("calls");
    assert_eq!(calls.add_in_window(1, MINUTE).await, Ok(1));
    assert_eq!(calls.add_in_window(1, HOUR).await, Ok(2));
    assert!(left_ms(&redis, "calls").await <= 60_000, "the second write prolonged it");
    calls.add_in_window(1, Duration::from_millis(1)).await.unwrap();
    assert!(left_ms(&redis, "calls").await > 1_000, "the third write shortened it");
    let () = redis.ask(&["PERSIST", &at("calls")]).await;
    assert_eq!(calls.add_in_window(1, MINUTE).await, Ok(4));
    assert!(left_ms(&redis, "calls").await > 0, "it would never have ended");
}

#[tokio::test]
async fn what_has_lived_long_enough_is_gone() {
    let redis = Redis::start().await;
    let (_node, carts) = carts(&redis).await;
    carts.hash(7).set([("tea", "1")], Duration::from_nanos(1)).await.unwrap();
    eventually("it expires", async || carts.exists(7).await == Ok(false)).await;
    assert_eq!(carts.hash(7).get("tea").await, Ok(None));
}

#[tokio::test]
async fn no_time_to_live_is_refused_and_a_huge_one_shortened() {
    let redis = Redis::start().await;
    let (_node, carts) = carts(&redis).await;
    let (zero, refused) = (Duration::ZERO, StructureError::NoTimeToLive);
    assert_eq!(carts.hash(1).set([("a", "b")], zero).await, Err(refused));
    assert_eq!(carts.list(1).push_back(["a"], 9, zero).await, Err(refused));
    assert_eq!(carts.list(1).push_front(["a"], 9, zero).await, Err(refused));
    assert_eq!(carts.counter(1).add(1, zero).await, Err(refused));
    assert_eq!(carts.counter(1).add_in_window(1, zero).await, Err(refused));
    assert_eq!(carts.counter(1).set(1, zero).await, Err(refused));
    assert_eq!(carts.expire(1, zero).await, Err(refused));
    assert_eq!(carts.exists(1).await, Ok(false));

    carts.counter(1).add(1, Duration::MAX).await.unwrap();
    let ten_years_ms = 10 * 365 * 24 * 3_600_000_i64;
    assert!(left_ms(&redis, "1").await > ten_years_ms - 60_000);
    assert!(left_ms(&redis, "1").await <= ten_years_ms);
}
