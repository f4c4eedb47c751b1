//! The in-memory kind: bounded, coalescing, tried again, drained; and what a crash loses.

use std::time::Duration;

use strata_cache::report::{Outcome, WriteBehindReport};
use strata_cache::{BuildError, Cache, WriteBehind, WriteBehindBuilder, WriteError};

use super::dead_letters::{all, letters};
use super::table::Table;
use crate::support::{Redis, cache, eventually, lonely_node};

const LONG: Duration = Duration::from_secs(3_600);

async fn lonely() -> WriteBehindBuilder<u64, String> {
    WriteBehind::builder(&cache(&lonely_node().await))
}

fn adds_up(report: &WriteBehindReport) {
    assert_eq!(
        report.accepted + report.redriven,
        report.written + report.coalesced + report.set_aside + report.queued,
        "{report:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_write_is_read_at_once_and_the_source_has_it_later() {
    let table = Table::held();
    let writes = lonely().await.in_memory(table.pairs()).unwrap();
    writes.write(1, "new".into()).await.unwrap();
    assert_eq!(table.row(1), None);
    let read = table.read(&writes, 1).await;
    assert_eq!((read.value.unwrap().as_str(), read.outcome), ("new", Outcome::L1Hit));
    assert_eq!(writes.report().queued, 1);
    table.release();
    eventually("the source has it", async || writes.report().queued == 0).await;
    assert_eq!(table.row(1).as_deref(), Some("new"));
    assert_eq!(table.value(&writes, 1).await, "new");
}

#[tokio::test(start_paused = true)]
async fn an_unwritten_value_is_not_held_by_l1_alone() {
    let table = Table::held();
    let cache = Cache::builder("users").l1_entries(0).build(&lonely_node().await).unwrap();
    let writes = WriteBehind::builder(&cache).in_memory(table.pairs()).unwrap();
    writes.write(1, "new".into()).await.unwrap();
    cache.clear().await;
    assert_eq!(table.value(&writes, 1).await, "new");
}

#[tokio::test(start_paused = true)]
async fn many_writes_of_one_key_become_one() {
    let table = Table::new();
    let writes = lonely().await.interval(LONG).in_memory(table.pairs()).unwrap();
    for n in 0..5 {
        writes.write(1, n.to_string()).await.unwrap();
    }
    assert_eq!(table.value(&writes, 1).await, "4");
    assert!(writes.shutdown(LONG).await.is_complete());
    assert_eq!(table.applied(), [(1, "4".to_owned())]);
    let report = writes.report();
    assert_eq!((report.accepted, report.written, report.coalesced), (5, 1, 4));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_comes_while_its_key_is_being_written_follows_it() {
    let table = Table::held();
    let writes = lonely().await.in_memory(table.pairs()).unwrap();
    writes.write(1, "first".into()).await.unwrap();
    table.entered().await;
    writes.write(1, "second".into()).await.unwrap();
    table.release();
    eventually("both are written", async || writes.report().queued == 0).await;
    assert_eq!(table.applied(), [(1, "first".to_owned()), (1, "second".to_owned())]);
    adds_up(&writes.report());
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_does_not_wait_for_the_interval() {
    let table = Table::new();
    let writes = lonely().await.interval(LONG).max_batch(3).in_memory(table.pairs()).unwrap();
    let began = tokio::time::Instant::now();
    for key in 0..3 {
        writes.write(key, "new".into()).await.unwrap();
    }
    table.entered().await;
    eventually("the batch is written", async || writes.report().written == 3).await;
    assert!(began.elapsed() < LONG);
    assert_eq!(table.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_room_a_write_waits_and_a_try_is_refused() {
    let table = Table::held();
    let writes = lonely().await.capacity(2).in_memory(table.pairs()).unwrap();
    writes.write(1, "a".into()).await.unwrap();
    writes.write(2, "b".into()).await.unwrap();
    let refused = writes.try_write(3, "c".into()).await;
    assert_eq!(refused, Err(WriteError::Full { capacity: 2 }));
    writes.try_write(1, "newer".into()).await.expect("a key that waits has its room");
    let waiting = tokio::spawn({
        let writes = writes.clone();
        async move { writes.write(3, "c".into()).await }
    });
    table.entered().await;
    assert!(!waiting.is_finished());
    table.release();
    waiting.await.unwrap().unwrap();
    eventually("all is written", async || writes.report().queued == 0).await;
    assert_eq!(table.row(3).as_deref(), Some("c"));
    assert_eq!(writes.report().refused, 1);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_down_is_asked_with_growing_pauses() {
    let (table, ms) = (Table::new(), Duration::from_millis);
    table.set_down(true);
    let builder = lonely().await.pauses(ms(1_000), ms(8_000)).tries(u32::MAX);
    let writes = builder.in_memory(table.pairs()).unwrap();
    writes.write(1, "new".into()).await.unwrap();
    eventually("it is asked six times", async || table.calls().len() >= 6).await;
    table.set_down(false);
    let calls = table.calls();
    for (n, pair) in calls.windows(2).take(5).enumerate() {
        let longest = ms(1_000 << n).min(ms(8_000));
        let pause = pair[1] - pair[0];
        assert!(longest / 2 <= pause && pause <= longest + ms(10), "pause {n}: {pause:?}");
    }
    eventually("it is written", async || writes.report().written == 1).await;
    assert!(writes.report().retried >= 5);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_never_succeeds_is_set_aside_and_the_rest_goes_on() {
    let table = Table::new();
    table.refuse(5);
    let writes = lonely().await.tries(3).in_memory(table.pairs()).unwrap();
    for key in 0..16 {
        writes.write(key, "new".into()).await.unwrap();
    }
    eventually("nothing waits", async || writes.report().queued == 0).await;
    assert!((0..16).all(|key| table.row(key).is_some() == (key != 5)));
    let aside = letters(&writes).await;
    assert_eq!(aside.len(), 1);
    assert_eq!((aside[0].key.as_str(), aside[0].reason.as_str()), ("5", "the table refuses"));
    assert!(aside[0].tries >= 3);
    assert_eq!(table.value(&writes, 5).await, "", "what stands aside is not in effect");
    adds_up(&writes.report());
}

#[tokio::test(start_paused = true)]
async fn a_row_that_stands_aside_can_be_tried_again_or_dropped() {
    let table = Table::new();
    table.refuse_for_good(1);
    table.refuse_for_good(2);
    let writes = lonely().await.tries(1).in_memory(table.pairs()).unwrap();
    writes.write(1, "one".into()).await.unwrap();
    writes.write(2, "two".into()).await.unwrap();
    eventually("both stand aside", async || writes.report().aside == 2).await;
    table.accept(1);
    let aside = letters(&writes).await;
    let id = |key: &str| aside.iter().find(|row| row.key == key).unwrap().id.clone();
    let id = |key: &str| all().id(&id(key));
    assert_eq!(writes.redrive_dead_letters(&id("1"), None).await.unwrap().redriven, 1);
    assert_eq!(writes.drop_dead_letters(&id("2"), None).await.unwrap().dropped, 1);
    assert_eq!(writes.redrive_dead_letters(&id("2"), None).await.unwrap().redriven, 0);
    eventually("it is written", async || table.row(1).is_some()).await;
    eventually("nothing waits", async || writes.report().queued == 0).await;
    assert_eq!(writes.report().aside, 0);
    adds_up(&writes.report());
}

#[tokio::test(start_paused = true)]
async fn a_row_that_stands_aside_never_overwrites_a_newer_one() {
    let table = Table::new();
    table.refuse_for_good(1);
    let writes = lonely().await.tries(1).in_memory(table.pairs()).unwrap();
    writes.write(1, "old".into()).await.unwrap();
    eventually("it stands aside", async || writes.report().aside == 1).await;
    let id = letters(&writes).await.remove(0).id;
    table.accept(1);
    writes.write(1, "new".into()).await.unwrap();
    eventually("the newer is written", async || writes.report().written == 1).await;
    eventually("nothing waits", async || writes.report().queued == 0).await;
    let again = writes.redrive_dead_letters(&all().id(&id), None).await.unwrap();
    assert_eq!(again.redriven, 0);
    assert_eq!(table.row(1).as_deref(), Some("new"));
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_panics_or_hangs_is_a_failure_like_any_other() {
    let table = Table::held();
    let sink = table.pairs();
    let panicking = move |rows: Vec<(u64, String)>| {
        let has = |n: u64| rows.iter().any(|(key, _)| *key == n);
        let (panics, hangs) = (has(13), has(14));
        let writing = sink(rows);
        async move {
            assert!(!panics, "13");
            if hangs { writing.await } else { Ok(()) }
        }
    };
    let writes = lonely().await.tries(1).sink_timeout(Duration::from_secs(1));
    let writes = writes.in_memory(panicking).unwrap();
    writes.write(13, "panics".into()).await.unwrap();
    writes.write(14, "hangs".into()).await.unwrap();
    writes.write(15, "is taken".into()).await.unwrap();
    eventually("both stand aside", async || writes.report().aside == 2).await;
    let aside = letters(&writes).await;
    let error = |key: &str| aside.iter().find(|row| row.key == key).unwrap().reason.as_str();
    assert_eq!(error("13"), "it panicked");
    assert_eq!(error("14"), "it did not answer in time");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_drains_and_takes_no_more() {
    let table = Table::new();
    let builder = lonely().await.interval(LONG).max_batch(1_000);
    let writes = builder.in_memory(table.pairs()).unwrap();
    for key in 0..500 {
        writes.write(key, "new".into()).await.unwrap();
    }
    let drained = writes.shutdown(Duration::from_secs(5)).await;
    assert!(drained.is_complete());
    assert_eq!(table.applied().len(), 500);
    assert_eq!(writes.write(1, "late".into()).await, Err(WriteError::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_says_what_it_could_not_write() {
    let table = Table::new();
    table.set_down(true);
    let writes = lonely().await.tries(u32::MAX).in_memory(table.pairs()).unwrap();
    writes.write(1, "new".into()).await.unwrap();
    let began = tokio::time::Instant::now();
    let drained = writes.shutdown(Duration::from_secs(5)).await;
    assert_eq!(drained.left, [(1, "new".to_owned())]);
    assert!(!drained.is_complete());
    assert!(began.elapsed() <= Duration::from_secs(6));
}

#[tokio::test]
async fn a_crash_loses_what_was_acknowledged_and_not_written() {
    let redis = Redis::start().await;
    let table = Table::held();
    let node = redis.hearing_node("1").await;
    let writes = WriteBehind::builder(&cache(&node)).in_memory(table.pairs()).unwrap();
    writes.write(1, "acknowledged".into()).await.unwrap();
    table.entered().await;
    drop((writes, node));
    table.release();
    let node = redis.hearing_node("2").await;
    let cache = cache(&node);
    let writes = WriteBehind::builder(&cache).in_memory(table.pairs()).unwrap();
    writes.write(2, "later".into()).await.unwrap();
    assert!(writes.shutdown(LONG).await.is_complete());
    assert_eq!(table.applied(), [(2, "later".to_owned())], "the first write is gone for good");
}

#[tokio::test]
async fn other_nodes_read_the_new_value_from_l2_before_the_source_has_it() {
    let redis = Redis::start().await;
    let (here, there) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let table = Table::held();
    let writes = WriteBehind::builder(&cache(&here)).in_memory(table.pairs()).unwrap();
    let elsewhere = WriteBehind::builder(&cache(&there)).in_memory(table.pairs()).unwrap();
    table.seed(1, "old");
    assert_eq!(table.value(&elsewhere, 1).await, "old");
    writes.write(1, "new".into()).await.unwrap();
    eventually("node 2 reads it", async || table.value(&elsewhere, 1).await == "new").await;
    assert_eq!(table.row(1).as_deref(), Some("old"));
}

#[tokio::test]
async fn an_older_row_that_was_loaded_meanwhile_goes_when_the_new_one_is_written() {
    let redis = Redis::start().await;
    let (here, there) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let table = Table::held();
    let writes = WriteBehind::builder(&cache(&here)).in_memory(table.pairs()).unwrap();
    let elsewhere = WriteBehind::builder(&cache(&there)).in_memory(table.pairs()).unwrap();
    table.seed(1, "old");
    writes.write(1, "new".into()).await.unwrap();
    let () = redis.ask(&["DEL", "{test}:users:1"]).await;
    assert_eq!(table.value(&elsewhere, 1).await, "old");
    table.release();
    eventually("node 2 reads it", async || table.value(&elsewhere, 1).await == "new").await;
}

#[tokio::test]
async fn a_cache_has_one_write_behind_on_a_node() {
    let cache = cache(&lonely_node().await);
    let first = WriteBehind::builder(&cache).in_memory(Table::new().pairs()).unwrap();
    let second = WriteBehind::builder(&cache).in_memory(Table::new().pairs());
    assert!(matches!(second, Err(BuildError::DuplicateWriteBehind(_))));
    drop(first);
    assert!(WriteBehind::builder(&cache).in_memory(Table::new().pairs()).is_ok());
}
