//! What consoles ask of nodes, and what they are answered.

use std::time::Duration;

use serde_json::{Value, json};
use strata_cache::report::{NodeAnswer, ReplyState};
use strata_cache::{AskTo, Cache, Fleet, Target};

use super::{Console, Doomed, KEY, node};
use crate::support::{Redis, Source, eventually, hears};

async fn filled(node: &strata_cache::Node) -> Cache<u64, String> {
    let users: Cache<u64, String> = Cache::builder("users").build(node).unwrap();
    let source = Source::new();
    for key in 1..=3 {
        source.read(&users, key).await;
    }
    users
}

#[tokio::test]
async fn a_console_looks_into_l1_without_a_key_and_sees_no_value() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::default()).await;
    let _users = filled(&node).await;
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    let ask = async |kind: &str, body: Value| {
        let reply = console.reply("1", kind, &body.to_string()).await;
        assert_eq!((reply.state, reply.at_least), (ReplyState::Answered, false), "{reply:?}");
        serde_json::from_str::<NodeAnswer>(&reply.body).unwrap()
    };
    let looked = ask("look_l1", json!({"cache": "users", "key": "1"})).await;
    let NodeAnswer::Entry { entry: Some(entry) } = looked else { panic!("{looked:?}") };
    assert!(entry.fresh && entry.value_hidden && entry.value.is_none());
    let listed = ask("list_l1", json!({"cache": "users", "after": "1", "limit": 1})).await;
    let NodeAnswer::Keys(listed) = listed else { panic!("{listed:?}") };
    assert_eq!((listed.n_keys, &*listed.rows[0].key), (3, "2"));
    let among = ask("among_l1", json!({"cache": "users", "keys": ["3", "4"]})).await;
    let NodeAnswer::Keys(among) = among else { panic!("{among:?}") };
    assert_eq!((among.rows.len(), &*among.rows[0].key), (1, "3"));
    let matched = ask("match_l1", json!({"cache": "users", "pattern": "[12]"})).await;
    let NodeAnswer::Matches(matched) = matched else { panic!("{matched:?}") };
    assert_eq!((matched.n_keys, matched.is_partial), (2, false));
    let counted = ask("list_l1", json!({"cache": "users"})).await;
    let NodeAnswer::Keys(counted) = counted else { panic!("{counted:?}") };
    assert_eq!((counted.n_keys, counted.rows.len()), (3, 0), "no limit only counts");
    let survey = ask("survey_l1", json!({"cache": "users"})).await;
    assert!(matches!(&survey, NodeAnswer::Survey(survey) if survey.entries == 3), "{survey:?}");
    let events = ask("events_of", json!({"cache": "users", "key": "1"})).await;
    let NodeAnswer::Events(events) = events else { panic!("{events:?}") };
    assert_eq!((&*events.events[0].node, &*events.events[0].cache), ("1", "users"));
    let group = ask("group_of", json!({"cache": "users", "key": "1"})).await;
    assert!(matches!(group, NodeAnswer::Group { .. }), "{group:?}");
    let details = ask("details", json!({"cache": "users"})).await;
    let NodeAnswer::Report(report) = details else { panic!("{details:?}") };
    assert_eq!(report.outcomes.loaded, 3);
    let counts = console.until("1", "answers are counted", |node| {
        node.report.as_ref().is_some_and(|report| report.asks.answered >= 8)
    });
    counts.await;
}

#[tokio::test]
async fn with_a_key_and_the_policy_values_are_shown_but_opaque_ones() {
    let redis = Redis::start().await;
    let fleet = Fleet::reports().looks().values().key(KEY);
    let node = node(&redis, "1", fleet).await;
    let _users = filled(&node).await;
    let secrets: Cache<u64, String> = Cache::builder("secrets").opaque().build(&node).unwrap();
    Source::new().read(&secrets, 1).await;
    let console = Console::of(&redis, KEY).await;
    let look = async |kind: &str, cache: &str| {
        let body = json!({"cache": cache, "key": "1"}).to_string();
        let reply = console.reply("1", kind, &body).await;
        assert_eq!(reply.state, ReplyState::Answered, "{reply:?}");
        let look: Value = serde_json::from_str(&reply.body).unwrap();
        let entry = look.get("entry").unwrap_or(&look["look"]);
        entry["value"].clone()
    };
    assert_eq!(look("look_l1", "users").await, json!("\"0\""));
    assert_eq!(look("look_l2", "users").await, json!("\"0\""));
    assert_eq!(look("look_l1", "secrets").await, Value::Null);
    assert_eq!(look("look_l2", "secrets").await, Value::Null);
}

