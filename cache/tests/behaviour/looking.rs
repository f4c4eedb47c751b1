//! Looking at a large L1, and removing many entries, delays no task and changes nothing else.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use strata_cache::report::{Effect, Outcome};
use strata_cache::{Cache, CacheBuilder, L1List, Observer, Pattern};

use crate::odd_keys::{self, Odd};

#[cfg(feature = "redis")]
use crate::support::Redis;
use crate::support::{eventually, lonely_node};

type Users = Cache<u64, u64>;

fn users() -> CacheBuilder<u64, u64> {
    Cache::builder("users").l1_entries(1_000_000)
}

async fn fill(cache: &Users, keys: impl Iterator<Item = u64>) {
    let load = async |keys: Vec<u64>| {
        Ok::<_, Infallible>(keys.into_iter().map(|key| (key, key)).collect::<HashMap<_, _>>())
    };
    for read in cache.get_many(&keys.collect::<Vec<_>>(), load).await {
        read.unwrap();
    }
}

async fn outcome(cache: &Users, key: u64) -> Outcome {
    cache.get(&key).await.outcome
}

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).unwrap()
}

/// Runs the work to its end. Returns how often it yielded the thread.
async fn n_pauses<T>(work: impl Future<Output = T>) -> (T, u64) {
    let (mut work, mut n_polls) = (pin!(work), 0);
    let done = poll_fn(|context| {
        n_polls += 1;
        work.as_mut().poll(context)
    });
    (done.await, n_polls - 1)
}

#[tokio::test]
async fn whoever_walks_over_a_large_l1_gives_the_thread_back_again_and_again() {
    const SLICE: u64 = 4_096;
    let node = lonely_node().await;
    let cache = users().time_to_idle(Duration::from_secs(3_600)).build(&node).unwrap();
    fill(&cache, 0..100_000).await;
    let all = pattern("*");
    let list = L1List { pattern: &all, after: Some("5"), limit: 3 };
    let (listed, n_listing) = n_pauses(node.list_l1("users", &list)).await;
    let (n_keys, rows) = listed.unwrap();
    let keys: Vec<&str> = rows.iter().map(|row| &*row.key).collect();
    assert_eq!((n_keys, keys), (100_000, vec!["50", "500", "5000"]));
    let (matched, n_matching) = n_pauses(node.match_l1("users", &pattern("1*"), 2)).await;
    let (n_keys, some) = matched.unwrap();
    assert_eq!((n_keys, some.len()), (11_111, 2));
    let keys = ["7".to_owned(), "none".to_owned()];
    let (among, n_among) = n_pauses(node.among_l1("users", &keys)).await;
    assert_eq!(among.unwrap().len(), 1);
    let (survey, n_survey) = n_pauses(node.survey_l1("users")).await;
    assert_eq!(survey.unwrap().entries, 100_000);
    for n in [n_listing, n_matching, n_among, n_survey] {
        assert!(n >= 100_000 / SLICE, "{n} pauses");
    }
}

#[tokio::test]
async fn looking_at_one_key_walks_only_where_it_would_prolong_an_idle_time() {
    let node = lonely_node().await;
    let cache = users().build(&node).unwrap();
    fill(&cache, 0..50_000).await;
    for key in ["7", "49999", "50000"] {
        let (look, n) = n_pauses(node.look_l1("users", key)).await;
        assert_eq!((look.unwrap().is_some(), n), (key != "50000", 0), "{key}");
    }
    assert_eq!(cache.report().outcomes.l1_hit, 0, "looking is not reading");
}

#[tokio::test]
async fn an_entry_goes_idle_though_a_console_looks_at_it_all_the_time() {
    let node = lonely_node().await;
    let cache = users().time_to_idle(Duration::from_millis(300)).build(&node).unwrap();
    fill(&cache, 0..3).await;
    eventually("it goes idle", async || node.look_l1("users", "1").await.unwrap().is_none()).await;
}

/// Without background work there is never a walk.
#[tokio::test]
async fn what_a_pattern_has_overtaken_answers_no_more_before_a_walk_has_removed_it() {
    let node = lonely_node().await;
    let cache = users().build(&node).unwrap();
    fill(&cache, 0..100).await;
    node.shutdown();
    assert_eq!(cache.invalidate_pattern(&pattern("1*")).await, Effect::Off);
    for key in 0..100 {
        let expected =
            if key.to_string().starts_with('1') { Outcome::Missed } else { Outcome::L1Hit };
        assert_eq!(outcome(&cache, key).await, expected, "{key}");
        let look = node.look_l1("users", &key.to_string()).await.unwrap();
        assert_eq!(look.is_some(), expected == Outcome::L1Hit, "{key}");
    }
    assert_eq!(node.match_l1("users", &pattern("*"), 0).await.unwrap().0, 89);
    fill(&cache, 10..20).await;
    assert_eq!(outcome(&cache, 15).await, Outcome::L1Hit, "it was filled after the pattern");
    assert_eq!(node.match_l1("users", &pattern("1*"), 0).await.unwrap().0, 10);
}

