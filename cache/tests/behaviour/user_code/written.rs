//! A write-behind whose keys and values panic on their way to the sink.

use std::io::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strata_cache::{Cache, Node, Row, WriteBehind, WriteError};

use super::all_run;
use super::touchy::{Code, Fragile, Touchy, arm};
use crate::support::ways::onlooker;
use crate::support::{Redis, eventually, lonely_node};
use crate::write_behind::dead_letters::letters;

type Rows = Arc<Mutex<Vec<u64>>>;

fn cache(node: &Node) -> Cache<Touchy, Fragile> {
    Cache::builder("views").build(node).unwrap()
}

/// A row that panics becomes a dead letter or waits. The others reach the sink, and the end comes
/// in time.
async fn goes_on(node: &Node, writes: WriteBehind<Touchy, Fragile>, rows: Rows, first: u64) {
    for key in first + 1..first + 10 {
        writes.write(Touchy(key), Fragile(key)).await.unwrap();
    }
    eventually("the others are written", async || {
        rows.lock().unwrap().iter().filter(|key| **key > first).count() >= 9
    })
    .await;
    assert!(all_run(&node.report()), "{:?}", node.report().tasks);
    let ending =
        tokio::time::timeout(Duration::from_secs(20), writes.shutdown(Duration::from_secs(1)));
    assert!(ending.await.is_ok(), "shutdown keeps its deadline");
}

#[tokio::test]
async fn a_value_that_cannot_be_copied_for_the_sink_is_set_aside_alone() {
    let node = lonely_node().await;
    let rows = Rows::default();
    let taken = Arc::clone(&rows);
    let builder = WriteBehind::builder(&cache(&node)).tries(2);
    let writes = builder.pauses(Duration::from_millis(1), Duration::from_millis(2));
    let writes = writes
        .interval(Duration::from_millis(200))
        .in_memory(move |sent: Vec<(Touchy, Fragile)>| {
            taken.lock().unwrap().extend(sent.iter().map(|(key, _)| key.0));
            async { Ok::<_, Error>(()) }
        })
        .unwrap();
    writes.write(Touchy(4_010), Fragile(4_020)).await.unwrap();
    let armed = arm(4_020, Code::Cloning);
    eventually("it is set aside", async || writes.report().aside == 1).await;
    drop(armed);
    goes_on(&node, writes, rows, 4_010).await;
}

#[tokio::test]
async fn a_key_that_cannot_be_read_back_from_redis_is_set_aside_alone() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let rows = Rows::default();
    let taken = Arc::clone(&rows);
    let builder = WriteBehind::builder(&cache(&node)).interval(Duration::from_millis(50));
    let writes = builder
        .durable(move |sent: Vec<Row<Touchy, Fragile>>| {
            taken.lock().unwrap().extend(sent.iter().map(|row| row.key.0));
            async { Ok::<_, Error>(()) }
        })
        .unwrap();
    let armed = arm(4_110, Code::Parsing);
    writes.write(Touchy(4_110), Fragile(4_110)).await.unwrap();
    eventually("it is set aside", async || writes.report().aside == 1).await;
    let aside = letters(&writes).await.remove(0);
    assert_eq!(aside.reason, "its key or value cannot be read: that panicked");
    drop(armed);
    goes_on(&node, writes, rows, 4_110).await;
}

/// A write-behind of each kind, whose sink records its rows.
async fn durable(node: &Node, rows: &Rows) -> WriteBehind<Touchy, Fragile> {
    let taken = Arc::clone(rows);
    let builder = WriteBehind::builder(&cache(node)).interval(Duration::from_millis(20));
    let builder = builder.sink_timeout(Duration::from_millis(500));
    let builder = builder.claim_after(Duration::from_secs(1));
    builder
        .durable(move |sent: Vec<Row<Touchy, Fragile>>| {
            taken.lock().unwrap().extend(sent.iter().map(|row| row.key.0));
            async { Ok::<_, Error>(()) }
        })
        .unwrap()
}

