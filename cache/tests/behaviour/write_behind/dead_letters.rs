//! Dead letters: listed page by page, redriven and dropped all at once or by filter, in small steps.

use std::time::{Duration, SystemTime};

use strata_cache::report::{DeadLetterAction, DeadLetterResult};
use strata_cache::{
    CacheError, DeadLetter, DeadLetterFilter, DeadLetterList, DeadLetterStep, Key, Pattern, Value,
    WriteBehind, WriteError,
};

use super::durable::quick;
use super::table::{Table, Writes};
use crate::support::{Redis, cache, eventually, lonely_node};

/// A key that the table takes. If nothing succeeds, no row becomes a dead letter.
const GOOD: u64 = 1_000_000;

pub(crate) fn all() -> DeadLetterFilter {
    DeadLetterFilter::all()
}

/// All dead letters.
pub(crate) async fn letters<K: Key, V: Value + Clone>(
    writes: &WriteBehind<K, V>,
) -> Vec<DeadLetter<V>> {
    writes.dead_letters(&all(), None, 1_000).await.unwrap().letters
}

fn key(pattern: &str) -> DeadLetterFilter {
    all().key(Pattern::parse(pattern).unwrap())
}

/// Writes rows that the table refuses until all are dead letters, in the order of the keys.
async fn bury(writes: &Writes, table: &Table, keys: impl IntoIterator<Item = u64>) {
    for key in keys {
        table.refuse(key);
        let aside = writes.report().set_aside;
        writes.write(key, format!("v{key}")).await.unwrap();
        eventually("it is set aside", async || {
            writes.write(GOOD, "good".into()).await.unwrap();
            writes.report().set_aside == aside + 1
        })
        .await;
    }
    eventually("nothing waits", async || writes.report().queued == 0).await;
}

pub(super) async fn durable(redis: &Redis) -> (Writes, Table) {
    let node = redis.hearing_node("1").await;
    let table = Table::new();
    (quick(&node).tries(1).durable(table.rows()).unwrap(), table)
}

async fn in_memory() -> (Writes, Table) {
    let table = Table::new();
    let builder = WriteBehind::builder(&cache(&lonely_node().await)).tries(1);
    (builder.interval(Duration::from_millis(1)).in_memory(table.pairs()).unwrap(), table)
}

async fn keys(writes: &Writes, filter: &DeadLetterFilter) -> Vec<String> {
    let page = writes.dead_letters(filter, None, 1_000).await.unwrap();
    assert_eq!(page.next, None);
    page.letters.into_iter().map(|letter| letter.key).collect()
}

async fn comes_page_by_page_and_by_filter((writes, table): (Writes, Table)) {
    bury(&writes, &table, [1, 2, 3]).await;
    let between = SystemTime::now();
    // Ensures different milliseconds, which are the finest resolution.
    eventually("the clock goes on", async || {
        SystemTime::now() > between + Duration::from_millis(20)
    })
    .await;
    bury(&writes, &table, [10, 11]).await;
    let first = writes.dead_letters(&all(), None, 2).await.unwrap();
    let second = writes.dead_letters(&all(), first.next.as_deref(), 2).await.unwrap();
    let third = writes.dead_letters(&all(), second.next.as_deref(), 2).await.unwrap();
    let names = [&first, &second, &third]
        .map(|page| page.letters.iter().map(|letter| &*letter.key).collect::<Vec<_>>());
    assert_eq!(names, [vec!["1", "2"], vec!["3", "10"], vec!["11"]]);
    assert_eq!((first.total, third.next), (5, None));
    let letter = &first.letters[0];
    assert_eq!(letter.value.as_deref(), Some("v1"));
    assert!(letter.tries > 0, "once with others, and once alone");
    assert_eq!(letter.reason, "the table refuses");
    assert_eq!(keys(&writes, &key("1*")).await, ["1", "10", "11"]);
    let late = between + Duration::from_millis(10);
    assert_eq!(keys(&writes, &all().from(late)).await, ["10", "11"]);
    assert_eq!(keys(&writes, &all().until(late).reason("REFUSES")).await, ["1", "2", "3"]);
    assert_eq!(keys(&writes, &all().reason("timed out")).await, [""; 0]);
    assert_eq!(keys(&writes, &all().id(&letter.id)).await, ["1"]);
    assert_eq!(keys(&writes, &all().id("no id")).await, [""; 0]);
}

#[tokio::test]
async fn dead_letters_in_redis_come_page_by_page_and_by_filter() {
    let redis = Redis::start().await;
    comes_page_by_page_and_by_filter(durable(&redis).await).await;
}

#[tokio::test]
async fn dead_letters_in_memory_come_page_by_page_and_by_filter() {
    comes_page_by_page_and_by_filter(in_memory().await).await;
}