#[tokio::test]
async fn a_key_is_loaded_anew_as_the_service_has_said() {
    let redis = Redis::start().await;
    let fleet = Fleet::reports().looks().values().refreshes().key(KEY);
    let node = node(&redis, "1", fleet).await;
    let users = filled(&node).await;
    let source = Source::new();
    source.write(7);
    let (loading, cache) = (source.clone(), users.clone());
    node.refresh_with("users", move |key| {
        let (source, users) = (loading.clone(), cache.clone());
        async move {
            let key = key.parse().map_err(|_| "read the key".to_owned())?;
            assert_ne!(key, 13, "unlucky");
            users.invalidate(&key).await;
            source.read(&users, key).await;
            Ok(())
        }
    });
    let console = Console::of(&redis, KEY).await;
    let refresh = async |key: &str| {
        let body = json!({"cache": "users", "key": key}).to_string();
        console.reply("1", "refresh", &body).await
    };
    assert_eq!(refresh("1").await.state, ReplyState::Answered);
    assert_eq!(source.value(&users, 1).await, "7");
    let bad = refresh("one").await;
    assert_eq!(
        (bad.state, &*bad.because),
        (ReplyState::Failed, "the source failed to read the key")
    );
    assert_eq!(refresh("13").await.state, ReplyState::Failed, "a panic costs that ask alone");
    assert_eq!(refresh("2").await.state, ReplyState::Answered);
    let body = json!({"cache": "posts", "key": "1"}).to_string();
    assert_eq!(console.reply("1", "refresh", &body).await.state, ReplyState::Failed);
}