fn in_memory(node: &Node, rows: &Rows) -> WriteBehind<Touchy, Fragile> {
    let taken = Arc::clone(rows);
    let builder = WriteBehind::builder(&cache(node)).interval(Duration::from_millis(200));
    builder
        .in_memory(move |sent: Vec<(Touchy, Fragile)>| {
            taken.lock().unwrap().extend(sent.iter().map(|(key, _)| key.0));
            async { Ok::<_, Error>(()) }
        })
        .unwrap()
}

/// The value of the row that panics.
fn value_of(number: u64) -> u64 {
    number + 40
}

#[tokio::test]
async fn a_row_that_panics_wherever_it_is_read_is_one_dead_letter_and_none_on_the_next_node() {
    let redis = Redis::start().await;
    for (first, code) in [(4_200, Code::Parsing), (4_300, Code::Reading), (4_400, Code::Cloning)] {
        let node = onlooker(&redis).await;
        let rows = Rows::default();
        let writes = durable(&node, &rows).await;
        let armed = arm(if code == Code::Parsing { first } else { value_of(first) }, code);
        writes.write(Touchy(first), Fragile(value_of(first))).await.unwrap();
        eventually("it is set aside", async || writes.report().set_aside == 1).await;
        goes_on(&node, writes.clone(), Arc::clone(&rows), first).await;
        assert!(!rows.lock().unwrap().contains(&first), "{code:?}");
        drop(writes);
        let next = onlooker(&redis).await;
        let writes = durable(&next, &rows).await;
        goes_on(&next, writes.clone(), rows, first + 50).await;
        assert_eq!(writes.report().set_aside, 0, "{code:?} of a row that has ended");
        drop(armed);
        let aside = letters(&writes).await;
        let mine = || aside.iter().filter(|row| row.key == first.to_string());
        assert_eq!(mine().count(), 1, "{aside:?}");
        assert!(mine().all(|row| row.reason.contains("panicked")), "{aside:?}");
    }
}

#[tokio::test]
async fn code_that_panics_on_the_way_of_a_row_loses_track_of_none() {
    for (first, code) in [
        (4_500, Code::Cloning),
        (4_600, Code::Hashing),
        (4_700, Code::Comparing),
        (4_800, Code::Printing),
        (4_900, Code::Dropping),
    ] {
        let node = lonely_node().await;
        let rows = Rows::default();
        let writes = in_memory(&node, &rows);
        writes.write(Touchy(first), Fragile(value_of(first))).await.unwrap();
        let armed = [arm(first, code), arm(value_of(first), code)];
        goes_on_for_a_while(&writes, &rows, first).await;
        drop(armed);
        let _: Result<_, _> = tokio::spawn({
            let writes = writes.clone();
            async move { writes.write(Touchy(first), Fragile(first + 1)).await }
        })
        .await;
        eventually("its newer value is written or set aside", async || {
            let report = writes.report();
            report.queued == 0 && (report.aside > 0 || rows.lock().unwrap().contains(&first))
        })
        .await;
        assert!(all_run(&node.report()), "{code:?}: {:?}", node.report().tasks);
    }
}

/// Nine other rows reach the sink beside one that panics.
async fn goes_on_for_a_while(writes: &WriteBehind<Touchy, Fragile>, rows: &Rows, first: u64) {
    for key in first + 1..first + 10 {
        writes.write(Touchy(key), Fragile(key)).await.unwrap();
    }
    eventually("the others are written", async || {
        rows.lock().unwrap().iter().filter(|key| **key > first).count() >= 9
    })
    .await;
}

#[tokio::test]
async fn a_write_whose_code_panics_is_refused_with_the_reason() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let rows = Rows::default();
    let writes = durable(&node, &rows).await;
    for (key, code) in [(5_000, Code::Printing), (5_100, Code::Hashing)] {
        let armed = arm(key, code);
        let refused = writes.write(Touchy(key), Fragile(key)).await;
        assert!(matches!(refused, Err(WriteError::Encode(_))), "{code:?}: {refused:?}");
        drop(armed);
        writes.write(Touchy(key), Fragile(key)).await.unwrap();
    }
}
