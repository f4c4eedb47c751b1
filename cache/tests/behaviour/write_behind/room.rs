//! Writers that wait for room.

use std::time::{Duration, Instant};

use strata_cache::WriteError;
use strata_testing::{Line, Proxy};
use tokio::task::JoinSet;

use super::durable::{STREAM, patient};
use super::table::Table;
use crate::support::ways::{LONG, node_behind};
use crate::support::{Redis, eventually};

#[tokio::test]
async fn a_thousand_blocked_writers_ask_redis_as_often_as_one() {
    let redis = Redis::start().await;
    let proxy = Proxy::before(&redis).await;
    let node = node_behind(&proxy, LONG).await;
    let table = Table::held();
    let writes = patient(&node).capacity(10).max_batch(1_000);
    let writes = writes.interval(Duration::from_millis(200)).durable(table.rows()).unwrap();
    for key in 0..10 {
        writes.write(key, "first".into()).await.unwrap();
    }
    table.entered().await;
    proxy.forget();
    let mut blocked = JoinSet::new();
    for key in 1_000..2_000 {
        let writes = writes.clone();
        blocked.spawn(async move { writes.write(key, "blocked".into()).await });
    }
    // Each writer has tried once, and from then on only the first one asks.
    let asked = || proxy.seen(Line::L2).values().sum::<u64>();
    eventually("all are blocked", async || asked() >= 1_000).await;
    let (began, before) = (Instant::now(), asked());
    eventually("they wait for a while", async || asked() >= before + 60).await;
    let rate = (asked() - before) as f64 / began.elapsed().as_secs_f64();
    assert!(rate < 100.0, "{rate:.0} commands a second");
    assert_eq!(blocked.try_join_next().map(|_| ()), None);
    writes.write(3, "newer".into()).await.expect("a key that waits has its room");
    table.release();
    while let Some(written) = blocked.join_next().await {
        written.unwrap().unwrap();
    }
    eventually("all is written", async || table.row(1_999).is_some()).await;
    assert!((1_000..2_000).all(|key| table.row(key).is_some()));
}

#[tokio::test]
async fn who_waits_for_room_longest_goes_first() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let table = Table::held();
    let writes = patient(&node).capacity(1).durable(table.rows()).unwrap();
    writes.write(0, "first".into()).await.unwrap();
    table.entered().await;
    let mut blocked = JoinSet::new();
    for key in 1..=20 {
        let waiting = writes.clone();
        let mut write = Box::pin(async move { waiting.write(key, "blocked".into()).await });
        // Waits until it queues behind those before it.
        let began = Duration::from_millis(if key == 1 { 200 } else { 20 });
        assert!(tokio::time::timeout(began, &mut write).await.is_err());
        blocked.spawn(write);
    }
    table.release();
    while let Some(written) = blocked.join_next().await {
        written.unwrap().unwrap();
    }
    eventually("all are written", async || table.applied().len() == 21).await;
    let keys: Vec<u64> = table.applied().into_iter().map(|(key, _)| key).collect();
    assert!(keys.is_sorted(), "{keys:?}");
}

#[tokio::test]
async fn room_that_another_node_makes_is_noticed() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let table = Table::held();
    let writes = patient(&node).capacity(1).durable(table.rows()).unwrap();
    writes.write(0, "first".into()).await.unwrap();
    table.entered().await;
    let waiting = writes.clone();
    let blocked = tokio::spawn(async move { waiting.write(1, "blocked".into()).await });
    let () = redis.ask(&["XTRIM", STREAM, "MAXLEN", "0"]).await;
    blocked.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_end_wakes_all_who_wait() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let table = Table::held();
    let writes = patient(&node).capacity(1).durable(table.rows()).unwrap();
    writes.write(0, "first".into()).await.unwrap();
    table.entered().await;
    let mut blocked = JoinSet::new();
    for key in 1..=50 {
        let writes = writes.clone();
        blocked.spawn(async move { writes.write(key, "blocked".into()).await });
    }
    writes.shutdown(Duration::ZERO).await;
    while let Some(written) = blocked.join_next().await {
        assert_eq!(written.unwrap(), Err(WriteError::Closed));
    }
}