async fn are_redriven_all_or_by_filter((writes, table): (Writes, Table)) {
    bury(&writes, &table, 1..=4).await;
    (1..=4).for_each(|key| table.accept(key));
    let one = writes.redrive_dead_letters(&key("3"), None).await.unwrap();
    assert_eq!((one.redriven, one.examined, one.left, one.next), (1, 4, 3, None));
    eventually("it is written", async || table.row(3).as_deref() == Some("v3")).await;
    assert_eq!(keys(&writes, &all()).await, ["1", "2", "4"]);
    let rest = writes.redrive_dead_letters(&all(), None).await.unwrap();
    let expected = DeadLetterResult { redriven: 3, examined: 3, ..DeadLetterResult::default() };
    assert_eq!(rest, expected);
    eventually("all are written", async || (1..=4).all(|key| table.row(key).is_some())).await;
    let report = writes.report();
    assert_eq!((report.redriven, report.dropped, report.aside), (4, 0, 0));
}

#[tokio::test]
async fn dead_letters_in_redis_are_redriven_all_or_by_filter() {
    let redis = Redis::start().await;
    are_redriven_all_or_by_filter(durable(&redis).await).await;
}

#[tokio::test]
async fn dead_letters_in_memory_are_redriven_all_or_by_filter() {
    are_redriven_all_or_by_filter(in_memory().await).await;
}

async fn are_dropped_by_filter_and_give_their_room_back((writes, table): (Writes, Table)) {
    bury(&writes, &table, [7, 8, 9]).await;
    let dropped = writes.drop_dead_letters(&key("[78]"), None).await.unwrap();
    assert_eq!((dropped.dropped, dropped.redriven, dropped.left), (2, 0, 1));
    assert_eq!(keys(&writes, &all()).await, ["9"]);
    assert_eq!(writes.report().dropped, 2);
    let rest = writes.drop_dead_letters(&all(), None).await.unwrap();
    assert_eq!((rest.dropped, rest.left, writes.report().aside), (1, 0, 0));
    assert_eq!((table.row(7), table.row(9)), (None, None));
}

#[tokio::test]
async fn dead_letters_in_redis_are_dropped_by_filter() {
    let redis = Redis::start().await;
    are_dropped_by_filter_and_give_their_room_back(durable(&redis).await).await;
}

#[tokio::test]
async fn dead_letters_in_memory_are_dropped_by_filter() {
    are_dropped_by_filter_and_give_their_room_back(in_memory().await).await;
}

async fn a_newer_value_that_waits_stays((writes, table): (Writes, Table)) {
    bury(&writes, &table, [1, 2]).await;
    table.hold();
    writes.write(1, "newer".into()).await.unwrap();
    table.accept(1);
    table.accept(2);
    let moved = writes.redrive_dead_letters(&all(), None).await.unwrap();
    assert_eq!((moved.redriven, moved.superseded, moved.left), (1, 1, 0));
    assert_eq!(table.value(&writes, 1).await, "newer");
    table.release();
    eventually("both are written", async || table.row(2).is_some() && table.row(1).is_some()).await;
    assert_eq!(table.row(1).as_deref(), Some("newer"));
    assert_eq!(writes.report().dropped, 1);
}

#[tokio::test]
async fn of_a_dead_letter_in_redis_a_newer_value_that_waits_stays() {
    let redis = Redis::start().await;
    a_newer_value_that_waits_stays(durable(&redis).await).await;
}

#[tokio::test]
async fn of_a_dead_letter_in_memory_a_newer_value_that_waits_stays() {
    a_newer_value_that_waits_stays(in_memory().await).await;
}

async fn a_run_ends_though_everything_fails_again((writes, table): (Writes, Table)) {
    bury(&writes, &table, 1..=3).await;
    let moved = writes.redrive_dead_letters(&all(), None).await.unwrap();
    assert_eq!((moved.redriven, moved.next), (3, None));
    eventually("they are dead letters again", async || {
        writes.write(GOOD, "good".into()).await.unwrap();
        writes.report().aside == 3
    })
    .await;
    assert_eq!(writes.report().set_aside, 6);
}

#[tokio::test]
async fn a_redrive_ends_though_everything_fails_again() {
    let redis = Redis::start().await;
    a_run_ends_though_everything_fails_again(durable(&redis).await).await;
    a_run_ends_though_everything_fails_again(in_memory().await).await;
}

/// Copies of a dead letter, each of a key of its own from 1 on.
async fn multiply(redis: &Redis, copies: u64) {
    let lua = "local row = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][2]
        for n = 1, tonumber(ARGV[1]) do
          for i = 1, #row, 2 do if row[i] == 'k' then row[i + 1] = tostring(n) end end
          redis.call('XADD', KEYS[1], '*', unpack(row))
        end";
    let copies = copies.to_string();
    let () = redis.ask(&["EVAL", lua, "1", "{test}!writes:users:aside", &copies]).await;
}

