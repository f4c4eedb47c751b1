//! A reader that asks L2 itself, before there is a flight. It may go away, meet other readers, or
//! panic.

use std::collections::HashMap;
use std::io::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use strata_cache::holds::{Hold, Side, Step};
use strata_cache::report::{Outcome, Outcomes};
use strata_cache::{Cache, LoadError, Node};

use crate::support::{Redis, Source, cache, eventually};

fn outcomes(node: &Node) -> Outcomes {
    node.report().caches[0].outcomes
}

fn held_at_get(node: &Node) -> Hold {
    node.holds().hold(Step::Get, Side::Before)
}

#[tokio::test]
async fn what_a_reader_began_goes_on_when_it_goes_away() {
    let redis = Redis::start().await;
    let node = redis.node("1").await;
    let (cache, source) = (cache(&node), Source::new());
    let hold = held_at_get(&node);
    let reading = tokio::spawn({
        let (cache, source) = (cache.clone(), source.clone());
        async move { source.read(&cache, 1).await }
    });
    hold.arrived().await;
    reading.abort();
    assert!(reading.await.unwrap_err().is_cancelled());
    drop(hold);
    eventually("the load goes on", async || source.loads() == 1).await;
    assert_eq!(source.value(&cache, 1).await, "0");
    assert_eq!((source.loads(), outcomes(&node).failed), (1, 1));
}

#[tokio::test]
async fn each_read_of_a_batch_that_goes_away_is_counted_once() {
    let redis = Redis::start().await;
    let node = redis.node("1").await;
    let cache = cache(&node);
    let hold = held_at_get(&node);
    let reading = tokio::spawn({
        let cache = cache.clone();
        async move { cache.get_many(&[1, 2, 1, 1], |_| async { Ok::<_, Error>(HashMap::new()) }).await }
    });
    hold.arrived().await;
    reading.abort();
    assert!(reading.await.unwrap_err().is_cancelled());
    drop(hold);
    assert_eq!((outcomes(&node).failed, outcomes(&node).reads()), (4, 4));
}

#[tokio::test]
async fn a_key_asked_for_twice_in_one_call_is_read_from_l2_once() {
    let redis = Redis::start().await;
    let (one, two) = (redis.node("1").await, redis.node("2").await);
    let (here, there) = (cache(&one), cache(&two));
    Source::new().read(&here, 1).await;
    let reads = there.get_many(&[1, 1], |_| async { Ok::<_, Error>(HashMap::new()) }).await;
    let outcomes: Vec<Outcome> = reads.into_iter().map(|read| read.unwrap().outcome).collect();
    assert_eq!(outcomes, [Outcome::L2Hit, Outcome::Coalesced]);
    assert_eq!(two.report().caches[0].l2_gets.hit, 1);
}

#[tokio::test]
async fn who_comes_while_a_reader_asks_l2_does_not_wait_for_it() {
    let redis = Redis::start().await;
    let node = redis.node("1").await;
    let (cache, source) = (cache(&node), Source::new());
    let hold = held_at_get(&node);
    let mut stalled = Box::pin(source.read(&cache, 1));
    // It is polled once, until it asks L2. After that it is not polled any more.
    tokio::select! {
        biased;
        _ = &mut stalled => panic!("nothing holds the reader up"),
        () = hold.arrived() => {}
    }
    drop(hold);
    assert_eq!(source.value(&cache, 1).await, "0");
    drop(stalled);
    assert_eq!((source.loads(), outcomes(&node).failed), (1, 1));
}

#[tokio::test]
async fn a_weigher_that_panics_fails_the_read_and_not_the_reader() {
    let redis = Redis::start().await;
    let (one, two) = (redis.node("1").await, redis.node("2").await);
    Source::new().read(&cache(&one), 1).await;
    let breaks = |_: &u64, _: &String| -> u32 { panic!("no scales") };
    let builder = Cache::<u64, String>::builder("users").l1_weight(1_000, breaks);
    let there = builder.build(&two).unwrap();
    let read = there.get_or_load(&1, || async { Ok::<_, Error>(None) }).await;
    assert!(matches!(read, Err(LoadError::Panicked)), "{read:?}");
    assert_eq!((outcomes(&two).failed, outcomes(&two).reads()), (1, 1));
}

#[tokio::test]
async fn a_grouping_that_panics_leaves_nobody_waiting() {
    let node = Node::builder("test").start().await.unwrap();
    let breaks = Arc::new(AtomicBool::new(true));
    let grouping = Arc::clone(&breaks);
    let builder = Cache::<u64, String>::builder("users").group_by(move |_| {
        assert!(!grouping.load(Ordering::SeqCst), "no groups");
        "all".to_owned()
    });
    let cache = builder.build(&node).unwrap();
    let source = Source::new();
    let reading = tokio::spawn({
        let (cache, source) = (cache.clone(), source.clone());
        async move { source.read(&cache, 1).await }
    });
    assert!(reading.await.unwrap_err().is_panic());
    breaks.store(false, Ordering::SeqCst);
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::Loaded);
}
