//! One load in the fleet, however long it takes and whichever call asks for it.

use std::io::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use strata_cache::holds::{Side, Step};
use strata_cache::report::Outcome;
use strata_cache::{Cache, Node};
use strata_testing::{Line, Proxy};
use tokio::task::JoinSet;

use crate::support::ways::{LONG, node_behind, onlooker};
use crate::support::{Redis, Source, cache, eventually};

const N_NODES: usize = 8;
const N_READERS: usize = 5;
const HEARS_WITHIN: Duration = Duration::from_secs(20);

/// Eight nodes whose caches have their default settings, and a row that counts its loads.
struct Fleet {
    nodes: Vec<Node>,
    caches: Vec<Cache<u64, u64>>,
}

/// A key's loads. Each takes this long and returns the number of loads before it.
#[derive(Clone)]
struct Counted {
    key: u64,
    takes: Duration,
    loads: Arc<AtomicU64>,
}

impl Counted {
    fn new(key: u64, takes_ms: u64) -> Self {
        Self { key, takes: Duration::from_millis(takes_ms), loads: Arc::default() }
    }

    fn loads(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }

    /// A reader's result; `None` if it gave up.
    async fn read(self, cache: Cache<u64, u64>) -> Option<u64> {
        let (key, counted) = (self.key, self);
        let load = move || async move {
            let before = counted.loads.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(counted.takes).await;
            Ok::<_, Error>(Some(before))
        };
        cache.get_or_load(&key, load).await.ok().and_then(|read| read.value).map(|value| *value)
    }
}

impl Fleet {
    async fn of(redis: &Redis) -> Self {
        let mut nodes = Vec::new();
        for _ in 0..N_NODES {
            nodes.push(onlooker(redis).await);
        }
        let build = |node| Cache::builder("users").build(node).unwrap();
        let caches = nodes.iter().map(build).collect();
        Self { nodes, caches }
    }

    async fn all_read(&self, counted: &Counted) {
        let mut reading = JoinSet::new();
        for cache in &self.caches {
            for _ in 0..N_READERS {
                reading.spawn(counted.clone().read(cache.clone()));
            }
        }
        reading.join_all().await;
    }

    /// Waits until every node answers with the last loaded value, without another load.
    async fn all_have(&self, counted: &Counted, value: u64) {
        for cache in &self.caches {
            eventually("the node has what another has loaded", async || {
                counted.clone().read(cache.clone()).await == Some(value)
            })
            .await;
        }
    }

    async fn soften(&self, key: u64) {
        self.caches[0].invalidate_softly(&key).await;
        let sequence = self.nodes[0].bus_sequence().await.unwrap();
        for node in &self.nodes {
            assert!(node.has_heard(sequence, HEARS_WITHIN).await);
        }
    }
}

async fn is_loaded_once(fleet: &Fleet, key: u64, takes_ms: u64) {
    let counted = Counted::new(key, takes_ms);
    fleet.all_read(&counted).await;
    fleet.all_have(&counted, 0).await;
    assert_eq!(counted.loads(), 1, "a cold key whose load takes {takes_ms} ms");
}

