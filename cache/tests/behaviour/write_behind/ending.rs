//! `shutdown` keeps its deadline, and reports completion only if everything is written.

use std::time::{Duration, Instant};

use strata_cache::WriteBehind;
use strata_testing::{Direction, Line, Proxy};
use tokio::runtime::Builder;

use super::durable::{STREAM, patient, quick};
use super::table::{Table, Writes};
use crate::support::ways::{LONG, node_behind, onlooker};
use crate::support::{Redis, cache, eventually, lonely_node};

const DEADLINE: Duration = Duration::from_millis(300);

/// The longest time of `shutdown` on a machine that stalls.
const MOST: Duration = Duration::from_secs(6);

/// Ends within the deadline and reports that it is not complete.
async fn ends_incomplete(writes: &Writes) {
    let began = Instant::now();
    let drained = writes.shutdown(DEADLINE).await;
    assert!(began.elapsed() < MOST, "{:?}", began.elapsed());
    assert!(!drained.is_complete(), "{drained:?}");
}

#[tokio::test]
async fn a_sink_that_hangs_does_not_hold_up_the_end() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let table = Table::held();
    let writes = patient(&node).durable(table.rows()).unwrap();
    writes.write(1, "new".into()).await.unwrap();
    table.entered().await;
    ends_incomplete(&writes).await;
    let in_memory = WriteBehind::builder(&cache(&lonely_node().await));
    let in_memory = in_memory.in_memory(table.pairs()).unwrap();
    in_memory.write(1, "new".into()).await.unwrap();
    table.entered().await;
    ends_incomplete(&in_memory).await;
}

#[tokio::test]
async fn a_redis_that_hangs_does_not_hold_up_the_end_and_nothing_is_complete_then() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    // Longer than the shutdown may take.
    let node = node_behind(&proxy, LONG * 4).await;
    let table = Table::new();
    let writes = quick(&node).durable(table.rows()).unwrap();
    writes.write(1, "new".into()).await.unwrap();
    eventually("it is written", async || table.row(1).is_some()).await;
    eventually("nothing waits", async || writes.report().queued == 0).await;
    proxy.hold(&[Line::L2], &[Direction::Answers]).await;
    ends_incomplete(&writes).await;
}

#[tokio::test]
async fn while_redis_is_away_nothing_is_complete() {
    let mut redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let table = Table::new();
    let writes = quick(&node).durable(table.rows()).unwrap();
    writes.write(1, "new".into()).await.unwrap();
    eventually("nothing waits", async || table.row(1).is_some() && writes.report().queued == 0)
        .await;
    redis.kill();
    ends_incomplete(&writes).await;
}

#[tokio::test]
async fn a_flusher_that_is_gone_does_not_hold_up_the_end() {
    let redis = Redis::start().await;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let node = onlooker(&redis).await;
    let (table, cache) = (Table::held(), cache(&node));
    let sink = table.rows();
    let building = runtime.spawn(async move { WriteBehind::builder(&cache).durable(sink) });
    let writes = building.await.unwrap().unwrap();
    writes.write(1, "new".into()).await.unwrap();
    runtime.shutdown_background();
    ends_incomplete(&writes).await;
}

#[tokio::test]
async fn what_waits_for_other_consumers_is_not_complete() {
    let redis = Redis::start().await;
    let (here, there) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (held, table) = (Table::held(), Table::new());
    let busy = patient(&there).durable(held.rows()).unwrap();
    busy.write(1, "new".into()).await.unwrap();
    held.entered().await;
    let patience = Duration::from_secs(3_600);
    let idle = quick(&here).claim_after(patience).durable(table.rows()).unwrap();
    let drained = idle.shutdown(DEADLINE).await;
    assert_eq!((drained.waiting, drained.is_complete()), (1, false));
}

#[tokio::test]
async fn a_write_that_is_acknowledged_during_the_end_is_written_before_it_is_complete() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let node = node_behind(&proxy, LONG).await;
    let table = Table::new();
    let writes = quick(&node).durable(table.rows()).unwrap();
    writes.write(1, "first".into()).await.unwrap();
    proxy.hold(&[Line::L2], &[Direction::Answers]).await;
    let late = writes.clone();
    let writing = tokio::spawn(async move { late.write(2, "late".into()).await });
    let values = format!("{STREAM}:values");
    eventually("it arrives", async || redis.ask(&["HEXISTS", &values, "2"]).await).await;
    let ending = tokio::spawn(async move { writes.shutdown(Duration::from_secs(30)).await });
    tokio::task::yield_now().await;
    proxy.restore().await;
    let drained = ending.await.unwrap();
    assert!(writing.await.unwrap().is_ok());
    assert!(drained.is_complete(), "{drained:?}");
    assert_eq!(table.row(2).as_deref(), Some("late"));
}

#[tokio::test]
async fn a_sink_that_blocks_its_thread_does_not_hold_up_the_end() {
    let node = lonely_node().await;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (gate, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let cache = cache(&node);
    let sink = move |_: Vec<(u64, String)>| {
        let _: Result<(), _> = held.lock().unwrap().recv();
        async { Ok::<_, std::io::Error>(()) }
    };
    let building = runtime.spawn(async move { WriteBehind::builder(&cache).in_memory(sink) });
    let writes = building.await.unwrap().unwrap();
    writes.write(1, "new".into()).await.unwrap();
    ends_incomplete(&writes).await;
    drop(gate);
    runtime.shutdown_background();
}

#[tokio::test]
async fn a_handle_that_was_shut_down_shows_nothing_of_what_others_keep() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let table = Table::new();
    table.refuse_for_good(1);
    let writes = quick(&node).durable(table.rows()).unwrap();
    writes.write(1, "new".into()).await.unwrap();
    eventually("it is set aside", async || writes.report().aside == 1).await;
    let drained = writes.shutdown(Duration::from_secs(60)).await;
    assert_eq!(drained.aside, 1);
    let report = &node.report().write_behinds[0];
    assert_eq!((report.aside, report.queued, report.oldest_age_ms), (0, 0, None));
    assert_eq!(report.set_aside, 1, "what it did stays counted");
}
