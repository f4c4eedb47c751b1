//! A value that this node has written and may no longer be the newest never answers from memory.

use std::time::Duration;

use strata_cache::{Cache, Node, Pattern, Target, WriteBehind, WriteError};
use strata_testing::{Direction, Line, Proxy};

use super::durable::{is_idle, quick};
use super::table::{Table, Writes};
use crate::support::ways::{LONG, SHORT, node_behind, onlooker, trusts_l2};
use crate::support::{Redis, cache, eventually, hears};

/// Waits very long for a call of the sink.
fn over(cache: &Cache<u64, String>, table: &Table) -> Writes {
    let builder = WriteBehind::builder(cache).interval(Duration::from_millis(10));
    builder.sink_timeout(Duration::from_secs(3_600)).durable(table.rows()).unwrap()
}

#[tokio::test]
async fn a_value_whose_end_got_no_answer_does_not_answer_from_memory() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let node = node_behind(&proxy, SHORT).await;
    let (cache, table) = (cache(&node), Table::held());
    let writes = over(&cache, &table);
    writes.write(7, "new".into()).await.unwrap();
    table.entered().await;
    proxy.hold(&[Line::L2], &[Direction::Answers]).await;
    table.release();
    eventually("it answers no more", async || writes.unwritten(&7).is_none()).await;
    assert_eq!(table.value(&writes, 7).await, "new");
    proxy.restore().await;
    trusts_l2(&node).await;
    eventually("it has ended", async || is_idle(&writes, &redis).await).await;
    table.overwrite(7, "newer");
    cache.invalidate(&7).await;
    assert_eq!(table.value(&writes, 7).await, "newer");
    assert!(writes.report().written >= 1);
}

#[tokio::test]
async fn a_value_whose_setting_aside_got_no_answer_does_not_answer_from_memory() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let node = node_behind(&proxy, SHORT).await;
    let (cache, table) = (cache(&node), Table::held());
    table.seed(7, "old");
    table.refuse_for_good(7);
    let writes = over(&cache, &table);
    let n_aside = async || redis.ask::<u64>(&["XLEN", "{test}!writes:users:aside"]).await;
    // Redis then knows the script, so that one request suffices.
    let warm = Table::new();
    warm.refuse_for_good(99);
    let others = over(&Cache::builder("others").build(&node).unwrap(), &warm);
    others.write(99, "never".into()).await.unwrap();
    eventually("it is set aside", async || others.report().aside == 1).await;
    writes.write(7, "new".into()).await.unwrap();
    table.entered().await;
    proxy.hold(&[Line::L2], &[Direction::Answers]).await;
    table.release();
    eventually("the request arrives", async || n_aside().await == 1).await;
    proxy.restore().await;
    eventually("the next try finds that out", async || writes.unwritten(&7).is_none()).await;
    trusts_l2(&node).await;
    eventually("what stands aside is not in effect", async || {
        table.value(&writes, 7).await == "old"
    })
    .await;
}

/// Unwritten values no longer answer from memory, but are still read.
async fn asks_redis(what: &str, (table, writes): (&Table, &Writes), keys: &[u64]) {
    for key in keys {
        assert_eq!(writes.unwritten(key), None, "{what}");
        assert_eq!(table.value(writes, *key).await, format!("{key} of {what}"), "{what}");
    }
}

#[tokio::test]
async fn after_any_invalidation_here_reads_ask_redis_and_are_right() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let (cache, table) = (cache(&node), Table::held());
    let writes = over(&cache, &table);
    let (all, some) = ([1, 2, 31], Pattern::parse("3*").unwrap());
    for what in ["key", "many", "soft", "pattern", "tag", "clear", "text", "write", "insert"] {
        for key in all {
            writes.write(key, format!("{key} of {what}")).await.unwrap();
            assert!(writes.unwritten(&key).is_some());
        }
        let mut gone = vec![1];
        match what {
            "key" => drop(cache.invalidate(&1).await),
            "many" => drop(cache.invalidate_many(&all).await),
            "soft" => drop(cache.invalidate_softly(&1).await),
            "pattern" => drop(cache.invalidate_pattern(&some).await),
            "tag" => drop(cache.invalidate_tag("any").await),
            "clear" => drop(cache.clear().await),
            "text" => drop(node.invalidate("users", Target::key("1")).await.unwrap()),
            "write" => {
                let write = async { Ok::<_, std::io::Error>("through".to_owned()) };
                drop(cache.write_through(&1, write).await.unwrap());
                assert_eq!(writes.unwritten(&1), None);
                continue;
            }
            _ => {
                cache.insert(&1, "inserted".into()).await;
                assert_eq!(writes.unwritten(&1), None);
                continue;
            }
        }
        match what {
            "many" | "tag" | "clear" => gone = all.to_vec(),
            "pattern" => gone = vec![31],
            _ => {}
        }
        for key in all.iter().filter(|key| !gone.contains(key)) {
            assert!(writes.unwritten(key).is_some(), "{what} is not about {key}");
        }
        asks_redis(what, (&table, &writes), &gone).await;
    }
}

