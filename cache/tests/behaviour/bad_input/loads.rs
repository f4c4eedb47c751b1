//! Loads that misbehave.

use std::collections::HashMap;
use std::future::{pending, ready};
use std::io::Error;
use std::time::Duration;

use strata_cache::report::Outcome;
use strata_cache::{Cache, LoadError, Node};

use crate::support::ways::onlooker;
use crate::support::{Redis, Source, eventually};

fn users(node: &Node) -> Cache<u64, String> {
    Cache::builder("users").build(node).unwrap()
}

async fn leaves_no_lease(redis: &Redis) {
    eventually("no lease stays", async || !redis.ask::<bool>(&["EXISTS", "{test}:users:1"]).await)
        .await;
    let elsewhere = users(&onlooker(redis).await);
    assert_eq!(Source::new().read(&elsewhere, 1).await.outcome, Outcome::Loaded);
    assert!(redis.ask::<bool>(&["EXISTS", "{test}:users:1"]).await, "kept in L2 again");
}

#[tokio::test]
async fn a_load_that_is_done_before_it_begins_is_a_load_like_any_other() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let cache = users(&node);
    let at_once = || ready(Ok::<_, Error>(Some("here".to_owned())));
    assert_eq!(cache.get_or_load(&1, at_once).await.unwrap().outcome, Outcome::Loaded);
    assert_eq!(cache.get_or_load(&1, at_once).await.unwrap().outcome, Outcome::L1Hit);
}

#[tokio::test]
async fn a_load_that_panics_before_it_makes_a_future_leaves_no_lease() {
    type Loading = std::future::Ready<Result<Option<String>, Error>>;
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let cache = users(&node);
    let panicked = cache.get_or_load(&1, || -> Loading { panic!("no connection") }).await;
    assert!(matches!(panicked, Err(LoadError::Panicked)));
    leaves_no_lease(&redis).await;
}

#[tokio::test]
async fn a_load_that_panics_while_it_runs_leaves_no_lease() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let cache = users(&node);
    let load = || async {
        tokio::task::yield_now().await;
        panic!("row without a name") as Result<Option<String>, Error>
    };
    assert!(matches!(cache.get_or_load(&1, load).await, Err(LoadError::Panicked)));
    leaves_no_lease(&redis).await;
}

#[tokio::test]
async fn a_load_that_never_returns_is_given_up_and_leaves_no_lease() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let timeout = Duration::from_millis(300);
    let cache: Cache<u64, String> =
        Cache::builder("users").load_timeout(timeout).build(&node).unwrap();
    let never = || pending::<Result<Option<String>, Error>>();
    assert!(matches!(cache.get_or_load(&1, never).await, Err(LoadError::TimedOut)));
    eventually("it is given up", async || cache.report().loads.failure.count() == 1).await;
    leaves_no_lease(&redis).await;
}

#[tokio::test]
async fn a_load_of_many_keys_that_panics_fails_them_all_and_leaves_no_lease() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let cache = users(&node);
    let load = |_| async { panic!("out of range") as Result<HashMap<u64, String>, Error> };
    let reads = cache.get_many(&[1, 2, 1], load).await;
    assert!(reads.iter().all(|read| matches!(read, Err(LoadError::Panicked))));
    assert_eq!(cache.report().outcomes.failed, 3);
    leaves_no_lease(&redis).await;
}

#[tokio::test]
async fn what_nobody_asked_for_is_not_kept() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let cache = users(&node);
    let generous = |_| ready(Ok::<_, Error>((0..9).map(|key| (key, key.to_string())).collect()));
    let reads = cache.get_many(&[1], generous).await;
    assert_eq!(reads[0].as_ref().unwrap().value.as_deref(), Some(&"1".to_owned()));
    assert_eq!(cache.get(&2).await.outcome, Outcome::Missed);
}

#[tokio::test]
async fn to_read_no_keys_asks_nobody() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let cache = users(&node);
    let asked = |_| async { panic!("asked") as Result<HashMap<u64, String>, Error> };
    assert!(cache.get_many(&[], asked).await.is_empty());
    assert_eq!(cache.report().outcomes.reads(), 0);
}