async fn is_refreshed_once(fleet: &Fleet, key: u64, takes_ms: u64) {
    let quick = Counted::new(key, 1);
    fleet.all_read(&quick).await;
    fleet.all_have(&quick, 0).await;
    let counted = Counted { takes: Duration::from_millis(takes_ms), ..quick };
    fleet.soften(key).await;
    fleet.all_read(&counted).await;
    fleet.all_have(&counted, 1).await;
    assert_eq!(counted.loads(), 2, "a soft invalidation, and a load of {takes_ms} ms");
    fleet.soften(key).await;
    for cache in &fleet.caches {
        // Each node reads after the other, long after the first has loaded the value.
        let quick = Counted { takes: Duration::from_millis(1), ..counted.clone() };
        quick.clone().read(cache.clone()).await;
        eventually("it has the newest", async || {
            quick.clone().read(cache.clone()).await == Some(2)
        })
        .await;
    }
    assert_eq!(counted.loads(), 3, "one node after the other");
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_nodes_load_a_key_once_whatever_its_load_takes() {
    let redis = Redis::start().await;
    let fleet = Fleet::of(&redis).await;
    let (one, two) = (&fleet, &fleet);
    tokio::join!(
        is_loaded_once(one, 1, 1),
        is_loaded_once(one, 2, 50),
        is_loaded_once(one, 3, 600),
        is_loaded_once(one, 4, 5_000),
        is_refreshed_once(two, 11, 1),
        is_refreshed_once(two, 12, 50),
        is_refreshed_once(two, 13, 600),
        is_refreshed_once(two, 14, 5_000),
    );
    let counts = fleet.caches.iter().map(|cache| cache.report().loads);
    let n_loads: u64 = counts.map(|loads| loads.success.count() + loads.failure.count()).sum();
    assert_eq!(n_loads, 4 + 3 * 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_nodes_that_refresh_an_entry_ahead_load_it_once() {
    let redis = Redis::start().await;
    let hour = Duration::from_secs(3_600);
    let mut caches: Vec<Cache<u64, String>> = Vec::new();
    for _ in 0..N_NODES {
        let builder = Cache::builder("users").time_to_live(hour).jitter(0.0).refresh_ahead(1_000.0);
        caches.push(builder.build(&onlooker(&redis).await).unwrap());
    }
    // So expensive that every other read would refresh it an hour before its deadline.
    let dear = || async {
        tokio::time::sleep(Duration::from_millis(3_600)).await;
        Ok::<_, Error>(Some("dear".to_owned()))
    };
    caches[0].get_or_load(&1, dear).await.unwrap();
    let source = Source::closed();
    for cache in &caches {
        for _ in 0..100 {
            assert!(source.value(cache, 1).await == "dear", "a hit while it is refreshed");
        }
    }
    source.entered().await;
    // All other readers wait for it.
    assert_eq!(source.loads(), 1);
    source.open();
    for cache in &caches {
        eventually("it has the new entry", async || {
            cache.get(&1).await.value.as_deref().is_some_and(|value| value == "0")
        })
        .await;
        assert_eq!(cache.get(&1).await.outcome, Outcome::L1Hit);
    }
    assert_eq!(source.loads(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_while_it_loads_or_refreshes_holds_up_nobody_for_long() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("2").await;
    let builder = Cache::builder("users").load_timeout(Duration::from_secs(60));
    let there: Cache<u64, String> = builder.build(&node).unwrap();
    let quick = Source::new();
    quick.read(&there, 2).await;
    there.invalidate_softly(&2).await;
    quick.write(7);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (dying, url) = (Source::closed(), redis.url());
    runtime.spawn({
        let dying = dying.clone();
        async move {
            let node = Node::builder("test").redis_url(&url).start().await.unwrap();
            let here = cache(&node);
            tokio::join!(dying.read(&here, 1), dying.read(&here, 2));
            std::future::pending::<()>().await;
        }
    });
    eventually("the other node loads both", async || dying.loads() == 2).await;
    runtime.shutdown_background();
    assert_eq!(quick.value(&there, 1).await, "7");
    eventually("it is refreshed", async || quick.value(&there, 2).await == "7").await;
}

#[tokio::test]
async fn a_refresh_that_a_second_soft_invalidation_overtook_is_not_kept() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let cache = cache(&node);
    Source::new().read(&cache, 1).await;
    cache.invalidate_softly(&1).await;
    let slow = Source::closed();
    assert_eq!(slow.read(&cache, 1).await.outcome, Outcome::Stale);
    slow.entered().await;
    slow.write(7);
    cache.invalidate_softly(&1).await;
    slow.open();
    eventually("the older row is refused", async || cache.report().l2_refused == 1).await;
    eventually("the newer row is loaded", async || slow.value(&cache, 1).await == "7").await;
}

#[tokio::test]
async fn a_refresh_that_comes_late_takes_what_another_node_has_just_loaded() {
    let redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&one), cache(&two));
    let source = Source::new();
    source.read(&here, 1).await;
    here.invalidate_softly(&1).await;
    let hold = two.holds().hold(Step::Acquire, Side::Before);
    assert_eq!(source.read(&there, 1).await.outcome, Outcome::Stale);
    hold.arrived().await;
    source.write(7);
    eventually("one node refreshes it", async || source.value(&here, 1).await == "7").await;
    drop(hold);
    eventually("the other takes it", async || source.value(&there, 1).await == "7").await;
    assert_eq!(source.loads(), 2);
}

/// Of two softly invalidated keys, another node refreshes one.
#[tokio::test]
async fn of_many_keys_those_that_another_node_refreshes_are_not_loaded_twice() {
    let redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&one), cache(&two));
    let old = Source::new();
    for key in [1, 2] {
        old.read(&there, key).await;
        here.invalidate_softly(&key).await;
    }
    let sequence = one.bus_sequence().await.unwrap();
    assert!(two.has_heard(sequence, HEARS_WITHIN).await);
    let slow = Source::closed();
    slow.write(7);
    assert_eq!(slow.read(&here, 1).await.outcome, Outcome::Stale);
    slow.entered().await;
    let loaded = Arc::new(Mutex::new(Vec::<u64>::new()));
    let asked = Arc::clone(&loaded);
    let load = move |keys: Vec<u64>| async move {
        asked.lock().unwrap().extend(&keys);
        Ok::<_, Error>(keys.into_iter().map(|key| (key, "8".to_owned())).collect())
    };
    for read in there.get_many(&[1, 2], load).await {
        assert_eq!(read.unwrap().outcome, Outcome::Stale);
    }
    let value = async |key: u64| there.get(&key).await.value.unwrap().as_ref().clone();
    eventually("the other key is refreshed at once", async || value(2).await == "8").await;
    slow.open();
    eventually("what the first node loaded is taken", async || value(1).await == "7").await;
    assert_eq!(*loaded.lock().unwrap(), [2]);
}

