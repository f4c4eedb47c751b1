//! How many loads run at a time, and what a load inherits from the reader that began it.

use std::collections::HashMap;
use std::io::Error;
use std::sync::Arc;
use std::time::Duration;

use strata_cache::report::Outcome;
use strata_cache::{BuildError, Cache, CacheBuilder, LoadError, Node};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::{Source, eventually, lonely_node};

fn few(max_loads: usize) -> CacheBuilder<u64, String> {
    Cache::builder("users").max_loads(max_loads)
}

fn is_busy(read: &Result<strata_cache::Read<String>, LoadError>, max: usize) -> bool {
    matches!(read, Err(LoadError::Busy { cache, max_loads }) if &**cache == "users" && *max_loads == max)
}

#[tokio::test(start_paused = true)]
async fn readers_that_gave_up_leave_no_more_loads_running_than_may_run() {
    let cache = few(4).build(&lonely_node().await).unwrap();
    let slow = Source::closed();
    let mut reading = JoinSet::new();
    for key in 0..1_000 {
        let (cache, slow) = (cache.clone(), slow.clone());
        reading.spawn(async move { cache.get_or_load(&key, move || slow.load()).await });
    }
    eventually("all others wait", async || cache.report().loads.queued == 996).await;
    reading.shutdown().await;
    assert_eq!((slow.loads(), cache.report().loads.in_flight), (4, 4));
    let all_ended = async || {
        let loads = cache.report().loads;
        (loads.in_flight, loads.queued) == (0, 0)
    };
    eventually("they are given up", all_ended).await;
    assert_eq!((slow.loads(), cache.report().loads.refused), (4, 996));
}

#[tokio::test(start_paused = true)]
async fn by_default_a_thousand_loads_never_run_at_once() {
    let cache: Cache<u64, String> = Cache::builder("users").build(&lonely_node().await).unwrap();
    let slow = Source::closed();
    let mut reading = JoinSet::new();
    for key in 0..1_000 {
        let (cache, slow) = (cache.clone(), slow.clone());
        reading.spawn(async move { cache.get_or_load(&key, move || slow.load()).await });
    }
    eventually("the others wait", async || cache.report().loads.queued == 1_000 - 256).await;
    assert_eq!(slow.loads(), 256);
    slow.open();
    while let Some(read) = reading.join_next().await {
        assert_eq!(read.unwrap().unwrap().outcome, Outcome::Loaded, "all had their turn");
    }
    assert_eq!(cache.report().loads.refused, 0);
}

