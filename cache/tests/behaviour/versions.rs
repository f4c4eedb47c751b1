//! Row versions: no level gives a newer row up for an older one.

use std::io::Error;
use std::time::Duration;

use strata_cache::report::Outcome;
use strata_cache::{Cache, LoadError, Loaded, Node};
use tokio::sync::oneshot;

use crate::support::{Redis, lonely_node};

fn row(version: u64) -> Loaded<String> {
    Loaded::from(format!("v{version}")).version(version)
}

fn refreshing(node: &Node) -> Cache<u64, String> {
    let cache = Cache::builder("users").time_to_live(Duration::from_millis(1));
    cache.grace(Duration::from_secs(60)).build(node).unwrap()
}

#[tokio::test]
async fn a_source_that_lags_behind_does_not_bring_an_older_row_back() {
    let redis = Redis::start().await;
    for node in [lonely_node().await, redis.node("1").await] {
        let cache = refreshing(&node);
        cache.write_through_entry(&1, async { Ok::<_, Error>(row(6)) }).await.unwrap();
        cache.invalidate_softly(&1).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
        let lagging = async || Ok::<_, Error>(Some(row(5)));
        for _ in 0..3 {
            let read = cache.get_or_load_entry(&1, lagging).await.unwrap();
            assert_eq!(read.value.unwrap().as_str(), "v6");
            assert_eq!(read.outcome, Outcome::Stale);
        }
    }
}

#[tokio::test]
async fn a_write_that_lost_the_race_leaves_the_newer_row_in_l2() {
    let redis = Redis::start().await;
    let (here, there) = (redis.node("1").await, redis.node("2").await);
    let [here, there]: [Cache<u64, String>; 2] =
        [&here, &there].map(|node| Cache::builder("users").build(node).unwrap());
    let (committed, go_on) = oneshot::channel::<()>();
    let slow = tokio::spawn({
        let here = here.clone();
        async move {
            let write = async {
                go_on.await.unwrap();
                Ok::<_, Error>(row(1))
            };
            here.write_through_entry(&1, write).await.unwrap()
        }
    });
    // The slow write has taken the lease, and the fast one takes it away.
    while redis.ask::<Option<String>>(&["GET", "{test}:users:1"]).await.is_none() {
        tokio::task::yield_now().await;
    }
    there.write_through_entry(&1, async { Ok::<_, Error>(row(2)) }).await.unwrap();
    committed.send(()).unwrap();
    slow.await.unwrap();
    let read = here.get(&1).await;
    assert_eq!((read.outcome, read.value.unwrap().as_str()), (Outcome::L2Hit, "v2"));
}

#[tokio::test]
async fn without_anything_to_stand_in_the_older_row_is_served() {
    let cache: Cache<u64, String> = Cache::builder("users").build(&lonely_node().await).unwrap();
    cache.write_through_entry(&1, async { Ok::<_, Error>(row(6)) }).await.unwrap();
    cache.invalidate(&1).await;
    let read = cache.get_or_load_entry(&1, async || Ok::<_, Error>(Some(row(5)))).await;
    assert_eq!(read.map(|read| read.outcome).map_err(|_: LoadError| ()), Ok(Outcome::Loaded));
}

/// The source may have committed, and only its answer was lost.
#[tokio::test]
async fn a_write_that_ends_in_an_error_invalidates_its_key() {
    let cache: Cache<u64, String> = Cache::builder("users").build(&lonely_node().await).unwrap();
    cache.insert(&1, "old".to_owned()).await;
    let failed = cache.write_through(&1, async { Err::<String, _>(Error::other("no answer")) });
    assert!(failed.await.is_err());
    assert_eq!(cache.get(&1).await.outcome, Outcome::Missed);
}
