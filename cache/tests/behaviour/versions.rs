//! Row versions: no level replaces a newer row by an older one.

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

/// A node whose L1 holds row 5, while L2 holds row 4, loaded by a node whose source lags behind.
struct OlderInL2 {
    redis: Redis,
    here: Cache<u64, String>,
    _nodes: [Node; 2],
}

impl OlderInL2 {
    async fn with(time_to_live: Duration) -> Self {
        let redis = Redis::start().await;
        let nodes = [redis.node("1").await, redis.node("2").await];
        let builder = Cache::builder("users").time_to_live(time_to_live).jitter(0.0);
        let builder = builder.grace(Duration::from_secs(60)).lease_wait(Duration::ZERO);
        let here: Cache<u64, String> = builder.build(&nodes[0]).unwrap();
        let there: Cache<u64, String> = Cache::builder("users").build(&nodes[1]).unwrap();
        // Without the lease it does not write its row to L2.
        let () = redis.ask(&["SET", "{test}:users:1", "lease:of-another"]).await;
        here.get_or_load_entry(&1, async || Ok::<_, Error>(Some(row(5)))).await.unwrap();
        let () = redis.ask(&["DEL", "{test}:users:1"]).await;
        there.get_or_load_entry(&1, async || Ok::<_, Error>(Some(row(4)))).await.unwrap();
        Self { redis, here, _nodes: nodes }
    }

    fn value(read: strata_cache::Read<String>) -> (Outcome, Option<String>) {
        (read.outcome, read.value.map(|value| value.as_ref().clone()))
    }
}

const EXPIRED: Duration = Duration::from_millis(1);

#[tokio::test]
async fn an_older_row_in_l2_is_loaded_anew_and_not_read_after_a_newer_one() {
    let older = OlderInL2::with(EXPIRED).await;
    let newest = async || Ok::<_, Error>(Some(row(5)));
    let read = older.here.get_or_load_entry(&1, newest).await.unwrap();
    assert_eq!(OlderInL2::value(read), (Outcome::Loaded, Some("v5".to_owned())));
    let third = Cache::<u64, String>::builder("users").build(&older.redis.node("3").await).unwrap();
    let read = third.get(&1).await;
    assert_eq!(OlderInL2::value(read), (Outcome::L2Hit, Some("v5".to_owned())), "L2 has it");
}

#[tokio::test]
async fn many_keys_at_once_bring_no_older_row_back_either() {
    let older = OlderInL2::with(EXPIRED).await;
    let rows = |keys: Vec<u64>| async move {
        Ok::<_, Error>(keys.into_iter().map(|key| (key, row(5))).collect())
    };
    let read = older.here.get_many_entries(&[1, 2], rows).await.remove(0).unwrap();
    assert_eq!(OlderInL2::value(read), (Outcome::Loaded, Some("v5".to_owned())));
}

#[tokio::test]
async fn a_read_without_a_load_answers_nothing_rather_than_an_older_row() {
    let older = OlderInL2::with(EXPIRED).await;
    assert_eq!(OlderInL2::value(older.here.get(&1).await), (Outcome::Missed, None));
}

#[tokio::test]
async fn a_source_that_lags_as_well_leaves_the_newer_row_standing_in() {
    let older = OlderInL2::with(EXPIRED).await;
    let lagging = async || Ok::<_, Error>(Some(row(4)));
    let read = older.here.get_or_load_entry(&1, lagging).await.unwrap();
    assert_eq!(OlderInL2::value(read), (Outcome::Stale, Some("v5".to_owned())));
}

#[tokio::test]
async fn a_soft_invalidation_brings_no_older_row_back() {
    let older = OlderInL2::with(Duration::from_secs(60)).await;
    older.here.invalidate_softly(&1).await;
    let lagging = async || Ok::<_, Error>(Some(row(4)));
    for _ in 0..3 {
        let read = older.here.get_or_load_entry(&1, lagging).await.unwrap();
        assert_eq!(OlderInL2::value(read), (Outcome::Stale, Some("v5".to_owned())));
    }
}

#[tokio::test]
async fn a_refresh_ahead_brings_no_older_row_back() {
    let redis = Redis::start().await;
    let hour = Duration::from_secs(3_600);
    let build = |node: &Node| -> Cache<u64, String> {
        let builder = Cache::builder("users").time_to_live(hour).jitter(0.0).refresh_ahead(1_000.0);
        builder.lease_wait(Duration::ZERO).build(node).unwrap()
    };
    let nodes = [redis.node("1").await, redis.node("2").await];
    let [here, there] = [build(&nodes[0]), build(&nodes[1])];
    let () = redis.ask(&["SET", "{test}:users:1", "lease:of-another"]).await;
    let dear = async || {
        tokio::time::sleep(Duration::from_millis(3_600)).await;
        Ok::<_, Error>(Some(row(5)))
    };
    here.get_or_load_entry(&1, dear).await.unwrap();
    let () = redis.ask(&["DEL", "{test}:users:1"]).await;
    let lagging = async || Ok::<_, Error>(Some(row(4)));
    there.get_or_load_entry(&1, lagging).await.unwrap();
    for _ in 0..100 {
        let read = here.get_or_load_entry(&1, lagging).await.unwrap();
        assert_eq!(read.value.unwrap().as_str(), "v5");
        tokio::task::yield_now().await;
    }
}

/// The row may have been deleted and made anew, with versions that begin anew.
#[tokio::test]
async fn an_invalidation_forgets_the_version() {
    let cache: Cache<u64, String> = Cache::builder("users").build(&lonely_node().await).unwrap();
    cache.write_through_entry(&1, async { Ok::<_, Error>(row(6)) }).await.unwrap();
    cache.clear().await;
    let anew = async || Ok::<_, Error>(Some(row(1)));
    assert_eq!(cache.get_or_load_entry(&1, anew).await.unwrap().outcome, Outcome::Loaded);
    assert_eq!(cache.get_or_load_entry(&1, anew).await.unwrap().outcome, Outcome::L1Hit);
}
