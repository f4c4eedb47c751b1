//! A key whose own code panics is invalidated, written, or one of many.

use std::collections::HashMap;
use std::io::Error;

use strata_cache::{Cache, LoadError, Node, Pattern};
use tokio_util::sync::CancellationToken;

use super::touchy::{Code, Fragile, Touchy, arm};
use super::{Row, all_run, named, report_of, survived};
use crate::support::ways::onlooker;
use crate::support::{Redis, eventually, lonely_node};

/// The operations on keys, of which the first one's code panics.
#[derive(Clone, Copy, Debug)]
enum Act {
    Invalidate,
    InvalidateMany,
    Soften,
    Pattern,
    Write,
}

/// Two nodes with both keys in every level, and the row behind them.
struct Scene {
    _redis: Redis,
    nodes: [Node; 2],
    here: Cache<Touchy, u64>,
    there: Cache<u64, u64>,
    row: Row,
}

async fn scene(keys: [u64; 2]) -> Scene {
    let redis = Redis::start().await;
    let nodes = [onlooker(&redis).await, onlooker(&redis).await];
    let (here, there) = (named(&nodes[0], "users"), named(&nodes[1], "users"));
    let row = Row::default();
    for key in keys {
        row.read(&here, &Touchy(key)).await;
        row.read(&there, &key).await;
    }
    Scene { _redis: redis, nodes, here, there, row }
}

async fn act(cache: Cache<Touchy, u64>, keys: [Touchy; 2], act: Act) {
    match act {
        Act::Invalidate => drop(cache.invalidate(&keys[0]).await),
        Act::InvalidateMany => drop(cache.invalidate_many(&keys).await),
        Act::Soften => drop(cache.invalidate_softly(&keys[0]).await),
        Act::Pattern => drop(cache.invalidate_pattern(&Pattern::parse("*").unwrap()).await),
        Act::Write => drop(cache.write_through(&keys[0], async { Ok::<_, Error>(7) }).await),
    }
}

/// Wherever the panic happens, no reader sees the older row of any of these keys.
async fn takes_effect(first: u64, code: Code, what: Act) {
    let keys = [first, first + 1];
    let Scene { _redis, nodes, here, there, row } = scene(keys).await;
    row.write(7);
    {
        let _armed = arm(first, code);
        survived(act(here.clone(), keys.map(Touchy), what)).await;
    }
    let n_meant = if matches!(what, Act::InvalidateMany | Act::Pattern) { 2 } else { 1 };
    for key in &keys[..n_meant] {
        let soft = matches!(what, Act::Soften);
        let newest = async || row.value(&here, &Touchy(*key)).await == 7;
        assert!(soft || newest().await, "{code:?}, {what:?}: key {key} on this node");
        eventually(&format!("{code:?}, {what:?}: key {key} here"), newest).await;
        let newest = async || row.value(&there, key).await == 7;
        eventually(&format!("{code:?}, {what:?}: key {key} on the other node"), newest).await;
    }
    assert!(nodes.iter().all(|node| all_run(&node.report())), "{code:?}, {what:?}");
}

#[tokio::test]
async fn an_invalidation_takes_effect_whatever_code_of_the_key_panics() {
    for (first, code) in (2_010..).step_by(10).zip(Code::OF_KEYS) {
        takes_effect(first, code, Act::Invalidate).await;
    }
}

#[tokio::test]
async fn one_bad_key_keeps_no_other_from_being_invalidated() {
    for (first, code) in (2_110..).step_by(10).zip(Code::OF_KEYS) {
        takes_effect(first, code, Act::InvalidateMany).await;
    }
}

#[tokio::test]
async fn a_soft_invalidation_takes_effect_or_fails_before_anything_happens() {
    for (first, code) in (2_210..).step_by(10).zip(Code::OF_KEYS) {
        // Its copy is made on the caller's own stack, before anything else.
        if code != Code::Cloning {
            takes_effect(first, code, Act::Soften).await;
        }
    }
}

#[tokio::test]
async fn a_pattern_takes_effect_whatever_code_of_a_key_panics() {
    for (first, code) in (2_310..).step_by(10).zip(Code::OF_KEYS) {
        takes_effect(first, code, Act::Pattern).await;
    }
}

#[tokio::test]
async fn a_write_of_a_key_whose_text_does_not_read_back_is_read_everywhere() {
    takes_effect(2_410, Code::Parsing, Act::Write).await;
}

#[tokio::test]
async fn a_write_whose_future_panics_after_the_commit_is_invalidated_everywhere() {
    let Scene { _redis, nodes: _nodes, here, there, row } = scene([2_510, 2_511]).await;
    let commit = row.clone();
    let write = async move {
        commit.write(7);
        tokio::task::yield_now().await;
        panic!("after the commit") as Result<u64, Error>
    };
    let writing = here.clone();
    let written =
        tokio::spawn(async move { drop(writing.write_through(&Touchy(2_510), write).await) });
    assert!(written.await.unwrap_err().is_panic(), "the caller is told");
    assert_eq!(row.value(&here, &Touchy(2_510)).await, 7);
    let newest = async || row.value(&there, &2_510).await == 7;
    eventually("the other node hears", newest).await;
}

