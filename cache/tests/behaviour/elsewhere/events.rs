//! Events of keys, told to consoles that want them.

use std::time::Duration;

use serde_json::json;
use strata_cache::report::What;
use strata_cache::{Cache, Fleet};

use super::{Console, KEY, node};
use crate::support::{Redis, Source, eventually};

const MINUTE: Duration = Duration::from_secs(60);

async fn n_told(redis: &Redis) -> u64 {
    let streams: Vec<String> = redis.ask(&["KEYS", "{test}!fleet:replies:*"]).await;
    let mut n = 0;
    for stream in streams {
        // Those that were read are removed, so the number of the last one tells.
        let info: std::collections::HashMap<String, redis::Value> =
            redis.ask(&["XINFO", "STREAM", &stream]).await;
        n += redis::from_redis_value::<u64>(info["entries-added"].clone()).unwrap();
    }
    n
}

/// Until the console is told that the key was loaded, which is again and again.
async fn until_told(console: &Console, (users, key): (&Cache<u64, String>, u64)) {
    let source = Source::new();
    eventually("the node tells that the key was loaded", async || {
        users.invalidate(&key).await;
        source.read(users, key).await;
        let told = console.fleet.events_after(("1", "users"), 0);
        let is_load = |what: &What| matches!(what, What::Loaded { .. });
        told.events.iter().any(|event| is_load(&event.what) && event.key == Some(key.to_string()))
    })
    .await;
}

#[tokio::test]
async fn a_node_tells_of_a_watched_key_and_of_no_other_and_stops_when_nobody_looks_any_more() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::reports().looks().key(KEY)).await;
    let users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    let console = Console::of(&redis, KEY).await;
    console.until_reported("1").await;
    console.fleet.watch_key(("users", "42"), &["1".to_owned()], MINUTE);
    until_told(&console, (&users, 42)).await;
    Source::new().read(&users, 41).await;
    let told = console.fleet.events_after(("1", "users"), 0);
    assert!(told.events.iter().all(|event| event.key.as_deref() == Some("42")), "{told:?}");
    assert!(told.events.iter().all(|event| event.node == "1" && event.cache == "users"));
    assert!(told.events.windows(2).all(|pair| pair[0].seq < pair[1].seq), "each once");
    let later = console.fleet.events_after(("1", "users"), told.last);
    assert!(later.events.iter().all(|event| event.seq > told.last));

    // It is looked at no longer.
    console.fleet.watch_key(("users", "42"), &["1".to_owned()], Duration::ZERO);
    eventually("it is wanted no longer", async || {
        let wants: Vec<String> = redis.ask(&["HVALS", "{test}!fleet:want"]).await;
        wants.iter().all(|want| !want.contains("\"42\""))
    })
    .await;
    let beat = console.until_reported("1").await.report.unwrap().beat;
    let two_later = |node: &strata_cache::FleetNode| {
        node.report.as_ref().is_some_and(|report| report.beat > beat + 1)
    };
    console.until("1", "it has heard that", two_later).await;
    let before = n_told(&redis).await;
    let source = Source::new();
    for _ in 0..20 {
        users.invalidate(&42).await;
        source.read(&users, 42).await;
    }
    let beat = console.until_reported("1").await.report.unwrap().beat;
    let three_later = |node: &strata_cache::FleetNode| {
        node.report.as_ref().is_some_and(|report| report.beat > beat + 2)
    };
    console.until("1", "it has beaten since", three_later).await;
    assert_eq!(n_told(&redis).await, before, "it tells nothing");
}

