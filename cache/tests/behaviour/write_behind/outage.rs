//! The source goes away and comes back. Also, rows that it never takes beside rows that it does.

use std::time::Duration;

use strata_cache::WriteBehind;

use super::dead_letters::letters;
use super::durable::{is_idle, quick};
use super::table::Table;
use crate::support::{Redis, cache, eventually, lonely_node};

const N_ROWS: u64 = 5_000;

#[tokio::test(start_paused = true)]
async fn in_memory_an_outage_sets_nothing_aside_and_the_backlog_goes_in_whole_batches() {
    let table = Table::new();
    let cache = cache(&lonely_node().await);
    for seconds in [5, 20, 3_600] {
        let writes = WriteBehind::builder(&cache).max_batch(200).in_memory(table.pairs()).unwrap();
        table.set_down(true);
        for key in 0..N_ROWS {
            writes.write(key, seconds.to_string()).await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let n_calls = table.calls().len();
        table.set_down(false);
        eventually("all are written", async || writes.report().queued == 0).await;
        let n_calls = table.calls().len() - n_calls;
        let report = writes.report();
        assert_eq!((report.set_aside, report.failing, report.written), (0, 0, N_ROWS));
        assert!(n_calls <= 30, "{n_calls} calls after {seconds} s");
        assert!(writes.shutdown(Duration::from_secs(5)).await.is_complete());
    }
}

#[tokio::test]
async fn an_outage_sets_nothing_aside_and_the_backlog_goes_in_whole_batches() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let table = Table::new();
    table.set_down(true);
    let writes = quick(&node).tries(2).max_batch(100);
    let writes = writes.claim_after(Duration::from_secs(3_600)).durable(table.rows()).unwrap();
    for key in 0..1_000 {
        writes.write(key, "new".into()).await.unwrap();
    }
    // By now each of the first rows was alone, and tried more often than allowed.
    eventually("it goes on for long", async || table.calls().len() >= 250).await;
    assert_eq!((writes.report().set_aside, writes.report().queued), (0, 1_000));
    let n_calls = table.calls().len();
    table.set_down(false);
    eventually("all are written", async || is_idle(&writes, &redis).await).await;
    let n_calls = table.calls().len() - n_calls;
    assert!((0..1_000).all(|key| table.row(key).is_some()));
    assert_eq!(writes.report().set_aside, 0);
    assert!(n_calls <= 16, "{n_calls} calls for ten batches");
}

#[tokio::test(start_paused = true)]
async fn a_row_that_fails_where_nothing_else_is_written_is_seen_until_something_else_is() {
    let table = Table::new();
    table.refuse(1);
    let writes = WriteBehind::builder(&cache(&lonely_node().await)).tries(2);
    let writes = writes.in_memory(table.pairs()).unwrap();
    assert_eq!((writes.report().failing, writes.report().last_error), (0, None));
    writes.write(1, "new".into()).await.unwrap();
    eventually("it is tried often", async || table.calls().len() > 10).await;
    let report = writes.report();
    assert_eq!((report.aside, report.failing), (0, 1), "the table may be away");
    assert!(report.failing_since_ms.is_some());
    assert_eq!(report.last_error.as_deref(), Some("the table refuses"));
    writes.write(2, "new".into()).await.unwrap();
    eventually("it is set aside", async || writes.report().aside == 1).await;
    assert_eq!(table.row(2).as_deref(), Some("new"));
    assert_eq!((writes.report().failing, writes.report().failing_since_ms), (0, None));
}

#[tokio::test(start_paused = true)]
async fn new_rows_do_not_wait_for_one_that_fails_again_and_again() {
    let table = Table::new();
    table.refuse(0);
    let writes = WriteBehind::builder(&cache(&lonely_node().await)).tries(u32::MAX);
    let writes = writes.in_memory(table.pairs()).unwrap();
    writes.write(0, "never".into()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    for key in 1..20 {
        writes.write(key, "new".into()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(table.row(key).as_deref(), Some("new"), "within a second");
    }
    assert_eq!(writes.report().queued, 1);
}

#[tokio::test]
async fn a_row_that_the_sink_never_takes_is_set_aside_at_once_where_it_says_so() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let table = Table::new();
    table.refuse_for_good(5);
    let writes = quick(&node).tries(u32::MAX).durable(table.rows()).unwrap();
    for key in 0..10 {
        writes.write(key, "new".into()).await.unwrap();
    }
    eventually("the others are written", async || is_idle(&writes, &redis).await).await;
    let aside = letters(&writes).await;
    assert_eq!(aside.len(), 1);
    assert_eq!((&*aside[0].key, &*aside[0].reason), ("5", "the table never takes 5"));
}
