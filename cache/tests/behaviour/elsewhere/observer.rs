//! A node that only looks on, and moka caches that listen.

use std::time::Duration;

use strata_cache::report::{Effect, L2Look};
use strata_cache::{Cache, CacheError, Fleet, L2Head, Node, Observed, Observer, Pattern, Target};

use super::{builder, node};
use crate::support::{Redis, Source, eventually};

async fn onlooker(redis: &Redis) -> Node {
    builder(redis, "onlooker").observer().start().await.unwrap()
}

fn users(node: &Node, schema: u16) -> Cache<u64, String> {
    Cache::builder("users").schema(schema).build(node).unwrap()
}

/// Until the node has acted on all that was announced.
async fn heard(by: &Node, from: &Node) {
    let sequence = from.bus_sequence().await.unwrap();
    assert!(by.has_heard(sequence, Duration::from_secs(30)).await);
}

#[tokio::test]
async fn what_an_observer_invalidates_is_gone_on_every_node_and_level() {
    let redis = Redis::start().await;
    for schema in [0, 7] {
        let (one, two) =
            (node(&redis, "1", Fleet::off()).await, node(&redis, "2", Fleet::off()).await);
        let (here, there) = (users(&one, schema), users(&two, schema));
        let observer = onlooker(&redis).await;
        let source = Source::new();
        let fill = async |row: u64| {
            source.write(row);
            here.clear().await;
            there.clear().await;
            heard(&one, &two).await;
            heard(&two, &one).await;
            for key in 1..=2 {
                source.read(&here, key).await;
                source.read(&there, key).await;
            }
            source.write(row + 1);
        };
        let is_new = async |row: u64| {
            heard(&one, &observer).await;
            heard(&two, &observer).await;
            for cache in [&here, &there] {
                assert_eq!(source.value(cache, 1).await, (row + 1).to_string());
            }
        };
        fill(10).await;
        let effect = observer.invalidate("users", Target::key("1")).await.unwrap();
        assert_eq!(effect, Effect::Removed { entries: 1 });
        is_new(10).await;
        assert_eq!(source.value(&here, 2).await, "10", "others stay");
        fill(20).await;
        let pattern = Pattern::parse("[1]").unwrap();
        let effect = observer.invalidate("users", Target::Pattern(pattern.clone())).await.unwrap();
        assert_eq!(effect, Effect::Removed { entries: 1 });
        is_new(20).await;
        fill(30).await;
        let effect = observer.invalidate("users", Target::All).await.unwrap();
        assert_eq!(effect, Effect::Removed { entries: 2 });
        is_new(30).await;
        assert_eq!(source.value(&here, 2).await, "31");
        for node in [one, two, observer] {
            node.shutdown().await;
        }
    }
}

#[tokio::test]
async fn an_observer_invalidates_by_tag_and_marks_as_stale() {
    let redis = Redis::start().await;
    let one = node(&redis, "1", Fleet::off()).await;
    let cache = users(&one, 0);
    let observer = onlooker(&redis).await;
    let load = |value: &'static str| {
        move || async move {
            let loaded = strata_cache::Loaded::from(value.to_owned()).tags(["red"]);
            Ok::<_, std::io::Error>(Some(loaded))
        }
    };
    let read = async |value: &'static str| {
        let read = cache.get_or_load_entry(&1, load(value)).await.unwrap();
        read.value.unwrap().as_ref().clone()
    };
    assert_eq!(read("old").await, "old");
    assert_eq!(observer.invalidate("users", Target::tag("red")).await.unwrap(), Effect::Marked);
    heard(&one, &observer).await;
    assert_eq!(read("new").await, "new");
    let marked = observer.mark_stale("users", "1").await.unwrap();
    assert_eq!(marked, Effect::Removed { entries: 1 });
    heard(&one, &observer).await;
    assert_eq!(read("newest").await, "new", "it is served once more");
    eventually("it is refreshed", async || read("newest").await == "newest").await;
}

#[tokio::test]
async fn an_observer_finds_and_counts_what_lies_in_l2() {
    let redis = Redis::start().await;
    let one = node(&redis, "1", Fleet::off()).await;
    let (cache, source) = (users(&one, 7), Source::new());
    for key in 0..20 {
        source.read(&cache, key).await;
    }
    let observer = onlooker(&redis).await;
    let found =
        observer.match_l2("users", &Pattern::parse("1?").unwrap(), 3).await.unwrap().unwrap();
    assert_eq!((found.0, found.1.len()), (10, 3));
    let heads =
        observer.heads_l2("users", &["1".to_owned(), "x".to_owned()]).await.unwrap().unwrap();
    assert!(matches!(heads[..], [Some(L2Head::Entry { .. }), None]), "{heads:?}");
    let Some(L2Look::Entry(look)) = observer.look_l2("users", "1").await.unwrap() else {
        panic!("it lies there");
    };
    assert!(look.fresh && look.value_hidden && look.value.is_none());
    let counts = observer.count_l2().await.unwrap();
    assert_eq!((&*counts[0].0, counts[0].1), ("users", 20));
    let unknown = observer.invalidate("no name", Target::key("1")).await;
    assert_eq!(unknown.unwrap_err(), CacheError::UnknownCache("no name".to_owned()));
}