#[tokio::test]
async fn a_node_with_a_key_tells_nothing_to_who_has_another_one() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::reports().looks().key(KEY)).await;
    let users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    let eve = Console::of(&redis, "another key").await;
    eve.until_reported("1").await;
    eve.fleet.watch_key(("users", "42"), &["1".to_owned()], MINUTE);
    let hers = eve.fleet.console().to_owned();
    eventually("what she wants lies there", async || {
        let want: Option<String> = redis.ask(&["HGET", "{test}!fleet:want", &hers]).await;
        want.is_some_and(|want| want.contains("\"42\""))
    })
    .await;
    let beat = eve.until_reported("1").await.report.unwrap().beat;
    let two_later = |node: &strata_cache::FleetNode| {
        node.report.as_ref().is_some_and(|report| report.beat > beat + 1)
    };
    eve.until("1", "it has heard that", two_later).await;
    let console = Console::of(&redis, KEY).await;
    console.until_reported("1").await;
    console.fleet.watch_key(("users", "42"), &["1".to_owned()], MINUTE);
    until_told(&console, (&users, 42)).await;
    assert_eq!(eve.fleet.events_after(("1", "users"), 0).events, []);
}

#[tokio::test]
async fn a_node_that_starts_anew_tells_on_and_nothing_twice() {
    let redis = Redis::start().await;
    let first = node(&redis, "1", Fleet::default()).await;
    let users: Cache<u64, String> = Cache::builder("users").build(&first).unwrap();
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    console.fleet.watch_key(("users", "42"), &["1".to_owned()], MINUTE * 10);
    until_told(&console, (&users, 42)).await;
    first.shutdown().await;
    let before = console.fleet.events_after(("1", "users"), 0);
    let second = node(&redis, "1", Fleet::default()).await;
    let users: Cache<u64, String> = Cache::builder("users").build(&second).unwrap();
    let source = Source::new();
    eventually("the new run tells what happens to the key", async || {
        users.invalidate(&42).await;
        source.read(&users, 42).await;
        let after = console.fleet.events_after(("1", "users"), before.last).events;
        after.iter().any(|event| matches!(event.what, What::Loaded { .. }))
    })
    .await;
    let after = console.fleet.events_after(("1", "users"), before.last).events;
    assert!(after.iter().all(|event| !before.events.contains(event)), "{after:?}");
    assert!(after.windows(2).all(|pair| pair[0].seq < pair[1].seq), "{after:?}");
}

#[tokio::test]
async fn what_is_wanted_for_another_console_or_of_no_key_is_sent_to_nobody() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::default()).await;
    let users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    let victim = Console::of(&redis, "").await;
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    let until = redis.ask::<Vec<u64>>(&["TIME"]).await[0] * 1_000 + 60_000;
    let events = json!([{"cache": "users", "nodes": ["1"], "keys": ["42"]}]);
    let named = json!({"until": until, "console": victim.fleet.console(), "events": events});
    let keyless = json!({"until": until, "events": [{"cache": "users", "nodes": ["1"]}]});
    for (field, want) in [("another", named), ("keyless", keyless)] {
        let () = redis.ask(&["HSET", "{test}!fleet:want", field, &want.to_string()]).await;
    }
    console.fleet.watch_key(("users", "42"), &["1".to_owned()], MINUTE);
    until_told(&console, (&users, 42)).await;
    let stream = |of: &str| format!("{{test}}!fleet:replies:{of}");
    for (of, is_told) in [(victim.fleet.console(), 0), ("keyless", 0), ("another", 1)] {
        let there: u64 = redis.ask(&["EXISTS", &stream(of)]).await;
        assert_eq!(there, is_told, "{of}");
    }
}

#[tokio::test]
async fn a_want_that_is_no_console_s_or_garbage_breaks_no_beat() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::default()).await;
    let users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    let until = redis.ask::<Vec<u64>>(&["TIME"]).await[0] * 1_000 + 60_000;
    let wanted = json!({"cache": "users", "nodes": ["1"], "keys": ["not a number", "42"]});
    let no_cache = json!({"cache": "cats", "nodes": ["1"]});
    for (name, want) in [
        ("a} b", json!({"until": until, "console": "a", "events": [wanted]})),
        ("b", json!({"until": until, "console": "b", "events": [no_cache, wanted]})),
        ("c", json!({"until": until, "console": "c", "events": [{"nodes": 7}]})),
    ] {
        let () = redis.ask(&["HSET", "{test}!fleet:want", name, &want.to_string()]).await;
    }
    console.fleet.watch_key(("users", "42"), &["1".to_owned()], MINUTE);
    until_told(&console, (&users, 42)).await;
}