#[tokio::test]
async fn a_write_that_panics_after_the_commit_is_invalidated_on_a_node_without_redis() {
    let node = lonely_node().await;
    let (cache, row) = (named::<u64>(&node, "users"), Row::default());
    row.read(&cache, &1).await;
    let (commit, writing) = (row.clone(), cache.clone());
    let write = async move {
        commit.write(7);
        panic!("after the commit") as Result<u64, Error>
    };
    survived(async move { drop(writing.write_through(&1, write).await) }).await;
    assert_eq!(row.value(&cache, &1).await, 7);
}

#[tokio::test]
async fn a_write_whose_caller_goes_away_after_the_commit_is_read_everywhere() {
    let Scene { _redis, nodes: _nodes, here, there, row } = scene([2_910, 2_911]).await;
    let (committed, ended) = (CancellationToken::new(), CancellationToken::new());
    let (commit, told, go_on, writing) =
        (row.clone(), committed.clone(), ended.clone(), here.clone());
    let caller = tokio::spawn(async move {
        let write = async move {
            commit.write(7);
            told.cancel();
            go_on.cancelled().await;
            Ok::<_, Error>(7)
        };
        drop(writing.write_through(&Touchy(2_910), write).await);
    });
    committed.cancelled().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    ended.cancel();
    eventually("this node", async || row.value(&here, &Touchy(2_910)).await == 7).await;
    eventually("the other", async || row.value(&there, &2_910).await == 7).await;
}

#[tokio::test]
async fn a_write_whose_runtime_is_dropped_after_the_commit_is_invalidated_everywhere() {
    let Scene { _redis, nodes: _nodes, here, there, row } = scene([2_610, 2_611]).await;
    let committed = CancellationToken::new();
    let other = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (commit, told, writing) = (row.clone(), committed.clone(), here.clone());
    other.spawn(async move {
        let write = async move {
            commit.write(7);
            told.cancel();
            std::future::pending::<Result<u64, Error>>().await
        };
        drop(writing.write_through(&Touchy(2_610), write).await);
    });
    committed.cancelled().await;
    other.shutdown_background();
    eventually("this node", async || row.value(&here, &Touchy(2_610)).await == 7).await;
    eventually("the other", async || row.value(&there, &2_610).await == 7).await;
}

#[tokio::test]
async fn a_value_that_panics_as_it_is_dropped_is_replaced_and_invalidated_like_any_other() {
    let node = lonely_node().await;
    let cache: Cache<u64, Fragile> = Cache::builder("users").build(&node).unwrap();
    let _armed = arm(2_710, Code::Dropping);
    let read = async |row| {
        let load = move || async move { Ok::<_, Error>(Some(Fragile(row))) };
        let read = cache.get_or_load(&1, load).await.unwrap();
        let value = read.value.unwrap();
        let number = value.0;
        // The test's copy must not be dropped last, since the panic would then happen in the test.
        std::mem::forget(value);
        number
    };
    let _ = cache.insert(&1, Fragile(2_710)).await;
    cache.invalidate(&1).await;
    assert_eq!(read(2_711).await, 2_711);
    cache.clear().await;
    assert_eq!(read(2_712).await, 2_712);
    assert!(all_run(&node.report()));
}

#[tokio::test]
async fn of_many_keys_the_one_whose_weighing_panics_fails_alone() {
    let node = lonely_node().await;
    let weigh = |key: &u64, _: &u64| {
        assert_ne!(*key, 1, "no scales");
        1
    };
    let builder = Cache::<u64, u64>::builder("users").l1_weight(1_000, weigh);
    let cache = builder.build(&node).unwrap();
    let load = |keys: Vec<u64>| async move {
        Ok::<_, Error>(keys.into_iter().map(|key| (key, key)).collect::<HashMap<_, _>>())
    };
    let reads = cache.get_many(&[1, 2, 3], load).await;
    assert!(matches!(reads[0], Err(LoadError::Panicked)), "{reads:?}");
    assert_eq!(reads[1..].iter().filter(|read| read.is_ok()).count(), 2, "{reads:?}");
    assert_eq!(report_of(&node, "users").panics, 1);
}

#[tokio::test]
async fn a_flight_whose_key_panics_as_it_ends_is_joined_by_nobody_later() {
    let node = lonely_node().await;
    let cache: Cache<Touchy, u64> = named(&node, "users");
    let load = || async {
        let armed = arm(2_810, Code::Hashing);
        std::mem::forget(armed);
        Ok::<_, Error>(Some(1))
    };
    let failed = cache.get_or_load(&Touchy(2_810), load).await;
    assert!(matches!(failed, Err(LoadError::Panicked)), "{failed:?}");
    drop(super::touchy::Armed::of(2_810, Code::Hashing));
    let row = Row::default();
    row.write(7);
    assert_eq!(row.value(&cache, &Touchy(2_810)).await, 7);
}