#[tokio::test(start_paused = true)]
async fn a_reader_whose_load_gets_no_turn_in_time_is_told_by_name() {
    let cache = few(1).build(&lonely_node().await).unwrap();
    let slow = Source::closed();
    let first = tokio::spawn({
        let (cache, slow) = (cache.clone(), slow.clone());
        async move { cache.get_or_load(&1, move || slow.load()).await }
    });
    slow.entered().await;
    let second = slow.clone();
    let refused = cache.get_or_load(&2, move || second.load()).await;
    assert!(is_busy(&refused, 1), "{refused:?}");
    let told = refused.unwrap_err().to_string();
    assert_eq!(told, "load from the source: 1 loads of users are running already");
    assert!(matches!(first.await.unwrap(), Err(LoadError::TimedOut)), "its load ran");
    eventually("it waits no more", async || cache.report().loads.queued == 0).await;
    assert_eq!(slow.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_stale_stands_in_for_a_load_that_gets_no_turn() {
    let life = Duration::from_secs(10);
    let builder = few(1).time_to_live(life).jitter(0.0).grace(Duration::from_secs(3_600));
    let cache = builder.build(&lonely_node().await).unwrap();
    Source::new().read(&cache, 1).await;
    tokio::time::advance(life).await;
    let slow = Source::closed();
    let _running = tokio::spawn({
        let (cache, slow) = (cache.clone(), slow.clone());
        async move { cache.get_or_load(&2, move || slow.load()).await }
    });
    slow.entered().await;
    assert_eq!(slow.read(&cache, 1).await.outcome, Outcome::Stale);
    assert_eq!(slow.loads(), 1, "it had no turn");
}

#[tokio::test]
async fn a_cache_that_may_run_no_load_is_refused_and_a_huge_number_is_none() {
    let node = lonely_node().await;
    let refused = few(0).build(&node).map(drop);
    assert!(matches!(refused, Err(BuildError::BadSetting { setting: "max_loads", .. })));
    let cache = few(usize::MAX).build(&node).unwrap();
    assert_eq!(Source::new().read(&cache, 1).await.outcome, Outcome::Loaded);
}

/// Reads each key within the load of the previous one. The last key is loaded as its own text.
fn chain(
    cache: Cache<u64, String>,
    keys: &'static [u64],
) -> std::pin::Pin<Box<dyn Future<Output = Result<Option<String>, LoadError>> + Send>> {
    Box::pin(async move {
        let Some((first, rest)) = keys.split_first() else { return Ok(Some("end".to_owned())) };
        let inner = cache.clone();
        let read = cache.get_or_load(first, move || chain(inner, rest)).await?;
        Ok(read.value.map(|value| value.as_ref().clone()))
    })
}

fn users(node: &Node) -> Cache<u64, String> {
    few(1).build(node).unwrap()
}

/// The key at which a chain of loads ends, because it was requested within its own load.
fn recursive_key(error: &LoadError) -> Option<String> {
    match error {
        LoadError::Recursive { key, cache } if &**cache == "users" => Some(key.to_string()),
        LoadError::Source(error) => recursive_key(error.downcast_ref::<LoadError>()?),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_load_that_asks_for_its_own_key_fails_at_once_by_name() {
    let began = tokio::time::Instant::now();
    for keys in [&[1, 1][..], &[1, 2, 1], &[1, 2, 3, 2]] {
        let cache = users(&lonely_node().await);
        let error = chain(cache.clone(), keys).await.unwrap_err();
        assert_eq!(recursive_key(&error), keys.last().map(u64::to_string), "{keys:?}: {error}");
        assert_eq!(cache.report().loads.in_flight, 0);
    }
    assert!(began.elapsed() < Duration::from_secs(1), "nobody waited for itself");
}

/// Each load is well under way when it asks for the key of the other.
#[tokio::test(start_paused = true)]
async fn loads_that_ask_for_each_others_keys_fail_at_once_by_name() {
    let began = tokio::time::Instant::now();
    let cache: Cache<u64, String> = few(2).build(&lonely_node().await).unwrap();
    let both_run = Arc::new(Barrier::new(2));
    let read = |key: u64, other: u64| {
        let (cache, inner, both_run) = (cache.clone(), cache.clone(), Arc::clone(&both_run));
        tokio::spawn(async move {
            let load = move || async move {
                both_run.wait().await;
                let asked = || async { Err::<Option<String>, _>(Error::other("a third load")) };
                let read = inner.get_or_load(&other, asked).await?;
                Ok::<_, LoadError>(read.value.map(|value| value.as_ref().clone()))
            };
            cache.get_or_load(&key, load).await
        })
    };
    let (one, two) = (read(1, 2), read(2, 1));
    let errors = [one.await.unwrap().unwrap_err(), two.await.unwrap().unwrap_err()];
    for error in &errors {
        let key = recursive_key(error);
        assert!(key.is_some_and(|key| ["1", "2"].contains(&&*key)), "{error}");
    }
    assert!(began.elapsed() < Duration::from_secs(1), "nobody waited for the timeout");
}

#[tokio::test(start_paused = true)]
async fn loads_within_loads_of_other_keys_need_no_turn_of_their_own() {
    let cache = users(&lonely_node().await);
    assert_eq!(chain(cache, &[1, 2, 3]).await.unwrap(), Some("end".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_load_of_many_keys_that_asks_for_one_of_them_may_handle_the_error() {
    let cache = users(&lonely_node().await);
    let inner = cache.clone();
    let load = move |keys: Vec<u64>| async move {
        let mut rows = HashMap::new();
        for key in keys {
            let own = inner.get_or_load(&key, || async { Ok::<_, Error>(None) }).await;
            let told = own.err().and_then(|error| recursive_key(&error));
            rows.insert(key, told.unwrap_or_default());
        }
        Ok::<_, Error>(rows)
    };
    let reads = cache.get_many(&[1, 2], load).await;
    let values: Vec<_> = reads.into_iter().map(|read| read.unwrap().value.unwrap()).collect();
    assert_eq!(values.iter().map(|value| value.as_str()).collect::<Vec<_>>(), ["1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn a_load_that_asks_for_many_keys_gets_an_error_for_its_own_alone() {
    let cache = users(&lonely_node().await);
    let inner = cache.clone();
    let load = move || async move {
        let rows = |keys: Vec<u64>| async move {
            Ok::<_, Error>(keys.into_iter().map(|key| (key, key.to_string())).collect())
        };
        let reads = inner.get_many(&[1, 2, 3], rows).await;
        assert_eq!(recursive_key(reads[0].as_ref().unwrap_err()).as_deref(), Some("1"));
        let others = reads[1..].iter().map(|read| read.as_ref().unwrap().value.as_ref().unwrap());
        Ok::<_, Error>(Some(others.map(|value| value.as_str()).collect::<String>()))
    };
    let read = cache.get_or_load(&1, load).await.unwrap();
    assert_eq!(read.value.unwrap().as_str(), "23");
    assert_eq!(cache.report().outcomes.failed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_asks_for_its_own_key_reads_the_older_value() {
    let cache = users(&lonely_node().await);
    Source::new().read(&cache, 1).await;
    cache.invalidate_softly(&1).await;
    let inner = cache.clone();
    let load = move || async move {
        let older = inner.get_or_load(&1, || async { Ok::<_, Error>(None) }).await?;
        Ok::<_, LoadError>(older.value.map(|older| format!("after {older}")))
    };
    assert_eq!(cache.get_or_load(&1, load).await.unwrap().outcome, Outcome::Stale);
    eventually("the refresh lands", async || {
        cache.get(&1).await.value.is_some_and(|value| *value == "after 0")
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_load_that_writes_its_own_key_through_does_not_wait_for_itself() {
    let cache = users(&lonely_node().await);
    let inner = cache.clone();
    let load = move || async move {
        let reading = inner.clone();
        let write = async move {
            let own = reading.get_or_load(&1, || async { Ok::<_, Error>(None) }).await;
            Ok::<_, Error>(own.err().and_then(|error| recursive_key(&error)).unwrap_or_default())
        };
        let written = inner.write_through(&1, write).await?.0;
        Ok::<_, Error>(Some(written.as_ref().clone()))
    };
    assert_eq!(cache.get_or_load(&1, load).await.unwrap().value.unwrap().as_str(), "1");
}

/// Two loads use both permits, and then read a key that an outsider has begun to read.
#[tokio::test(start_paused = true)]
async fn what_loads_that_keep_every_turn_wait_for_needs_none() {
    let cache = few(2).build(&lonely_node().await).unwrap();
    let (began, together) = (tokio::time::Instant::now(), Arc::new(Barrier::new(3)));
    let mut reading = JoinSet::new();
    for key in [1, 2] {
        let (cache, inner, together) = (cache.clone(), cache.clone(), Arc::clone(&together));
        reading.spawn(async move {
            let load = move || async move {
                together.wait().await;
                together.wait().await;
                Ok::<_, Error>(Some(Source::new().value(&inner, 9).await))
            };
            cache.get_or_load(&key, load).await.unwrap().value.unwrap().as_ref().clone()
        });
    }
    together.wait().await;
    let outside = cache.clone();
    reading.spawn(async move { Source::new().value(&outside, 9).await });
    eventually("the outsider's load waits", async || cache.report().loads.queued == 1).await;
    together.wait().await;
    assert_eq!(reading.join_all().await, ["0"; 3]);
    assert!(began.elapsed() < Duration::from_secs(1), "nobody waited for the timeout");
}

/// A load reads a stale entry, and is answered at once. The refresh reads the key that this load
/// loads.
#[tokio::test(start_paused = true)]
async fn a_refresh_may_read_what_the_load_that_began_it_loads() {
    let cache = few(2).build(&lonely_node().await).unwrap();
    Source::new().read(&cache, 2).await;
    cache.invalidate_softly(&2).await;
    let (inner, innermost) = (cache.clone(), cache.clone());
    let refresh = move || async move {
        let other = || async { Err::<Option<String>, _>(Error::other("loaded already")) };
        let other = innermost.get_or_load(&1, other).await?.value;
        Ok::<_, LoadError>(other.map(|other| format!("after {other}")))
    };
    let load = move || async move {
        let stale = inner.get_or_load(&2, refresh).await?;
        assert_eq!(stale.outcome, Outcome::Stale);
        Ok::<_, LoadError>(Some("the other".to_owned()))
    };
    cache.get_or_load(&1, load).await.unwrap();
    eventually("the refresh lands", async || {
        cache.get(&2).await.value.is_some_and(|value| *value == "after the other")
    })
    .await;
}
