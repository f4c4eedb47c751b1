//! Consumers that die, are slow or repeat themselves, and a Redis that goes away.

use std::time::Duration;

use strata_cache::WriteError;

use super::dead_letters::all;
use super::durable::{patient, quick};
use super::table::Table;
use crate::support::ways::onlooker;
use crate::support::{Redis, eventually};

#[tokio::test]
async fn a_crash_loses_nothing_that_was_acknowledged() {
    let redis = Redis::start().await;
    let table = Table::held();
    let node = redis.hearing_node("1").await;
    let writes = patient(&node).max_batch(8).durable(table.rows()).unwrap();
    for key in 0..50 {
        writes.write(key, key.to_string()).await.unwrap();
    }
    table.entered().await;
    drop((writes, node));
    assert!(table.applied().is_empty());
    table.release();
    let node = redis.hearing_node("2").await;
    let writes = quick(&node).durable(table.rows()).unwrap();
    assert_eq!(table.value(&writes, 49).await, "49", "readable before it is written");
    eventually("all have arrived", async || (0..50).all(|key| table.row(key).is_some())).await;
    assert!((0..50).all(|key| table.row(key) == Some(key.to_string())));
    assert!(writes.report().claimed > 0, "some were in the dead consumer's hand");
}

#[tokio::test]
async fn a_row_that_is_delivered_twice_is_applied_once() {
    let redis = Redis::start().await;
    let table = Table::new();
    table.hang_after_commit();
    let node = redis.hearing_node("1").await;
    let writes = patient(&node).durable(table.rows()).unwrap();
    writes.write(1, "new".into()).await.unwrap();
    eventually("it is committed, not acknowledged", async || table.row(1).is_some()).await;
    drop((writes, node));
    table.answer_again();
    let node = redis.hearing_node("2").await;
    let writes = quick(&node).durable(table.rows()).unwrap();
    eventually("it is sent again", async || writes.report().written == 1).await;
    assert_eq!(table.applied(), [(1, "new".to_owned())]);
    assert_eq!(table.n_ignored(), 1);
}

#[tokio::test]
async fn a_slow_consumer_that_was_taken_for_dead_cannot_bring_an_older_value_back() {
    let redis = Redis::start().await;
    let (held, table) = (Table::held(), Table::new());
    let (slow, fast) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    // Both write to `table`, but the slow one first waits for `held`.
    let (gate, sink) = (held.rows(), std::sync::Arc::new(table.rows()));
    let late = move |rows: Vec<strata_cache::Row<u64, String>>| {
        let (waiting, sink) = (gate(rows.clone()), std::sync::Arc::clone(&sink));
        async move {
            waiting.await?;
            sink(rows).await
        }
    };
    let slow = patient(&slow).durable(late).unwrap();
    slow.write(1, "older".into()).await.unwrap();
    held.entered().await;
    let fast = quick(&fast).durable(table.rows()).unwrap();
    eventually("it is taken over", async || table.row(1).is_some()).await;
    fast.write(1, "newer".into()).await.unwrap();
    eventually("the newer is written", async || table.row(1).as_deref() == Some("newer")).await;
    held.release();
    eventually("the late row is ignored", async || table.n_ignored() == 1).await;
    assert_eq!(table.row(1).as_deref(), Some("newer"));
    eventually("node 1 reads it", async || table.value(&slow, 1).await == "newer").await;
}

