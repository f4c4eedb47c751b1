//! Another node's invalidation meets a key whose own code panics on this node.

use strata_cache::report::Outcome;
use strata_cache::{Cache, Pattern};

use super::touchy::{Code, Touchy, arm};
use super::{Row, all_run, named, report_of};
use crate::support::ways::onlooker;
use crate::support::{Redis, eventually};

/// The other node's operation on the key.
enum Said {
    Key,
    Softly,
    Pattern,
}

/// The key's code panics on this node while another announces a change. No later read is older.
async fn is_heard(key: u64, code: Code, said: Said) -> u64 {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    let (here, beside): (Cache<Touchy, u64>, Cache<Touchy, u64>) =
        (named(&one, "users"), named(&one, "posts"));
    let there: Cache<u64, u64> = named(&two, "users");
    let row = Row::default();
    row.read(&here, &Touchy(key)).await;
    row.read(&beside, &Touchy(key + 1)).await;
    row.write(7);
    {
        let _armed = arm(key, code);
        match said {
            Said::Key => drop(there.invalidate(&key).await),
            Said::Softly => drop(there.invalidate_softly(&key).await),
            Said::Pattern => drop(there.invalidate_pattern(&Pattern::parse("*").unwrap()).await),
        }
        let last = two.bus_sequence().await.unwrap();
        assert!(one.has_heard(last, crate::support::ways::LONG).await, "{code:?}: it listens");
    }
    eventually("the newer row is read", async || row.value(&here, &Touchy(key)).await == 7).await;
    assert_eq!(row.read(&beside, &Touchy(key + 1)).await.0, Outcome::L1Hit, "{code:?}: posts");
    row.write(8);
    there.invalidate(&key).await;
    eventually("it hears on", async || row.value(&here, &Touchy(key)).await == 8).await;
    // A machine that is busy for a second makes a node connect anew.
    eventually("it listens still", async || one.report().bus.connected).await;
    let report = one.report();
    assert!(all_run(&report), "{code:?}: {:?}", report.tasks);
    assert_eq!(report.bus.gaps, 0, "{code:?}: the bus itself has no gap");
    assert_eq!(report_of(&one, "posts").gaps, 0, "{code:?}");
    let users = report_of(&one, "users");
    assert!(users.panics > 0, "{code:?}");
    users.gaps
}

#[tokio::test]
async fn a_text_whose_parsing_panics_is_a_gap_of_its_cache_alone() {
    assert_eq!(is_heard(1_010, Code::Parsing, Said::Key).await, 1);
}

#[tokio::test]
async fn a_key_whose_hashing_panics_is_a_gap_of_its_cache_alone() {
    assert_eq!(is_heard(1_020, Code::Hashing, Said::Key).await, 1);
}

#[tokio::test]
async fn a_key_whose_comparison_panics_is_a_gap_of_its_cache_alone() {
    assert_eq!(is_heard(1_030, Code::Comparing, Said::Key).await, 1);
}

#[tokio::test]
async fn a_key_that_is_only_noted_by_its_text_may_panic_there() {
    assert_eq!(is_heard(1_040, Code::Printing, Said::Key).await, 0);
}

#[tokio::test]
async fn a_soft_invalidation_that_meets_a_panic_is_a_gap_of_its_cache_alone() {
    assert_eq!(is_heard(1_050, Code::Parsing, Said::Softly).await, 1);
    assert_eq!(is_heard(1_060, Code::Cloning, Said::Softly).await, 1);
}

#[tokio::test]
async fn a_pattern_that_meets_a_text_whose_printing_panics_drops_it_all_the_same() {
    is_heard(1_070, Code::Printing, Said::Pattern).await;
}