#[tokio::test]
async fn a_walk_removes_what_was_filled_before_the_pattern_and_nothing_else() {
    let node = lonely_node().await;
    let cache = users().build(&node).unwrap();
    fill(&cache, 0..10_000).await;
    cache.invalidate_pattern(&pattern("1*")).await;
    fill(&cache, 1_000..1_100).await;
    let removed = || cache.report().invalidations.l1_removed;
    // If the walk has not reached an entry yet, a new fill overwrites it in place.
    eventually("the rest is removed", async || removed() >= 1_111 - 100).await;
    eventually("moka has counted", async || cache.report().l1.entries == 10_000 - 1_011).await;
    for key in [1_000, 1_099, 2, 9_999] {
        assert_eq!(outcome(&cache, key).await, Outcome::L1Hit, "{key}");
    }
    assert_eq!(outcome(&cache, 1_100).await, Outcome::Missed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_reader_sees_what_a_pattern_has_overtaken_while_walks_come_and_go() {
    const N_KEYS: u64 = 500;
    let node = lonely_node().await;
    let cache: Users = users().build(&node).unwrap();
    let row = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicU64::new(0));
    let began = Arc::new(AtomicU64::new(0));
    let readers: Vec<_> = (0..3)
        .map(|reader| {
            let (cache, row, done) = (cache.clone(), Arc::clone(&row), Arc::clone(&done));
            let began = Arc::clone(&began);
            tokio::spawn(async move {
                let (mut key, mut n_hits) = (reader, 0_u64);
                while done.load(Ordering::SeqCst) < 300 {
                    key = (key + 7) % N_KEYS;
                    let invalidated = done.load(Ordering::SeqCst);
                    let row = Arc::clone(&row);
                    let load = async move || Ok::<_, Infallible>(Some(row.load(Ordering::SeqCst)));
                    let read = cache.get_or_load(&key, load).await.unwrap();
                    let seen = *read.value.unwrap();
                    assert!(seen >= invalidated, "key {key}: {seen} after {invalidated}");
                    if read.outcome == Outcome::L1Hit {
                        n_hits += 1;
                        began.fetch_add(u64::from(n_hits == 1), Ordering::SeqCst);
                    }
                }
                n_hits
            })
        })
        .collect();
    // On a busy machine, readers may not run while this writes.
    while began.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    for n in 1..=300 {
        row.store(n, Ordering::SeqCst);
        // All keys, by patterns that each match a part of them.
        for digit in 0..10 {
            cache.invalidate_pattern(&Pattern::prefix(&digit.to_string())).await;
        }
        done.store(n, Ordering::SeqCst);
    }
    for reader in readers {
        assert!(reader.await.unwrap() > 0, "nothing was read from L1");
    }
}

#[tokio::test]
async fn marking_as_stale_or_a_source_that_fails_brings_nothing_back_that_a_pattern_has_overtaken()
{
    let node = lonely_node().await;
    let (hour, none) = (Duration::from_secs(3_600), Duration::from_millis(1));
    let soft = users().build(&node).unwrap();
    fill(&soft, 0..1).await;
    let failing: Users =
        Cache::builder("failing").time_to_live(none).grace(hour).build(&node).unwrap();
    fill(&failing, 0..1).await;
    node.shutdown();
    for cache in [&soft, &failing] {
        cache.invalidate_pattern(&pattern("*")).await;
    }
    soft.invalidate_softly(&0).await;
    assert_eq!(outcome(&soft, 0).await, Outcome::Missed);
    let load = async || Err::<Option<u64>, _>(std::io::Error::other("down"));
    assert!(failing.get_or_load(&0, load).await.is_err(), "what stood in was invalidated");
}

#[tokio::test]
async fn more_patterns_than_can_wait_empty_the_cache() {
    let node = lonely_node().await;
    let cache = users().build(&node).unwrap();
    fill(&cache, 0..10).await;
    node.shutdown();
    for n in 0..256 {
        cache.invalidate_pattern(&pattern(&format!("none:{n}"))).await;
    }
    cache.invalidate_pattern(&pattern("none:7")).await;
    assert_eq!((outcome(&cache, 7).await, cache.report().gaps), (Outcome::L1Hit, 0));
    cache.invalidate_pattern(&pattern("one too many")).await;
    assert_eq!((outcome(&cache, 7).await, cache.report().gaps > 0), (Outcome::Missed, true));
    fill(&cache, 7..8).await;
    assert_eq!(outcome(&cache, 7).await, Outcome::L1Hit);
}

#[tokio::test]
async fn what_was_emptied_leaves_memory_though_nobody_reads() {
    let node = lonely_node().await;
    let cache = users().build(&node).unwrap();
    fill(&cache, 0..20_000).await;
    eventually("moka has counted", async || cache.report().l1.entries == 20_000).await;
    let (_, n) = n_pauses(cache.clear()).await;
    assert!(n < 10, "{n} pauses: it walked");
    assert_eq!(outcome(&cache, 7).await, Outcome::Missed);
    eventually("L1 is empty", async || cache.report().l1.entries == 0).await;
    let report = cache.report();
    assert_eq!((report.invalidations.l1_removed, report.l1.evictions.explicit), (20_000, 20_000));
}

#[tokio::test]
async fn a_key_that_cannot_be_printed_costs_its_own_row_and_leaves_with_any_pattern() {
    let node = lonely_node().await;
    let cache: Cache<Odd, u64> = Cache::builder("odd").build(&node).unwrap();
    for id in 0..100 {
        let load = async move || Ok::<_, Infallible>(Some(id));
        cache.get_or_load(&Odd(id), load).await.unwrap();
    }
    odd_keys::panic_at(7);
    assert_eq!(node.match_l1("odd", &pattern("*"), 0).await.unwrap().0, 99);
    cache.invalidate_pattern(&pattern("1*")).await;
    let removed = || cache.report().invalidations.l1_removed;
    eventually("the walk has passed", async || removed() == 12).await;
    odd_keys::panic_at(u64::MAX);
    assert_eq!(cache.get(&Odd(7)).await.outcome, Outcome::Missed);
    assert_eq!(cache.get(&Odd(8)).await.outcome, Outcome::L1Hit);
}

/// moka calls the listener from its maintenance.
#[tokio::test]
async fn a_report_runs_no_maintenance_of_moka() {
    let node = lonely_node().await;
    for n in 0.. {
        let observer = Observer::new(&node, &format!("prices-{n}")).unwrap();
        let (evicted, began) = (Arc::new(AtomicU64::new(0)), Instant::now());
        let listener = {
            let evicted = Arc::clone(&evicted);
            move |_, _, _| _ = evicted.fetch_add(1, Ordering::SeqCst)
        };
        let moka = moka::sync::Cache::builder().max_capacity(1).eviction_listener(listener).build();
        let prices = observer.observe_keys(moka);
        (0..30).for_each(|key: u64| prices.insert(key, key));
        let before = evicted.load(Ordering::SeqCst);
        prices.report();
        node.report();
        let after = evicted.load(Ordering::SeqCst);
        // After that time an insert may have run it, since moka does so every 300 ms.
        if began.elapsed() < Duration::from_millis(200) {
            assert_eq!(before, after);
            prices.inner().run_pending_tasks();
            assert!(evicted.load(Ordering::SeqCst) > after, "there was something to do");
            return;
        }
    }
}

#[tokio::test]
async fn the_walk_of_a_small_cache_does_not_wait_for_that_of_a_large_one() {
    let node = lonely_node().await;
    let large = users().build(&node).unwrap();
    let small: Users = Cache::builder("small").build(&node).unwrap();
    fill(&large, 0..100_000).await;
    fill(&small, 0..10).await;
    large.clear().await;
    small.clear().await;
    let removed = |cache: &Users| cache.report().invalidations.l1_removed;
    eventually("the small one is empty", async || removed(&small) == 10).await;
    assert!(removed(&large) < 100_000, "the large one is not");
    eventually("the large one is empty too", async || removed(&large) == 100_000).await;
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_are_heard_while_a_walk_is_held_up() {
    let redis = Redis::start().await;
    let (here, there) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let odd = |node| Cache::<Odd, u64>::builder("odd").build(node).unwrap();
    let (held, of_other) = (odd(&here), odd(&there));
    let small = |node| Cache::<u64, u64>::builder("small").build(node).unwrap();
    let (heard, other) = (small(&here), small(&there));
    for id in [1_000, 1_001] {
        let load = async move || Ok::<_, Infallible>(Some(id));
        held.get_or_load(&Odd(id), load).await.unwrap();
    }
    fill(&heard, 0..3).await;
    odd_keys::hold(1_000);
    of_other.invalidate_pattern(&pattern("100*")).await;
    eventually("the walk prints the key", async || odd_keys::n_held() == 1).await;
    // Invalidations of the same cache and of another.
    of_other.invalidate_pattern(&pattern("none:*")).await;
    other.invalidate_pattern(&pattern("1*")).await;
    other.invalidate(&2).await;
    let last = there.bus_sequence().await.unwrap();
    assert!(here.has_heard(last, Duration::from_secs(30)).await);
    assert_eq!(odd_keys::n_held(), 1, "the walk is still held up");
    let source = async || Ok::<_, Infallible>(Some(9));
    for (key, value) in [(0, 0), (1, 9), (2, 9)] {
        let read = heard.get_or_load(&key, source).await.unwrap();
        assert_eq!(*read.value.unwrap(), value, "{key}");
    }
    odd_keys::let_go();
    let removed = || held.report().invalidations.l1_removed;
    eventually("the walk goes on", async || removed() == 2).await;
}