#[tokio::test]
async fn a_row_that_kills_its_consumers_is_set_aside_and_the_rest_goes_on() {
    let redis = Redis::start().await;
    let deadly = Table::held();
    let table = Table::new();
    let mut n_deaths = 0;
    loop {
        let node = redis.hearing_node("1").await;
        let (hangs, sink) = (deadly.rows(), table.rows());
        let dying = move |rows: Vec<strata_cache::Row<u64, String>>| {
            if rows.iter().any(|row| row.key == 13) { hangs(rows) } else { sink(rows) }
        };
        let writes = patient(&node).claim_after(Duration::from_secs(1)).tries(3);
        let writes = writes.sink_timeout(Duration::from_millis(500));
        let writes = writes.interval(Duration::from_millis(1)).durable(dying).unwrap();
        if n_deaths == 0 {
            for key in [13, 14, 15] {
                writes.write(key, "new".into()).await.unwrap();
            }
        }
        let set_aside = eventually("it is sent or set aside", async || {
            let aside = writes.dead_letters(&all(), None, 10).await;
            aside.is_ok_and(|page| page.letters.iter().any(|letter| letter.key == "13"))
        });
        tokio::select! {
            () = deadly.entered() => {}
            () = set_aside => break,
        }
        n_deaths += 1;
        assert!(n_deaths < 10, "it kills one consumer after another");
    }
    assert!(n_deaths >= 3);
    assert!(table.row(14).is_some() && table.row(15).is_some());
}

#[tokio::test]
async fn a_shutdown_hands_over_what_it_could_not_write() {
    let redis = Redis::start().await;
    let table = Table::new();
    table.set_down(true);
    // If Redis is too busy now, other consumers claim the rows later, which this test does not
    // cover.
    let node = onlooker(&redis).await;
    let writes = quick(&node).tries(u32::MAX).durable(table.rows()).unwrap();
    writes.write(1, "new".into()).await.unwrap();
    table.entered().await;
    let drained = writes.shutdown(Duration::from_millis(50)).await;
    assert_eq!((drained.waiting, drained.left.len()), (1, 0));
    assert_eq!(writes.write(2, "late".into()).await, Err(WriteError::Closed));
    table.set_down(false);
    let node = redis.hearing_node("2").await;
    let patience = Duration::from_secs(3_600);
    let _writes = quick(&node).claim_after(patience).durable(table.rows()).unwrap();
    eventually("another writes it at once", async || table.row(1).is_some()).await;
}

#[tokio::test]
async fn without_redis_nothing_is_acknowledged_and_what_was_is_still_read() {
    let redis = Redis::start().await;
    let table = Table::held();
    let node = redis.hearing_node("1").await;
    let writes = patient(&node).durable(table.rows()).unwrap();
    writes.write(1, "acknowledged".into()).await.unwrap();
    redis.freeze();
    assert_eq!(writes.write(2, "lost?".into()).await, Err(WriteError::Away));
    let began = std::time::Instant::now();
    assert_eq!(writes.try_write(3, "lost".into()).await, Err(WriteError::Away));
    assert!(began.elapsed() < Duration::from_millis(50), "an open breaker makes nobody wait");
    assert_eq!(table.value(&writes, 1).await, "acknowledged");
    assert_eq!(writes.report().refused, 2);
    redis.thaw();
    table.release();
    eventually("it is written when Redis is back", async || table.row(1).is_some()).await;
    eventually("writes go on", async || writes.write(4, "new".into()).await.is_ok()).await;
    eventually("and arrive", async || table.row(4).is_some()).await;
    assert_eq!(table.row(3), None);
    eventually("readers and source agree on what was in doubt", async || {
        table.value(&writes, 2).await == table.row(2).unwrap_or_default()
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_lost_its_data_loses_what_waited_and_writes_go_on() {
    let mut redis = Redis::start().await;
    let table = Table::held();
    let node = redis.hearing_node("1").await;
    let writes = quick(&node).durable(table.rows()).unwrap();
    let lost = writes.write(1, "lost".into()).await.unwrap();
    redis.restart().await;
    table.release();
    eventually("the gap is noticed", async || writes.unwritten(&1).is_none()).await;
    eventually("writes go on", async || writes.write(2, "new".into()).await.is_ok()).await;
    eventually("and arrive", async || table.row(2).is_some()).await;
    let version = writes.write(1, "again".into()).await.unwrap();
    assert!(version > lost, "versions grow even if Redis lost the last one");
}