#[tokio::test]
async fn after_any_invalidation_elsewhere_reads_ask_redis_and_are_right() {
    let redis = Redis::start().await;
    let (node, other) = (onlooker(&redis).await, onlooker(&redis).await);
    let (here, there, table) = (cache(&node), cache(&other), Table::held());
    let writes = over(&here, &table);
    for what in ["key", "soft", "pattern", "tag", "clear"] {
        writes.write(1, format!("1 of {what}")).await.unwrap();
        writes.write(2, format!("2 of {what}")).await.unwrap();
        match what {
            "key" => drop(there.invalidate(&1).await),
            "soft" => drop(there.invalidate_softly(&1).await),
            "pattern" => drop(there.invalidate_pattern(&Pattern::parse("1*").unwrap()).await),
            "tag" => drop(there.invalidate_tag("any").await),
            _ => drop(there.clear().await),
        }
        catches_up(&node, &other).await;
        asks_redis(what, (&table, &writes), &[1]).await;
        let is_about_all = matches!(what, "tag" | "clear");
        assert_eq!(writes.unwritten(&2).is_none(), is_about_all, "{what}");
    }
}

async fn catches_up(one: &Node, other: &Node) {
    let sequence = other.bus_sequence().await.unwrap();
    assert!(one.has_heard(sequence, LONG).await, "the bus is not heard");
}

#[tokio::test]
async fn a_write_that_got_no_answer_is_read_as_soon_as_redis_answers() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let node = node_behind(&proxy, SHORT).await;
    let (cache, table) = (cache(&node), Table::held());
    let writes = over(&cache, &table);
    writes.write(1, "acknowledged".into()).await.unwrap();
    table.entered().await;
    proxy.hold(&[Line::L2], &[Direction::Answers]).await;
    assert_eq!(writes.write(1, "newer".into()).await, Err(WriteError::Away));
    assert_eq!(table.value(&writes, 1).await, "acknowledged", "as far as anybody knows");
    proxy.restore().await;
    trusts_l2(&node).await;
    eventually("Redis is asked", async || table.value(&writes, 1).await == "newer").await;
    assert_eq!(table.row(1), None, "and not the source");
}

#[tokio::test]
async fn a_row_that_was_read_while_redis_was_away_does_not_stay_in_the_newer_ones_place() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let (near, far) = (onlooker(&redis).await, node_behind(&proxy, SHORT).await);
    let table = Table::held();
    table.seed(1, "old");
    let writes = over(&cache(&near), &table);
    let elsewhere = over(&cache(&far), &table);
    writes.write(1, "new".into()).await.unwrap();
    catches_up(&far, &near).await;
    proxy.hold(&[Line::L2], &[Direction::Answers]).await;
    assert_eq!(table.value(&elsewhere, 1).await, "old", "who else could answer?");
    proxy.restore().await;
    trusts_l2(&far).await;
    hears(&far).await;
    eventually("it reads the newer one", async || table.value(&elsewhere, 1).await == "new").await;
    assert_eq!(table.row(1).as_deref(), Some("old"));
}

#[tokio::test]
async fn after_the_end_reads_ask_redis() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let table = Table::new();
    table.set_down(true);
    let writes = quick(&node).durable(table.rows()).unwrap();
    writes.write(1, "new".into()).await.unwrap();
    let drained = writes.shutdown(Duration::from_millis(50)).await;
    assert_eq!(drained.waiting, 1);
    assert_eq!(writes.unwritten(&1), None);
    assert_eq!(table.value(&writes, 1).await, "new");
}
