//! The durable kind: a row is in a Redis Stream until the source has it, on any node.

use std::time::Duration;

use strata_cache::report::WriteBehindKind;
use strata_cache::{BuildError, Node, WriteBehind, WriteBehindBuilder, WriteError};

use super::dead_letters::{all, letters};
use super::table::{Table, Writes};
use crate::support::{Redis, cache, eventually, lonely_node};

pub(super) const STREAM: &str = "{test}!writes:users";

/// Takes over quickly from a silent consumer.
pub(super) fn quick(node: &Node) -> WriteBehindBuilder<u64, String> {
    let ms = Duration::from_millis;
    let builder = WriteBehind::builder(&cache(node)).interval(ms(10)).pauses(ms(10), ms(50));
    builder.sink_timeout(ms(150)).claim_after(ms(300))
}

/// Waits very long for a call of the sink.
pub(super) fn patient(node: &Node) -> WriteBehindBuilder<u64, String> {
    quick(node).sink_timeout(Duration::from_secs(3_600))
}

pub(super) async fn is_idle(writes: &Writes, redis: &Redis) -> bool {
    let waiting: u64 = redis.ask(&["XLEN", STREAM]).await;
    let values: u64 = redis.ask(&["HLEN", &format!("{STREAM}:values")]).await;
    waiting == 0 && values == 0 && writes.report().queued == 0
}

#[tokio::test]
async fn a_write_is_read_at_once_on_every_node_and_the_source_has_it_later() {
    let redis = Redis::start().await;
    let (here, there) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let table = Table::held();
    let writes = patient(&here).durable(table.rows()).unwrap();
    let elsewhere = patient(&there).durable(table.rows()).unwrap();
    table.seed(1, "old");
    assert_eq!(table.value(&writes, 1).await, "old");
    assert_eq!(table.value(&elsewhere, 1).await, "old");
    writes.write(1, "new".into()).await.unwrap();
    assert_eq!(table.value(&writes, 1).await, "new");
    eventually("node 2 reads it", async || table.value(&elsewhere, 1).await == "new").await;
    let () = redis.ask(&["DEL", "{test}:users:1"]).await;
    assert_eq!(table.row(1).as_deref(), Some("old"));
    table.release();
    eventually("it is written", async || is_idle(&writes, &redis).await).await;
    assert_eq!(table.row(1).as_deref(), Some("new"));
    assert_eq!(writes.unwritten(&1), None);
    assert_eq!(table.value(&writes, 1).await, "new");
    assert_eq!(table.value(&elsewhere, 1).await, "new");
}

#[tokio::test]
async fn a_write_clears_what_l1_and_l2_hold() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let table = Table::held();
    let cache = cache(&node);
    let writes = WriteBehind::builder(&cache).durable(table.rows()).unwrap();
    cache.insert(&1, "old".into()).await;
    writes.write(1, "new".into()).await.unwrap();
    assert_eq!(cache.get(&1).await.value, None);
}

#[tokio::test]
async fn many_writes_of_one_key_wait_once_and_the_newest_is_written() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let table = Table::new();
    let hour = Duration::from_secs(3_600);
    let writes = quick(&node).interval(hour).max_batch(1_000).durable(table.rows()).unwrap();
    let mut versions = Vec::new();
    for n in 0..100 {
        versions.push(writes.write(1, n.to_string()).await.unwrap());
    }
    assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
    assert_eq!(redis.ask::<u64>(&["XLEN", STREAM]).await, 1);
    assert!(writes.shutdown(hour).await.is_complete());
    assert_eq!(table.applied(), [(1, "99".to_owned())]);
    let report = writes.report();
    assert_eq!((report.accepted, report.written, report.coalesced), (100, 1, 99));
    assert_eq!(report.kind, WriteBehindKind::Durable);
}

#[tokio::test]
async fn a_write_that_comes_while_its_key_is_being_written_follows_it() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let table = Table::held();
    let writes = patient(&node).durable(table.rows()).unwrap();
    writes.write(1, "first".into()).await.unwrap();
    table.entered().await;
    writes.write(1, "second".into()).await.unwrap();
    assert_eq!(table.value(&writes, 1).await, "second");
    table.release();
    eventually("both are written", async || is_idle(&writes, &redis).await).await;
    assert_eq!(table.applied(), [(1, "first".to_owned()), (1, "second".to_owned())]);
    assert_eq!(table.value(&writes, 1).await, "second");
}

#[tokio::test]
async fn of_two_nodes_that_write_one_key_the_later_wins_everywhere() {
    let redis = Redis::start().await;
    let (here, there) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let table = Table::held();
    let writes = patient(&here).durable(table.rows()).unwrap();
    let elsewhere = patient(&there).durable(table.rows()).unwrap();
    writes.write(1, "here".into()).await.unwrap();
    elsewhere.write(1, "there".into()).await.unwrap();
    assert_eq!(table.value(&elsewhere, 1).await, "there");
    eventually("node 1 hears of it", async || table.value(&writes, 1).await == "there").await;
    table.release();
    eventually("all is written", async || is_idle(&writes, &redis).await).await;
    assert_eq!(table.row(1).as_deref(), Some("there"));
}

