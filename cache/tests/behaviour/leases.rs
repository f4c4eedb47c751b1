//! Waits for leases, and the results of the loads that hold them.

use std::io::Error;
use std::time::Duration;

use strata_cache::holds::{Side, Step};
use strata_cache::report::Outcome;
use strata_cache::{Cache, Loaded, Node, Read};

use crate::support::{Redis, Source, cache, eventually};

const FAR_LONGER: Duration = Duration::from_secs(3_600);

/// Its readers wait as long as necessary.
fn patient(node: &Node) -> Cache<u64, String> {
    Cache::builder("users").load_timeout(FAR_LONGER).build(node).unwrap()
}

async fn tagged(source: Source, cache: Cache<u64, String>, key: u64) -> Read<String> {
    let load = async move || {
        let row = source.load().await?;
        Ok::<_, Error>(row.map(|row| Loaded::from(row).tags(["author:7"])))
    };
    cache.get_or_load_entry(&key, load).await.unwrap()
}

#[tokio::test]
async fn a_key_that_is_written_again_and_again_is_loaded_all_the_same() {
    let redis = Redis::start().await;
    let cache = patient(&redis.hearing_node("1").await);
    let writes = async {
        for write in 0.. {
            let lease = format!("lease:{write}");
            let () = redis.ask(&["SET", "{test}:users:1", &lease]).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let _: () = redis.ask(&["SET", "{test}:users:1", "lease:first"]).await;
    let source = Source::new();
    let read = async {
        tokio::select! {
            read = source.read(&cache, 1) => read,
            () = writes => unreachable!(),
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(30), read).await;
    assert_eq!(read.expect("it does not wait for each of them").outcome, Outcome::Loaded);
}

#[tokio::test]
async fn a_softly_invalidated_entry_whose_row_is_gone_does_not_stay() {
    let redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let builder = Cache::builder("users").negative_time_to_live(Duration::ZERO);
    let here: Cache<u64, String> = builder.build(&one).unwrap();
    Source::new().read(&here, 1).await;
    here.invalidate_softly(&1).await;
    let deleted = || async { Ok::<_, Error>(None) };
    assert_eq!(here.get_or_load(&1, deleted).await.unwrap().outcome, Outcome::Stale);
    eventually("it goes", async || {
        !redis.ask::<bool>(&["EXISTS", "{test}:users:1", "{test}!lease:users:1"]).await
    })
    .await;
    let there = cache(&two).get_or_load(&1, deleted).await.unwrap();
    assert_eq!((there.outcome, there.value), (Outcome::Loaded, None));
    assert_eq!(here.report().l2_refused, 0);
}

/// A node that starts later has heard of no tags, so it must ask Redis.
#[tokio::test]
async fn who_waited_for_an_entry_takes_it_also_where_only_redis_knows_of_its_tags() {
    let redis = Redis::start().await;
    let one = redis.hearing_node("1").await;
    let (here, slow) = (cache(&one), Source::closed());
    for key in [100, 101] {
        // Repeats until Redis has a list of tags.
        tagged(Source::new(), here.clone(), key).await;
    }
    let loading = tokio::spawn(tagged(slow.clone(), here.clone(), 1));
    slow.entered().await;
    here.invalidate(&7).await;
    let two = redis.hearing_node("2").await;
    let (there, other) = (cache(&two), Source::new());
    let waits = two.holds().hold(Step::WaitForLeases, Side::Before);
    let waiting = tokio::spawn(tagged(other.clone(), there, 1));
    waits.arrived().await;
    slow.open();
    assert_eq!(loading.await.unwrap().outcome, Outcome::Loaded);
    assert_eq!(here.report().l2_refused, 0, "it is there");
    drop(waits);
    assert_eq!(waiting.await.unwrap().outcome, Outcome::L2Hit);
    assert_eq!(other.loads(), 0);
}

#[tokio::test]
async fn a_node_whose_loads_wait_for_a_turn_holds_up_no_other() {
    let redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let busy = Cache::builder("users").load_timeout(FAR_LONGER).max_loads(1);
    let (busy, there): (Cache<u64, String>, _) = (busy.build(&one).unwrap(), patient(&two));
    let (slow, unasked, source) = (Source::closed(), Source::new(), Source::new());
    let read = |key, source: &Source| {
        let (busy, source) = (busy.clone(), source.clone());
        tokio::spawn(async move { source.read(&busy, key).await.outcome })
    };
    let running = read(1, &slow);
    slow.entered().await;
    let queued = read(2, &unasked);
    eventually("it waits for its turn", async || busy.report().loads.queued == 1).await;
    assert_eq!(source.read(&there, 2).await.outcome, Outcome::Loaded);
    slow.open();
    assert_eq!(running.await.unwrap(), Outcome::Loaded);
    assert_eq!(queued.await.unwrap(), Outcome::L2Hit);
    assert_eq!(unasked.loads(), 0);
}

#[tokio::test]
async fn the_lease_of_a_write_is_kept_while_that_runs_and_ends_soon_where_its_node_dies() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (cache, source) = (patient(&node), Source::closed());
    let renewal = node.holds().hold(Step::Renew, Side::After);
    let writing = tokio::spawn({
        let (cache, source) = (cache.clone(), source.clone());
        async move {
            let write = async { Ok::<_, Error>(source.load().await?.unwrap_or_default()) };
            cache.write_through(&1, write).await
        }
    });
    source.entered().await;
    let left_ms: u64 = redis.ask(&["PTTL", "{test}:users:1"]).await;
    assert!(left_ms <= 3_000, "{left_ms}");
    renewal.arrived().await;
    drop(renewal);
    source.open();
    writing.await.unwrap().unwrap();
    assert_eq!(Source::new().read(&cache, 1).await.outcome, Outcome::L1Hit);
}
