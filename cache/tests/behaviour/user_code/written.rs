//! A write-behind whose keys and values panic on their way to the sink.

use std::io::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strata_cache::{Cache, Node, Row, WriteBehind};

use super::all_run;
use super::touchy::{Code, Fragile, Touchy, arm};
use crate::support::ways::onlooker;
use crate::support::{Redis, eventually, lonely_node};

type Rows = Arc<Mutex<Vec<u64>>>;

fn cache(node: &Node) -> Cache<Touchy, Fragile> {
    Cache::builder("views").build(node).unwrap()
}

/// A row that panics stands aside or waits; the others reach the sink and the end comes in time.
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
    let aside = writes.aside(1).await.unwrap().remove(0);
    assert_eq!(aside.error, "its key or value cannot be read: that panicked");
    drop(armed);
    goes_on(&node, writes, rows, 4_110).await;
}