#[tokio::test]
async fn some_answers_are_a_result_and_the_silent_are_named() {
    let redis = Redis::start().await;
    let one = node(&redis, "1", Fleet::default()).await;
    let _users = filled(&one).await;
    let mut doomed = Doomed::start(&redis, "2").await;
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    console.until_reported("2").await;
    let ask = async || {
        let body = r#"{"cache":"users"}"#;
        console.fleet.ask(AskTo::All, "match_l1", body, "anna").await.unwrap()
    };
    eventually("both answer", async || ask().await.replies.len() == 2).await;
    doomed.kill();
    eventually("one is silent", async || {
        console.view().await;
        let asked = ask().await;
        let answered: Vec<&str> = asked.replies.iter().map(|reply| &*reply.node).collect();
        let silent: Vec<&str> = asked.silent.iter().map(|silent| &*silent.node).collect();
        let said = asked.to_string();
        let is_said = said.starts_with("1 of 2 nodes answered; silent: 2 (last heard ");
        (answered, silent, is_said) == (vec!["1"], vec!["2"], true)
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_too_large_says_so() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::default()).await;
    let texts: Cache<String, String> = Cache::builder("texts").build(&node).unwrap();
    for n in 0..1_000 {
        let load = || async { Ok::<_, std::io::Error>(Some(String::new())) };
        texts.get_or_load(&format!("{n:01000}"), load).await.unwrap();
    }
    let console = Console::of(&redis, "").await;
    let reply = console.reply("1", "list_l1", r#"{"cache":"texts","limit":1000}"#).await;
    assert_eq!((reply.state, &*reply.body), (ReplyState::Truncated, ""), "{}", reply.because);
    let few = console.reply("1", "list_l1", r#"{"cache":"texts","limit":2}"#).await;
    assert_eq!(few.state, ReplyState::Answered);
}

#[tokio::test]
async fn a_node_that_is_busy_says_so_and_the_bus_goes_on() {
    let redis = Redis::start().await;
    let fleet = Fleet::reports().looks().values().refreshes().key(KEY);
    let node = node(&redis, "1", fleet).await;
    let users = filled(&node).await;
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let waits = std::sync::Arc::clone(&gate);
    node.refresh_with("users", move |_| {
        let gate = std::sync::Arc::clone(&waits);
        async move { gate.acquire().await.map(drop).map_err(|_| String::new()) }
    });
    let console = Console::of(&redis, KEY).await;
    console.until_reported("1").await;
    let mut busy = false;
    for _ in 0..8 {
        let asks = (0..40).map(|_| {
            let fleet = console.fleet.clone();
            let body = r#"{"cache":"users","key":"1"}"#;
            tokio::spawn(async move { fleet.ask(AskTo::Node("1"), "refresh", body, "anna").await })
        });
        for asked in asks.collect::<Vec<_>>() {
            let replies = asked.await.unwrap().unwrap().replies;
            busy |= replies.iter().any(|reply| reply.state == ReplyState::Busy);
        }
        if busy {
            break;
        }
    }
    assert!(busy, "nobody was told");
    console.observer.invalidate("users", Target::key("1")).await.unwrap();
    let sequence = console.observer.bus_sequence().await.unwrap();
    assert!(node.has_heard(sequence, Duration::from_secs(30)).await, "though an ask hangs");
    let counts = console.until("1", "refusals are counted", |node| {
        node.report.as_ref().is_some_and(|report| report.asks.busy > 0)
    });
    counts.await;
    gate.add_permits(1_000);
    let body = r#"{"cache":"users","key":"1"}"#;
    eventually("it answers again", async || {
        console.reply("1", "look_l1", body).await.state == ReplyState::Answered
    })
    .await;
    drop(users);
}

#[tokio::test]
async fn a_refresh_that_never_returns_costs_that_ask_alone() {
    let redis = Redis::start().await;
    let fleet = Fleet::reports().refreshes().key(KEY);
    let node = node(&redis, "1", fleet).await;
    let _users = filled(&node).await;
    let begun = std::sync::Arc::new(tokio::sync::Notify::new());
    let beginning = std::sync::Arc::clone(&begun);
    node.refresh_with("users", move |_| {
        beginning.notify_one();
        std::future::pending()
    });
    let console = Console::of(&redis, KEY).await;
    console.until_reported("1").await;
    let body = r#"{"cache":"users","key":"1"}"#;
    // On a loaded machine an ask may be too late to be answered at all.
    let asking = async {
        loop {
            let _ = console.fleet.ask(AskTo::Node("1"), "refresh", body, "anna").await;
        }
    };
    tokio::select! {
        () = asking => {}
        () = begun.notified() => {}
    }
    assert_eq!(console.reply("1", "look_l1", body).await.state, ReplyState::Answered);
}

#[tokio::test]
async fn an_entry_that_remembers_that_there_is_none_hides_no_value() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::default()).await;
    let users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    let load = || async { Ok::<_, std::io::Error>(None) };
    assert!(users.get_or_load(&1, load).await.unwrap().value.is_none());
    let console = Console::of(&redis, "").await;
    let reply = console.reply("1", "look_l1", r#"{"cache":"users","key":"1"}"#).await;
    let NodeAnswer::Entry { entry: Some(entry) } = serde_json::from_str(&reply.body).unwrap()
    else {
        panic!("{reply:?}")
    };
    assert_eq!((entry.value, entry.value_hidden), (None, false));
}

#[tokio::test]
async fn asks_make_no_gaps_in_the_bus() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::default()).await;
    let users = filled(&node).await;
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    let gaps = node.report().bus.gaps;
    let asking = {
        let fleet = console.fleet.clone();
        tokio::spawn(async move {
            loop {
                let body = r#"{"cache":"users"}"#;
                let mut asks = tokio::task::JoinSet::new();
                for _ in 0..8 {
                    let fleet = fleet.clone();
                    asks.spawn(async move {
                        fleet.ask(AskTo::Node("1"), "group_of", body, "anna").await
                    });
                }
                asks.join_all().await;
            }
        })
    };
    for n in 0..400 {
        console.observer.invalidate("users", Target::key(n.to_string())).await.unwrap();
    }
    let sequence = console.observer.bus_sequence().await.unwrap();
    assert!(node.has_heard(sequence, Duration::from_secs(30)).await);
    asking.abort();
    let bus = node.report().bus;
    assert_eq!(bus.gaps, gaps);
    assert!(bus.received >= 400);
    hears(&node).await;
    drop(users);
}

#[tokio::test]
async fn a_message_that_was_announced_and_never_came_is_a_gap_though_asks_keep_coming() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::default()).await;
    let _users = filled(&node).await;
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    let gaps = node.report().bus.gaps;
    let asking = {
        let fleet = console.fleet.clone();
        tokio::spawn(async move {
            loop {
                let _ =
                    fleet.ask(AskTo::Node("1"), "group_of", r#"{"cache":"users"}"#, "anna").await;
            }
        })
    };
    let () = redis.ask(&["INCR", "{test}!bus:sequence"]).await;
    eventually("the gap is noticed", async || node.report().bus.gaps > gaps).await;
    asking.abort();
}
