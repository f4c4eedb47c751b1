//! Nodes with two schemas of one cache, as in a rolling deploy.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strata_cache::{Cache, Node, Row, WriteBehind, WriteBehindBuilder};

use super::dead_letters::letters;
use super::durable::{STREAM, is_idle, quick};
use super::table::{Table, Writing};
use crate::support::ways::onlooker;
use crate::support::{Redis, eventually};

/// The form of schema 2 for the plain text of schema 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Name {
    first: String,
}

fn names(node: &Node) -> Cache<u64, Name> {
    let cache = Cache::builder("users").schema(2).lease_wait(Duration::from_millis(50));
    cache.build(node).unwrap()
}

fn newer(node: &Node) -> WriteBehindBuilder<u64, Name> {
    let ms = Duration::from_millis;
    WriteBehind::builder(&names(node)).interval(ms(10)).sink_timeout(ms(150)).claim_after(ms(300))
}

/// Rows of schema 2 go to the same table as text.
fn rows(table: &Table) -> impl Fn(Vec<Row<u64, Name>>) -> Writing + Send + Sync + 'static + use<> {
    let sink = table.rows();
    move |rows| {
        let text = |row: Row<u64, Name>| Row {
            key: row.key,
            value: format!("2:{}", row.value.first),
            version: row.version,
        };
        sink(rows.into_iter().map(text).collect())
    }
}

fn name(first: &str) -> Name {
    Name { first: first.to_owned() }
}

