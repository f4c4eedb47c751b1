//! Statistics: hot keys, events, evictions. A panic there affects no operation.

use std::sync::Arc;

use moka::notification::RemovalCause;
use strata_cache::report::Outcome;
use strata_cache::{Cache, Observer};

use super::touchy::{Code, Fragile, Touchy, arm};
use super::{Row, all_run, named, report_of};
use crate::support::{eventually, lonely_node};

/// Enough reads that some are certainly sampled.
const MANY: usize = 5_000;

#[tokio::test]
async fn a_hit_of_a_key_that_cannot_be_printed_is_a_hit() {
    let node = lonely_node().await;
    let cache: Cache<Touchy, u64> = named(&node, "users");
    let row = Row::default();
    let keys = 3_010..3_060;
    for key in keys.clone() {
        row.read(&cache, &Touchy(key)).await;
    }
    {
        let _armed: Vec<_> = keys.clone().map(|key| arm(key, Code::Printing)).collect();
        for key in keys.cycle().take(MANY) {
            assert_eq!(row.read(&cache, &Touchy(key)).await.0, Outcome::L1Hit);
        }
    }
    row.read(&cache, &Touchy(3_061)).await;
    for _ in 0..MANY {
        row.read(&cache, &Touchy(3_061)).await;
    }
    let report = report_of(&node, "users");
    assert!(report.panics > 0);
    let hot = report.hot_keys.unwrap().keys;
    assert!(hot.iter().any(|hot| hot.key == "3061"), "keys are counted on: {hot:?}");
}

#[tokio::test]
async fn evictions_are_counted_on_after_one_whose_key_panics() {
    for (first, code) in [(3_110, Code::Printing), (3_210, Code::Hashing)] {
        let node = lonely_node().await;
        let cache: Cache<Touchy, u64> = named(&node, "users");
        let explicit = || report_of(&node, "users").l1.evictions.explicit;
        let row = Row::default();
        row.read(&cache, &Touchy(first)).await;
        {
            let _armed = arm(first, code);
            cache.clear().await;
            let panicked = async || report_of(&node, "users").panics > 0;
            eventually("its removal panics", panicked).await;
        }
        eventually("it leaves", async || report_of(&node, "users").l1.entries == 0).await;
        let before = explicit();
        row.read(&cache, &Touchy(first + 1)).await;
        cache.clear().await;
        eventually("the next one is counted", async || explicit() > before).await;
        assert!(all_run(&node.report()), "{code:?}");
    }
}

/// moka never again calls a listener that has panicked.
#[tokio::test]
async fn the_listener_of_an_observed_cache_never_panics() {
    let node = lonely_node().await;
    let observer = Observer::new(&node, "prices").unwrap();
    let listener = observer.listener();
    let _prices = observer.observe(moka::sync::Cache::<Touchy, Fragile>::new(10));
    let removed = |key, value| {
        listener(Arc::new(Touchy(key)), Fragile(value), RemovalCause::Explicit);
        (report_of(&node, "prices").l1.evictions.explicit, report_of(&node, "prices").panics)
    };
    let _armed = [arm(3_310, Code::Hashing), arm(3_320, Code::Dropping)];
    assert_eq!(removed(3_310, 3_311), (0, 1));
    assert_eq!(removed(3_312, 3_320), (1, 2));
    assert_eq!(removed(3_312, 3_313), (2, 2));
}

#[tokio::test]
async fn a_read_of_an_observed_cache_whose_key_cannot_be_printed_is_answered() {
    let node = lonely_node().await;
    let prices = Observer::new(&node, "prices").unwrap();
    let prices = prices.observe_keys(moka::sync::Cache::<Touchy, u64>::new(10));
    prices.insert(Touchy(3_410), 1);
    let _armed = arm(3_410, Code::Printing);
    for _ in 0..MANY {
        assert_eq!(prices.get_with(Touchy(3_410), || 2), 1);
    }
}