#[tokio::test]
async fn the_room_is_shared_by_all_nodes() {
    let redis = Redis::start().await;
    let (here, there) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let table = Table::held();
    let writes = patient(&here).capacity(2).durable(table.rows()).unwrap();
    let elsewhere = patient(&there).capacity(2).durable(table.rows()).unwrap();
    writes.write(1, "a".into()).await.unwrap();
    writes.write(2, "b".into()).await.unwrap();
    let refused = elsewhere.try_write(3, "c".into()).await;
    assert_eq!(refused, Err(WriteError::Full { capacity: 2 }));
    elsewhere.try_write(1, "newer".into()).await.expect("a key that waits has its room");
    // A dropped handle leaves the row that it has just taken to others, after a minute.
    let waiting = tokio::spawn(async move {
        let written = elsewhere.write(3, "c".into()).await;
        (written, elsewhere)
    });
    table.entered().await;
    assert!(!waiting.is_finished());
    table.release();
    let (written, _elsewhere) = waiting.await.unwrap();
    written.unwrap();
    eventually("it is written", async || table.row(3).is_some()).await;
}

#[tokio::test]
async fn a_row_that_never_succeeds_is_set_aside_and_the_rest_goes_on() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let table = Table::new();
    table.seed(5, "old");
    table.refuse(5);
    let writes = quick(&node).tries(3).durable(table.rows()).unwrap();
    for key in 0..16 {
        writes.write(key, "new".into()).await.unwrap();
    }
    eventually("all others are written", async || is_idle(&writes, &redis).await).await;
    assert!((0..16).all(|key| (table.row(key).as_deref() == Some("new")) == (key != 5)));
    assert_eq!(table.value(&writes, 5).await, "old", "what stands aside is not in effect");
    let there = redis.hearing_node("2").await;
    let elsewhere = quick(&there).durable(table.rows()).unwrap();
    let aside = letters(&elsewhere).await;
    assert_eq!(aside.len(), 1, "every node sees it");
    assert_eq!((aside[0].key.as_str(), aside[0].reason.as_str()), ("5", "the table refuses"));
    assert_eq!(aside[0].value.as_deref(), Some("new"));
    table.accept(5);
    let one = all().id(&aside[0].id);
    assert_eq!(elsewhere.redrive_dead_letters(&one, None).await.unwrap().redriven, 1);
    eventually("it is written", async || table.row(5).as_deref() == Some("new")).await;
    assert!(letters(&elsewhere).await.is_empty());
}

#[tokio::test]
async fn a_row_that_stands_aside_can_be_dropped_and_gives_its_room_back() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let table = Table::new();
    table.refuse_for_good(1);
    let writes = quick(&node).capacity(1).durable(table.rows()).unwrap();
    writes.write(1, "new".into()).await.unwrap();
    eventually("it stands aside", async || writes.report().aside == 1).await;
    assert_eq!(writes.try_write(2, "b".into()).await, Err(WriteError::Full { capacity: 1 }));
    let id = letters(&writes).await.remove(0).id;
    let dropped =
        async |id: &str| writes.drop_dead_letters(&all().id(id), None).await.unwrap().dropped;
    assert_eq!(dropped(&id).await, 1);
    assert_eq!((dropped(&id).await, dropped("no id").await), (0, 0));
    let redriven = writes.redrive_dead_letters(&all().id("no id"), None).await.unwrap();
    assert_eq!(redriven.redriven, 0);
    writes.try_write(2, "b".into()).await.unwrap();
    assert!(!node.report().l2.breaker_open);
}

#[tokio::test]
async fn versions_of_the_callers_own_order_the_writes() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let table = Table::held();
    let writes = patient(&node).durable(table.rows()).unwrap();
    let large = (1 << 60) + 1;
    writes.write_version(1, "newer".into(), large).await.unwrap();
    let overtaken = writes.write_version(1, "older".into(), large - 1).await;
    assert_eq!(overtaken, Err(WriteError::Overtaken { newer: large }));
    assert_eq!(table.value(&writes, 1).await, "newer");
    table.release();
    eventually("it is written", async || is_idle(&writes, &redis).await).await;
    writes.write_version(1, "late".into(), 7).await.unwrap();
    eventually("it is ignored", async || table.n_ignored() == 1).await;
    assert_eq!(table.row(1).as_deref(), Some("newer"));
}

#[tokio::test]
async fn the_durable_kind_needs_l2() {
    let cache = cache(&lonely_node().await);
    let built = WriteBehind::builder(&cache).durable(Table::new().rows());
    assert!(matches!(built, Err(BuildError::NoL2(_))));
}