/// How often Redis has run a command, including in scripts.
async fn n_calls(redis: &Redis, command: &str) -> u64 {
    let stats: String = redis.ask(&["INFO", "commandstats"]).await;
    let head = format!("cmdstat_{command}:calls=");
    let line = stats.lines().find_map(|line| line.strip_prefix(&head));
    line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn each_schema_brings_its_own_values_to_the_source() {
    let redis = Redis::start().await;
    let (old, new) = (onlooker(&redis).await, onlooker(&redis).await);
    let table = Table::new();
    let first = quick(&old).durable(table.rows()).unwrap();
    let second = newer(&new).durable(rows(&table)).unwrap();
    for key in 0..200 {
        first.write(key, "old".into()).await.unwrap();
        second.write(1_000 + key, name("new")).await.unwrap();
    }
    eventually("all are written", async || is_idle(&first, &redis).await).await;
    assert!((0..200).all(|key| table.row(key).as_deref() == Some("old")));
    assert!((0..200).all(|key| table.row(1_000 + key).as_deref() == Some("2:new")));
    assert_eq!((first.report().set_aside, second.report().set_aside), (0, 0));
    eventually("nothing is left to others", async || {
        first.report().other_schema + second.report().other_schema == 0
    })
    .await;
}

#[tokio::test]
async fn values_of_another_schema_wait_counted_for_a_node_that_can_read_them() {
    let redis = Redis::start().await;
    let table = Table::new();
    table.set_down(true);
    let old = onlooker(&redis).await;
    let writes = quick(&old).durable(table.rows()).unwrap();
    for key in 0..2_500 {
        writes.write(key, "old".into()).await.unwrap();
    }
    writes.shutdown(Duration::ZERO).await;
    drop((writes, old));
    table.set_down(false);
    let new = onlooker(&redis).await;
    let second = newer(&new).durable(rows(&table)).unwrap();
    second.write(9_000, name("new")).await.unwrap();
    eventually("its own is written", async || table.row(9_000).is_some()).await;
    eventually("the others are counted", async || second.report().other_schema == 2_500).await;
    assert_eq!((second.report().queued, second.report().set_aside), (2_500, 0));
    assert_eq!(table.applied().len(), 1);
    let drained = second.shutdown(Duration::from_secs(2)).await;
    assert_eq!((drained.waiting, drained.is_complete()), (2_500, false));
    let old = onlooker(&redis).await;
    let writes = quick(&old).durable(table.rows()).unwrap();
    eventually("all are written", async || is_idle(&writes, &redis).await).await;
    assert!((0..2_500).all(|key| table.row(key).as_deref() == Some("old")));
}

#[tokio::test]
async fn rows_that_are_left_to_others_are_not_looked_at_again_and_again() {
    let redis = Redis::start().await;
    let table = Table::held();
    let old = onlooker(&redis).await;
    let writes = quick(&old).interval(Duration::from_secs(3_600)).max_batch(10_000);
    let writes = writes.durable(table.rows()).unwrap();
    for key in 0..1_500 {
        writes.write(key, "old".into()).await.unwrap();
    }
    let new = onlooker(&redis).await;
    let second = newer(&new).durable(rows(&table)).unwrap();
    eventually("they are left", async || second.report().other_schema == 1_500).await;
    let (looks, takes) = (n_calls(&redis, "hget").await, n_calls(&redis, "xreadgroup").await);
    let many = async || n_calls(&redis, "xreadgroup").await >= takes + 50;
    eventually("many takes pass", many).await;
    assert!(n_calls(&redis, "hget").await <= looks + 10);
    drop(writes);
}

#[tokio::test]
async fn older_values_are_migrated_where_a_node_knows_how() {
    let redis = Redis::start().await;
    let table = Table::new();
    table.set_down(true);
    let old = onlooker(&redis).await;
    let writes = quick(&old).durable(table.rows()).unwrap();
    for (key, value) in [(1, "Ada"), (2, "no name"), (3, "panics"), (4, "Grace")] {
        writes.write(key, value.into()).await.unwrap();
    }
    writes.shutdown(Duration::ZERO).await;
    drop((writes, old));
    table.set_down(false);
    let new = onlooker(&redis).await;
    let migrated = newer(&new).interval(Duration::from_millis(200)).migrate(|schema, json| {
        let first: String = serde_json::from_str(json)?;
        assert_ne!(first, "panics");
        match first.contains(' ') {
            true => Err(format!("{first:?} of schema {schema} is no name").into()),
            false => Ok(Name { first }),
        }
    });
    let second = migrated.durable(rows(&table)).unwrap();
    let load = || async { Ok::<_, std::io::Error>(None) };
    let read = second.get_or_load(&1, load).await.unwrap();
    assert_eq!(read.value.as_deref(), Some(&name("Ada")), "readable before it is written");
    eventually("they are written or set aside", async || second.report().aside == 2).await;
    eventually("none waits", async || second.report().queued == 0).await;
    assert_eq!(table.row(1).as_deref(), Some("2:Ada"));
    assert_eq!(table.row(4).as_deref(), Some("2:Grace"));
    let errors: Vec<String> =
        letters(&second).await.into_iter().map(|letter| letter.reason).collect();
    assert!(errors.iter().any(|error| error.contains("is no name")), "{errors:?}");
    assert!(errors.iter().any(|error| error.contains("panicked")), "{errors:?}");
}

#[tokio::test]
async fn an_older_row_is_not_kept_where_a_newer_value_waits_that_cannot_be_read() {
    let redis = Redis::start().await;
    let (old, new) = (onlooker(&redis).await, onlooker(&redis).await);
    let table = Table::held();
    let writes = quick(&old).sink_timeout(Duration::from_secs(3_600));
    let writes = writes.durable(table.rows()).unwrap();
    let second = newer(&new).durable(rows(&table)).unwrap();
    writes.write(1, "newest".into()).await.unwrap();
    table.entered().await;
    let load = || async { Ok::<_, std::io::Error>(Some(name("older"))) };
    let read = second.get_or_load(&1, load).await.unwrap();
    assert!(read.expires_in.is_some_and(|left| left <= Duration::from_secs(1)), "{read:?}");
    table.release();
    eventually("it is written", async || is_idle(&writes, &redis).await).await;
    let load = || async { Ok::<_, std::io::Error>(Some(name("newest"))) };
    eventually("and read", async || {
        second.get_or_load(&1, load).await.unwrap().value.as_deref() == Some(&name("newest"))
    })
    .await;
}

#[tokio::test]
async fn a_value_that_another_schema_replaces_while_it_waits_is_written_by_that_schemas_node() {
    let redis = Redis::start().await;
    let table = Table::new();
    table.set_down(true);
    let old = onlooker(&redis).await;
    let writes = quick(&old).durable(table.rows()).unwrap();
    writes.write(1, "old".into()).await.unwrap();
    writes.shutdown(Duration::ZERO).await;
    drop((writes, old));
    let new = onlooker(&redis).await;
    let second = newer(&new).durable(rows(&table)).unwrap();
    eventually("it is left", async || second.report().other_schema == 1).await;
    table.set_down(false);
    second.write(1, name("new")).await.unwrap();
    eventually("the newer is written", async || table.row(1).as_deref() == Some("2:new")).await;
    let values = format!("{STREAM}:values");
    let n_values = async || redis.ask::<u64>(&["HLEN", &values]).await;
    eventually("and has ended", async || n_values().await == 0).await;
}