#[tokio::test]
async fn many_dead_letters_are_moved_in_small_steps_that_can_be_gone_on_with() {
    const N: u64 = 1_000;
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let table = Table::new();
    let writes = quick(&node).tries(1).durable(table.rows()).unwrap();
    bury(&writes, &table, [0]).await;
    multiply(&redis, N).await;
    table.accept(0);
    let mut step = DeadLetterStep { filter: key("*0"), ..DeadLetterStep::default() };
    let mut sum = DeadLetterResult::default();
    loop {
        let done = node.move_dead_letters("users", step.clone()).await.unwrap();
        assert!(done.examined <= 128, "{done:?}");
        sum.then(done);
        let Some(next) = sum.next.clone() else { break };
        step.from = Some(next);
    }
    assert_eq!((sum.redriven, sum.examined, sum.left), (101, N + 1, N - 100));
    let dropped = writes.drop_dead_letters(&all(), None).await.unwrap();
    assert_eq!((dropped.dropped, dropped.left), (N - 100, 0));
    eventually("they are written", async || {
        (0..=N / 10).all(|n| table.row(n * 10).as_deref() == Some("v0"))
    })
    .await;
    assert_eq!(table.row(1), None);
}

#[tokio::test]
async fn a_page_that_few_match_says_where_to_go_on() {
    const N: u64 = 3_000;
    let redis = Redis::start().await;
    let (writes, table) = durable(&redis).await;
    bury(&writes, &table, [5_000]).await;
    multiply(&redis, N).await;
    let filter = key("3000");
    let (mut next, mut found, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = writes.dead_letters(&filter, next.as_deref(), 10).await.unwrap();
        pages += 1;
        found.extend(page.letters.into_iter().map(|letter| letter.key));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!((found, pages), (vec!["3000".to_owned()], 2));
}

#[tokio::test]
async fn values_that_are_large_make_a_look_short() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let table = Table::new();
    let writes = quick(&node).tries(1).durable(table.rows()).unwrap();
    bury(&writes, &table, [0]).await;
    let letter = ["XADD", "{test}!writes:users:aside", "*", "k", "1", "v"];
    let value = format!("7:0:\"{}\"", "x".repeat(3 << 20));
    for _ in 0..4 {
        let words = [&letter[..], &[&value, "n", "1", "e", "too large"]].concat();
        let _: String = redis.ask(&words).await;
    }
    let step = DeadLetterStep { action: DeadLetterAction::Drop, ..DeadLetterStep::default() };
    let done = node.move_dead_letters("users", step).await.unwrap();
    assert_eq!((done.dropped, done.left), (3, 2));
    assert!(done.next.is_some());
}

#[tokio::test]
async fn a_console_sees_them_without_the_types_of_the_cache() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let table = Table::new();
    let writes = quick(&node).tries(1).durable(table.rows()).unwrap();
    bury(&writes, &table, [1]).await;
    let report = node.report();
    assert!(report.keeps_data_in_redis());
    assert_eq!((&*report.write_behinds[0].cache, report.write_behinds[0].aside), ("users", 1));
    let there = redis.hearing_node("2").await;
    let elsewhere = quick(&there).durable(table.rows()).unwrap();
    let list = DeadLetterList { limit: 10, ..DeadLetterList::default() };
    let page = there.dead_letters("users", list.clone()).await.unwrap();
    let row = &page.rows[0];
    assert_eq!((row.value.as_deref(), row.node.as_str(), page.total), (Some("\"v1\""), "", 1));
    assert!(row.since_ms > 0 && row.version > 0);
    drop(elsewhere);
    let none = CacheError::NoWriteBehind("users".to_owned());
    assert_eq!(there.dead_letters("users", list).await, Err(none));
    assert_eq!(there.report().write_behinds, []);
}

#[tokio::test]
async fn in_memory_a_console_is_told_which_node_keeps_them() {
    let node = lonely_node().await;
    let table = Table::new();
    let builder = WriteBehind::builder(&cache(&node)).tries(1);
    let writes = builder.interval(Duration::from_millis(1)).in_memory(table.pairs()).unwrap();
    bury(&writes, &table, [1]).await;
    let list = DeadLetterList { limit: 10, ..DeadLetterList::default() };
    let row = node.dead_letters("users", list).await.unwrap().rows.remove(0);
    assert_eq!((&*row.node, row.value.as_deref()), (node.id(), Some("\"v1\"")));
    assert!(!node.report().keeps_data_in_redis());
}

#[tokio::test]
async fn while_redis_is_away_nothing_is_moved_and_that_is_said() {
    let mut redis = Redis::start().await;
    let (writes, table) = durable(&redis).await;
    bury(&writes, &table, [1]).await;
    redis.kill();
    assert_eq!(writes.redrive_dead_letters(&all(), None).await, Err(WriteError::Away));
    assert_eq!(writes.drop_dead_letters(&all(), None).await, Err(WriteError::Away));
    assert!(matches!(writes.dead_letters(&all(), None, 10).await, Err(WriteError::Away)));
}

#[tokio::test]
async fn in_memory_nothing_is_queued_again_after_the_end() {
    let (writes, table) = in_memory().await;
    bury(&writes, &table, [1]).await;
    assert_eq!(writes.shutdown(Duration::from_secs(60)).await.aside, 1);
    assert_eq!(writes.redrive_dead_letters(&all(), None).await, Err(WriteError::Closed));
    assert_eq!(keys(&writes, &all()).await, ["1"]);
}
