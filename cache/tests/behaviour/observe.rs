//! The recorder around moka caches that a service already has.

use std::io::Error;
#[cfg(feature = "future")]
use std::sync::Arc;

#[cfg(feature = "future")]
use std::time::Duration;

use strata_cache::report::Effect;
use strata_cache::{BuildError, CacheError, Node, Observed, Observer, Pattern, Target};
#[cfg(feature = "future")]
use tokio::sync::Semaphore;

#[cfg(feature = "future")]
use crate::support::eventually;
use crate::support::lonely_node;

type Sync = Observed<moka::sync::Cache<String, u32>>;

fn sync(node: &Node, capacity: u64) -> Sync {
    let observer = Observer::new(node, "prices").unwrap();
    let builder = moka::sync::Cache::builder().max_capacity(capacity);
    let moka = builder.eviction_listener(observer.listener()).build();
    observer.observe_keys(moka)
}

#[tokio::test]
async fn every_read_of_a_sync_cache_has_its_outcome() {
    let node = lonely_node().await;
    let prices = sync(&node, 100);
    assert_eq!(prices.get("tea"), None);
    assert_eq!(prices.get_with("tea".to_owned(), || 3), 3);
    assert_eq!(prices.get_with("tea".to_owned(), || 4), 3);
    assert_eq!(prices.get("tea"), Some(3));
    let failed = prices.try_get_with("milk".to_owned(), || Err(Error::other("down")));
    assert_eq!(failed.unwrap_err().to_string(), "down");
    assert_eq!(prices.try_get_with("milk".to_owned(), || Ok::<_, Error>(1)).unwrap(), 1);
    prices.inner().run_pending_tasks();
    let report = node.report().caches.remove(0);
    assert_eq!(report.outcomes, prices.report().outcomes);
    let outcomes = report.outcomes;
    assert_eq!((outcomes.missed, outcomes.loaded), (1, 2));
    assert_eq!((outcomes.l1_hit, outcomes.failed), (2, 1));
    assert_eq!((report.loads.success.count(), report.loads.failure.count()), (2, 1));
    assert_eq!((report.loads.in_flight, report.l1.puts, report.l1.entries), (0, 2, 2));
}

#[tokio::test]
async fn what_leaves_an_observed_cache_has_a_cause_and_an_age() {
    let node = lonely_node().await;
    let prices = sync(&node, 1_000);
    for price in [1, 2] {
        prices.insert("tea".to_owned(), price);
    }
    prices.invalidate("tea");
    prices.inner().run_pending_tasks();
    let l1 = prices.report().l1;
    assert_eq!((l1.evictions.replaced, l1.evictions.explicit), (1, 1));
    assert_eq!((l1.ages_ms.replaced.count(), l1.ages_ms.explicit.count()), (1, 1));
}

#[tokio::test]
async fn newcomers_that_moka_refuses_are_told_apart_from_entries_that_it_displaces() {
    let node = lonely_node().await;
    let prices = sync(&node, 10);
    for key in 0..10 {
        prices.insert(key.to_string(), key);
        for _ in 0..10 {
            prices.get(key.to_string().as_str());
        }
    }
    prices.inner().run_pending_tasks();
    (100..200).for_each(|key| prices.insert(key.to_string(), key));
    prices.inner().run_pending_tasks();
    let evictions = prices.report().l1.evictions;
    assert_eq!((evictions.refused, evictions.size), (100, 0));
    assert_eq!(prices.report().l1.entries, 10);
}

#[cfg(feature = "future")]
#[tokio::test]
async fn those_who_wait_for_another_readers_load_are_coalesced() {
    let node = lonely_node().await;
    let observer = Observer::new(&node, "prices").unwrap();
    let builder = moka::future::Cache::builder().max_capacity(100);
    let moka = builder.eviction_listener(observer.listener()).build();
    let prices = observer.observe(moka);
    let gate = Arc::new(Semaphore::new(0));
    let readers: Vec<_> = (0..10)
        .map(|_| {
            let (prices, gate) = (prices.clone(), Arc::clone(&gate));
            tokio::spawn(async move {
                let load = async { gate.acquire().await.map(|_| 3).map_err(Error::other) };
                prices.try_get_with(7_u64, load).await.unwrap()
            })
        })
        .collect();
    eventually("a load runs", async || prices.report().loads.in_flight == 1).await;
    gate.add_permits(1);
    for reader in readers {
        assert_eq!(reader.await.unwrap(), 3);
    }
    assert_eq!(prices.get_with(7, async { 4 }).await, 3);
    let report = prices.report();
    assert_eq!((report.outcomes.loaded, report.outcomes.coalesced), (1, 9));
    assert_eq!((report.outcomes.l1_hit, report.loads.in_flight), (1, 0));
    assert_eq!(report.hot_keys, None, "these keys have no text");
}

#[cfg(feature = "future")]
#[tokio::test]
async fn a_reader_who_goes_away_counts_as_failed_and_leaves_no_load_behind() {
    let node = lonely_node().await;
    let observer = Observer::new(&node, "prices").unwrap();
    let prices = observer.observe(moka::future::Cache::<u64, u32>::new(100));
    let reading = prices.get_with(7, std::future::pending());
    let waited = tokio::time::timeout(Duration::from_millis(1), reading).await;
    assert!(waited.is_err());
    let report = prices.report();
    assert_eq!((report.outcomes.failed, report.outcomes.reads()), (1, 1));
    assert_eq!((report.loads.in_flight, report.loads.failure.count()), (0, 0));
}

#[tokio::test]
async fn a_console_finds_and_invalidates_keys_by_their_text() {
    let node = lonely_node().await;
    let prices = sync(&node, 100);
    for key in ["tea:1", "tea:2", "milk:1"] {
        prices.insert(key.to_owned(), 1);
    }
    let tea = Pattern::prefix("tea:");
    prices.inner().run_pending_tasks();
    assert_eq!(prices.report().l1.entries, 3);
    assert_eq!(node.match_l1("prices", &tea, 1).await.unwrap().0, 2);
    assert!(node.look_l1("prices", "tea:1").await.unwrap().is_some());
    assert_eq!(node.invalidate("prices", Target::key("milk:1")).await.unwrap(), Effect::Off);
    node.invalidate("prices", Target::Pattern(tea.clone())).await.unwrap();
    assert_eq!(node.look_l1("prices", "tea:1").await.unwrap(), None);
    prices.inner().run_pending_tasks();
    let report = prices.report();
    assert_eq!((report.l1.entries, report.invalidations.l1_removed), (0, 3));
    assert_eq!(report.outcomes.reads(), 0, "looking is not reading");
}

#[tokio::test]
async fn keys_without_a_text_are_not_looked_for() {
    let node = lonely_node().await;
    let observer = Observer::new(&node, "pairs").unwrap();
    let pairs = observer.observe(moka::sync::Cache::<(u8, u8), u32>::new(100));
    pairs.insert((1, 2), 3);
    let looked = node.look_l1("pairs", "(1, 2)").await;
    assert_eq!(looked, Err(CacheError::NoKeyText("pairs".to_owned())));
    assert_eq!(pairs.get(&(1, 2)), Some(3));
}

#[tokio::test]
async fn a_name_is_taken_while_its_cache_is_observed() {
    let node = lonely_node().await;
    let prices = sync(&node, 100);
    let again = Observer::new(&node, "prices");
    assert!(matches!(again, Err(BuildError::DuplicateName(_))));
    drop(prices);
    assert!(node.report().caches.is_empty());
    assert!(Observer::new(&node, "prices").is_ok());
}