#[tokio::test]
async fn an_observer_leaves_nothing_behind_where_there_is_nobody() {
    let redis = Redis::start().await;
    let observer = onlooker(&redis).await;
    eventually("it reads the bus", async || observer.report().bus.heard_at_ms.is_some()).await;
    assert_eq!(observer.match_l2("users", &Pattern::prefix(""), 5).await.unwrap().unwrap().0, 0);
    let keys: Vec<String> = redis.ask(&["KEYS", "*"]).await;
    assert!(keys.is_empty(), "{keys:?}");
    assert!(!observer.report().bus.connected);
    let one = node(&redis, "1", Fleet::off()).await;
    eventually("it hears them", async || observer.report().bus.connected).await;
    drop(one);
}

#[tokio::test]
async fn an_observer_reaches_a_cache_that_lives_in_l1_alone() {
    let redis = Redis::start().await;
    let one = node(&redis, "1", Fleet::off()).await;
    let cache: Cache<u64, String> = Cache::builder("users").l1_only().build(&one).unwrap();
    let source = Source::new();
    source.read(&cache, 1).await;
    source.write(7);
    let observer = onlooker(&redis).await;
    observer.invalidate("users", Target::key("1")).await.unwrap();
    heard(&one, &observer).await;
    assert_eq!(source.value(&cache, 1).await, "7");
}

type Prices = Observed<moka::sync::Cache<String, u32>>;

fn prices(node: &Node) -> Prices {
    let observer = Observer::new(node, "prices").unwrap().listen();
    let prices = observer.observe_keys(moka::sync::Cache::new(100));
    for key in ["tea", "milk"] {
        prices.insert(key.to_owned(), 3);
    }
    prices
}

#[tokio::test]
async fn a_moka_cache_that_listens_drops_what_any_node_invalidates() {
    let redis = Redis::start().await;
    let (one, two) = (node(&redis, "1", Fleet::off()).await, node(&redis, "2", Fleet::off()).await);
    let observer = onlooker(&redis).await;
    for from in [&two, &observer] {
        let (here, there) = (prices(&one), (from.id() == "2").then(|| prices(&two)));
        from.invalidate("prices", Target::key("tea")).await.unwrap();
        heard(&one, from).await;
        assert_eq!((here.get("tea"), here.get("milk")), (None, Some(3)));
        if let Some(there) = &there {
            assert_eq!((there.get("tea"), there.get("milk")), (None, Some(3)));
        }
        let pattern = Pattern::parse("m*").unwrap();
        here.insert("tea".to_owned(), 4);
        from.invalidate("prices", Target::Pattern(pattern.clone())).await.unwrap();
        heard(&one, from).await;
        eventually("what matches is dropped", async || here.get("milk").is_none()).await;
        assert_eq!(here.get("tea"), Some(4));
        from.invalidate("prices", Target::All).await.unwrap();
        heard(&one, from).await;
        assert_eq!(here.get("tea"), None);
        assert_eq!(here.report().invalidations.bus.all, 1);
    }
}

#[tokio::test]
async fn a_listening_cache_is_emptied_where_it_cannot_be_told_what_is_meant() {
    let redis = Redis::start().await;
    let one = node(&redis, "1", Fleet::off()).await;
    let observer = onlooker(&redis).await;
    let numbers = Observer::new(&one, "numbers").unwrap().listen();
    let numbers = numbers.observe_keys(moka::sync::Cache::<u64, u32>::new(100));
    let nameless = Observer::new(&one, "nameless").unwrap().listen();
    let nameless = nameless.observe(moka::sync::Cache::<u64, u32>::new(100));
    for (cache, key) in [("numbers", "no number"), ("nameless", "1")] {
        let is_there = || (numbers.get(&1).is_some(), nameless.get(&1).is_some());
        numbers.insert(1, 1);
        nameless.insert(1, 1);
        observer.invalidate(cache, Target::key(key)).await.unwrap();
        heard(&one, &observer).await;
        assert_eq!(is_there(), (cache != "numbers", cache != "nameless"));
        numbers.insert(1, 1);
        nameless.insert(1, 1);
        observer.invalidate(cache, Target::tag("red")).await.unwrap();
        heard(&one, &observer).await;
        assert_eq!(is_there(), (cache != "numbers", cache != "nameless"));
    }
    numbers.insert(1, 1);
    let () = redis.ask(&["XADD", "{test}!bus", "*", "hello", "world"]).await;
    eventually("what may have been missed empties it", async || numbers.get(&1).is_none()).await;
}

#[tokio::test]
async fn a_moka_cache_that_does_not_listen_keeps_what_others_invalidate() {
    let redis = Redis::start().await;
    let one = node(&redis, "1", Fleet::off()).await;
    let observer = onlooker(&redis).await;
    let deaf = Observer::new(&one, "prices").unwrap();
    let deaf = deaf.observe_keys(moka::sync::Cache::<String, u32>::new(100));
    deaf.insert("tea".to_owned(), 3);
    observer.invalidate("prices", Target::All).await.unwrap();
    heard(&one, &observer).await;
    assert_eq!(deaf.get("tea"), Some(3));
    assert_eq!(one.invalidate("prices", Target::All).await.unwrap(), Effect::Off);
    assert_eq!(deaf.get("tea"), None);
}

#[cfg(feature = "future")]
#[tokio::test]
async fn an_asynchronous_moka_cache_listens_as_well() {
    let redis = Redis::start().await;
    let one = node(&redis, "1", Fleet::off()).await;
    let observer = onlooker(&redis).await;
    let prices = Observer::new(&one, "prices").unwrap().listen();
    let prices = prices.observe_keys(moka::future::Cache::<String, u32>::new(100));
    prices.insert("tea".to_owned(), 3).await;
    observer.invalidate("prices", Target::key("tea")).await.unwrap();
    heard(&one, &observer).await;
    eventually("it is dropped", async || prices.get("tea").await.is_none()).await;
}