#[tokio::test]
async fn a_write_that_reads_its_own_key_does_not_wait_for_its_own_lease() {
    let redis = Redis::start().await;
    let proxy = Proxy::before(&redis).await;
    let cache = cache(&node_behind(&proxy, LONG).await);
    let reading = cache.clone();
    let write = async move {
        let before = Source::new().value(&reading, 1).await;
        Ok::<_, Error>(format!("after {before}"))
    };
    let (written, _) = cache.write_through(&1, write).await.unwrap();
    assert_eq!((written.as_str(), proxy.times(Line::L2, "MGET")), ("after 0", 0));
}

#[tokio::test]
async fn a_lease_that_no_load_renews_is_waited_for_half_a_second_at_most() {
    let redis = Redis::start().await;
    let () = redis.ask(&["SET", "{test}:users:1", "lease:of-a-write"]).await;
    let cache = cache(&redis.node("1").await);
    assert_eq!(Source::new().read(&cache, 1).await.outcome, Outcome::Loaded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_keys_that_wait_for_another_node_cost_few_commands() {
    const N_KEYS: u64 = 1_000;
    const PER_SECOND: f64 = 100.0;
    let redis = Redis::start().await;
    let proxy = Proxy::before(&redis).await;
    let (here, there) = (cache(&onlooker(&redis).await), cache(&node_behind(&proxy, LONG).await));
    let gate = Source::closed();
    let loading = tokio::spawn({
        let gate = gate.clone();
        async move {
            let keys: Vec<u64> = (0..N_KEYS).collect();
            let load = |keys: Vec<u64>| async move {
                gate.load().await?;
                Ok::<_, Error>(keys.into_iter().map(|key| (key, "loaded".to_owned())).collect())
            };
            here.get_many(&keys, load).await
        }
    });
    gate.entered().await;
    let mut waiting = JoinSet::new();
    for key in 0..N_KEYS {
        let there = there.clone();
        waiting.spawn(async move {
            let asked = || async { Err::<Option<String>, _>(Error::other("asked the source")) };
            there.get_or_load(&key, asked).await
        });
    }
    eventually("all wait", async || proxy.times(Line::L2, "SET") == N_KEYS).await;
    let (before, began) = (n_commands(&proxy), Instant::now());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let n_polls = n_commands(&proxy) - before;
    let most = PER_SECOND * began.elapsed().as_secs_f64();
    assert!((1..=most as u64).contains(&n_polls), "{n_polls} commands, {most:.0} at most");
    gate.open();
    assert!(loading.await.unwrap().iter().all(Result::is_ok));
    while let Some(read) = waiting.join_next().await {
        assert_eq!(read.unwrap().unwrap().outcome, Outcome::L2Hit);
    }
}

fn n_commands(proxy: &Proxy) -> u64 {
    proxy.seen(Line::L2).values().sum()
}
