//! Among a key's acknowledged writes the newest is kept, whichever of them are dead letters.

use std::sync::{Arc, Mutex};

use strata_cache::Row;

use super::dead_letters::{all, durable, letters};
use super::durable::{STREAM, is_idle, quick};
use super::table::{Table, Writes};
use crate::support::{Redis, eventually};

/// Stores a dead letter as earlier builds did, which kept several of one key.
async fn set_aside(redis: &Redis, fields: &[&str]) {
    let aside = format!("{STREAM}:aside");
    let _: String = redis.ask(&[&["XADD", &aside, "*"], fields].concat()).await;
}

async fn set_value_aside(redis: &Redis, value: &str) {
    set_aside(redis, &["k", "1", "v", value, "n", "1", "e", "refused"]).await;
}

/// A write that becomes the dead letter of its key.
async fn bury(writes: &Writes, table: &Table, value: &str) {
    table.refuse_for_good(1);
    let n_before = writes.report().set_aside;
    writes.write(1, value.into()).await.unwrap();
    eventually("it is set aside", async || writes.report().set_aside == n_before + 1).await;
}

#[tokio::test]
async fn of_two_dead_letters_of_a_key_the_newer_is_redriven_in_whichever_order_they_lie() {
    for values in [["7:0:\"older\"", "8:0:\"newer\""], ["8:0:\"newer\"", "7:0:\"older\""]] {
        let redis = Redis::start().await;
        let (writes, table) = durable(&redis).await;
        for value in values {
            set_value_aside(&redis, value).await;
        }
        let moved = writes.redrive_dead_letters(&all(), None).await.unwrap();
        assert_eq!((moved.redriven + moved.superseded, moved.left), (2, 0));
        eventually("it is written", async || is_idle(&writes, &redis).await).await;
        assert_eq!(table.row(1).as_deref(), Some("newer"), "{values:?}");
    }
}

#[tokio::test]
async fn a_dead_letter_goes_when_the_source_has_a_newer_value() {
    let redis = Redis::start().await;
    let (writes, table) = durable(&redis).await;
    bury(&writes, &table, "older").await;
    table.accept(1);
    writes.write(1, "newer".into()).await.unwrap();
    eventually("it is written", async || is_idle(&writes, &redis).await).await;
    assert_eq!(letters(&writes).await, []);
    eventually("no gauge shows it", async || writes.report().aside == 0).await;
    assert_eq!(redis.ask::<u64>(&["HLEN", &format!("{STREAM}:aside:ids")]).await, 0);
}

#[tokio::test]
async fn a_dead_letter_that_is_newer_than_what_the_source_got_stays() {
    let redis = Redis::start().await;
    let (writes, table) = durable(&redis).await;
    bury(&writes, &table, "newer").await;
    table.accept(1);
    writes.write_version(1, "older".into(), 7).await.unwrap();
    eventually("it is written", async || is_idle(&writes, &redis).await).await;
    assert_eq!(letters(&writes).await.len(), 1);
    writes.redrive_dead_letters(&all(), None).await.unwrap();
    eventually("the newer is written", async || table.row(1).as_deref() == Some("newer")).await;
}

#[tokio::test]
async fn a_key_has_one_dead_letter_and_that_is_the_newest() {
    let redis = Redis::start().await;
    let (writes, table) = durable(&redis).await;
    for value in ["first", "second", "third"] {
        bury(&writes, &table, value).await;
    }
    let values: Vec<_> = letters(&writes).await.into_iter().map(|letter| letter.value).collect();
    assert_eq!(values, [Some("third".to_owned())]);
    let dropped = writes.drop_dead_letters(&all(), None).await.unwrap();
    assert_eq!((dropped.dropped, dropped.left), (1, 0));
    bury(&writes, &table, "fourth").await;
    assert_eq!(letters(&writes).await.len(), 1);
}

#[tokio::test]
async fn a_dead_letter_without_a_key_or_a_value_keeps_no_other_from_being_redriven() {
    let redis = Redis::start().await;
    let (writes, table) = durable(&redis).await;
    set_aside(&redis, &["k", "2", "e", "it has no value"]).await;
    set_aside(&redis, &["v", "7:0:\"no key\"", "e", "it has no key"]).await;
    set_value_aside(&redis, "7:0:\"sound\"").await;
    let moved = writes.redrive_dead_letters(&all(), None).await.unwrap();
    assert_eq!((moved.redriven, moved.left, moved.next), (1, 2, None));
    eventually("it is written", async || table.row(1).as_deref() == Some("sound")).await;
    let dropped = writes.drop_dead_letters(&all(), None).await.unwrap();
    assert_eq!((dropped.dropped, dropped.left), (2, 0));
}

#[tokio::test]
async fn a_key_that_waits_twice_is_once_in_a_call_of_the_sink() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    // A replaced value of another schema leaves a second row.
    let () = redis.ask(&["HSET", &format!("{STREAM}:values"), "1", "7:0:\"newest\""]).await;
    for _ in 0..2 {
        let _: String = redis.ask(&["XADD", STREAM, "*", "k", "1"]).await;
    }
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    let sink = move |rows: Vec<Row<u64, String>>| {
        seen.lock().unwrap().push(rows.iter().map(|row| row.key).collect::<Vec<_>>());
        async { Ok::<_, std::io::Error>(()) }
    };
    let writes = quick(&node).durable(sink).unwrap();
    eventually("it is written", async || is_idle(&writes, &redis).await).await;
    assert_eq!(*calls.lock().unwrap(), [[1]]);
}
