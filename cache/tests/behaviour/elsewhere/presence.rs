//! Who is there, what they report, and how a console learns that they are gone.

use std::time::Duration;

use strata_cache::report::PresenceState;
use strata_cache::test_clock::set_wall_ahead_ms;
use strata_cache::{Cache, Fleet, Node, Target};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::{Console, Doomed, all_end_by_themselves, builder, found, lives, node};
use crate::support::{Redis, Source, eventually};

const HOUR_MS: i64 = 3_600_000;

#[tokio::test]
async fn a_node_says_who_it_is_and_reports_its_caches_to_who_watches() {
    let redis = Redis::start().await;
    let node = builder(&redis, "pod-7")
        .app("shop-api", "2.1.0")
        .environment("production")
        .label("zone", "eu")
        .start()
        .await
        .unwrap();
    let users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    Source::new().read(&users, 1).await;
    let console = Console::of(&redis, "").await;
    let has_read = |node: &strata_cache::FleetNode| {
        let report = node.report.as_ref().map(|report| &report.report);
        report.is_some_and(|report| report.caches.iter().any(|cache| cache.outcomes.loaded == 1))
    };
    let seen = console.until("pod-7", "the read is reported", has_read).await;
    assert_eq!((seen.state, seen.is_two_processes), (PresenceState::Up, false));
    let card = seen.card.unwrap();
    assert_eq!(
        (&*card.app, &*card.version, &*card.environment),
        ("shop-api", "2.1.0", "production")
    );
    assert_eq!((card.protocol, card.pid), (1, std::process::id()));
    assert_eq!(card.labels.get("zone").map(String::as_str), Some("eu"));
    assert_eq!(card.caches, ["users"]);
    assert!(card.can.contains(&"look_l1".to_owned()));
    assert!(card.policy.looks && !card.policy.values && !card.policy.refreshes && !card.signed);
    let report = seen.report.unwrap();
    assert_eq!((&report.run, report.interval_ms, report.cut), (&card.run, 1_000, 0));
    assert!(console.view().await.node("console").is_none(), "who only looks on is no node");
}

#[tokio::test]
async fn details_are_reported_while_somebody_wants_them() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::default()).await;
    let users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    let source = Source::new();
    source.read(&users, 1).await;
    let console = Console::of(&redis, "").await;
    let groups = |node: &strata_cache::FleetNode| {
        let report = node.report.as_ref()?;
        Some((report.report.caches.first()?.groups.groups.len(), report.detailed.len()))
    };
    let is = |expected| move |node: &strata_cache::FleetNode| groups(node) == Some(expected);
    console.until("1", "it reports without them", is((0, 0))).await;
    console.fleet.want_details(["users".to_owned()]).await;
    console.until("1", "it reports with them", is((1, 1))).await;
    console.fleet.want_details([]).await;
    console.until("1", "it reports without them again", is((0, 0))).await;
}

#[tokio::test]
async fn a_report_says_which_invalidations_the_node_has_acted_on() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::default()).await;
    let _users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    console.observer.invalidate("users", Target::key("1")).await.unwrap();
    let sequence = console.observer.bus_sequence().await.unwrap();
    let has_acted = |node: &strata_cache::FleetNode| {
        node.report.as_ref().is_some_and(|report| report.acted_on >= sequence)
    };
    console.until("1", "it has acted", has_acted).await;
}

#[tokio::test]
async fn a_node_that_is_shut_down_has_left_when_the_shutdown_was_awaited() {
    let redis = Redis::start().await;
    let (one, two) =
        (node(&redis, "1", Fleet::default()).await, node(&redis, "2", Fleet::default()).await);
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    console.until_reported("2").await;
    one.shutdown().await;
    let view = console.view().await;
    let left = view.node("1").unwrap();
    assert_eq!(left.state, PresenceState::Left);
    assert!(left.report.is_some(), "its last numbers stay");
    assert_eq!(view.node("2").unwrap().state, PresenceState::Up);
    let keys: Vec<String> = redis.ask(&["KEYS", "{test}!fleet:*:1"]).await;
    assert!(keys.is_empty(), "{keys:?}");
    drop(two);
    console
        .until("2", "it leaves with its last handle", |node| node.state == PresenceState::Left)
        .await;
}

#[tokio::test]
async fn a_node_that_is_killed_is_late_and_then_lost_and_its_numbers_stay() {
    let redis = Redis::start().await;
    let mut doomed = Doomed::start(&redis, "1").await;
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    doomed.kill();
    console.until("1", "it is late", |node| node.state == PresenceState::Late).await;
    let lost = console.until("1", "it is lost", |node| node.state == PresenceState::Lost).await;
    assert!((10_001..=20_000).contains(&lost.heard_ms_ago), "{}", lost.heard_ms_ago);
    assert!(lost.report.is_some());
    let first_run = lost.report.unwrap().run.clone();
    let _again = Doomed::start(&redis, "1").await;
    let is_another = |node: &strata_cache::FleetNode| {
        node.state == PresenceState::Up
            && node.report.as_ref().is_some_and(|report| report.run != first_run)
    };
    let back = console.until("1", "it is up under another run", is_another).await;
    assert!(!back.is_two_processes);
    assert_eq!(doomed.node.id(), "1");
}

#[tokio::test]
async fn two_processes_under_one_id_are_told() {
    let redis = Redis::start().await;
    let (_one, _two) = (Doomed::start(&redis, "1").await, Doomed::start(&redis, "1").await);
    let console = Console::of(&redis, "").await;
    console.until("1", "their runs alternate", |node| node.is_two_processes).await;
}

#[tokio::test]
async fn the_second_of_two_processes_under_one_id_stays_when_the_first_leaves() {
    let redis = Redis::start().await;
    let one = node(&redis, "1", Fleet::default()).await;
    let console = Console::of(&redis, "").await;
    let first = console.until_reported("1").await.card.unwrap().run.clone();
    let two = Doomed::start(&redis, "1").await;
    let is_two =
        |node: &strata_cache::FleetNode| node.card.as_ref().is_some_and(|card| card.run != first);
    console.until("1", "the second one is seen", is_two).await;
    one.shutdown().await;
    console.until("1", "the second one beats", |node| node.state == PresenceState::Up).await;
    drop(two);
}

#[tokio::test]
async fn after_redis_was_emptied_the_node_is_seen_again_and_has_never_left() {
    let redis = Redis::start().await;
    let _node = node(&redis, "1", Fleet::default()).await;
    let console = Console::of(&redis, "").await;
    let before = console.until_reported("1").await.report.unwrap().beat;
    let () = redis.ask(&["FLUSHALL"]).await;
    let reports_again = |node: &strata_cache::FleetNode| {
        assert_ne!(node.state, PresenceState::Left);
        node.report.as_ref().is_some_and(|report| report.beat > before + 1)
    };
    let look = async || {
        let view = console.view().await;
        let node = view.node("1").expect("it is not forgotten");
        let card: i64 = redis.ask(&["EXISTS", "{test}!fleet:card:1"]).await;
        let beats = node.report.as_ref().map(|report| report.beat);
        beats.filter(|_| reports_again(node) && card == 1)
    };
    let beats = found("it reports again", look).await;
    assert!(beats > before + 1, "one beat finds its card gone, and one brings it");
}

#[tokio::test]
async fn a_wall_clock_that_is_an_hour_off_makes_nobody_late() {
    let redis = Redis::start().await;
    for ahead_ms in [HOUR_MS, -HOUR_MS] {
        set_wall_ahead_ms(ahead_ms);
        let id = format!("ahead{ahead_ms}");
        let node = node(&redis, &id, Fleet::default()).await;
        let console = Console::of(&redis, "").await;
        let seen = console.until_reported(&id).await;
        assert_eq!(seen.state, PresenceState::Up);
        assert!(seen.heard_ms_ago < 20_000, "{}", seen.heard_ms_ago);
        let reply = console.reply(&id, "match_l1", r#"{"cache":"none"}"#).await;
        assert_eq!(reply.node, id);
        // The other way round: a console whose clock differs from the node's.
        set_wall_ahead_ms(-ahead_ms);
        assert_eq!(console.state(&id).await, Some(PresenceState::Up));
        console.reply(&id, "match_l1", r#"{"cache":"none"}"#).await;
        node.shutdown().await;
        console.fleet.close().await;
    }
}

#[tokio::test]
async fn a_node_that_takes_no_part_writes_nothing_of_the_fleet() {
    let redis = Redis::start().await;
    let _hidden = node(&redis, "hidden", Fleet::off()).await;
    let _shown = node(&redis, "shown", Fleet::default()).await;
    let console = Console::of(&redis, "").await;
    console.until_reported("shown").await;
    assert_eq!(console.view().await.nodes.len(), 1);
    assert!(lives(&redis).await.iter().all(|(key, _)| !key.contains("hidden")));
}

#[tokio::test]
async fn every_key_of_the_fleet_ends_by_itself_when_a_console_dies_in_the_middle() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::default()).await;
    let _users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    console.reply("1", "details", r#"{"cache":"users"}"#).await;
    let (fleet, observer) = (console.fleet.clone(), console.observer.clone());
    let asking = tokio::spawn(async move {
        for _ in 0..100 {
            let _ = fleet
                .ask(strata_cache::AskTo::All, "details", r#"{"cache":"users"}"#, "anna")
                .await;
        }
    });
    eventually("asks lie there", async || {
        lives(&redis).await.iter().any(|(key, _)| key == "{test}!fleet:asks")
    })
    .await;
    // Without a word, as a process that was killed.
    asking.abort();
    drop(console);
    all_end_by_themselves(&redis).await;
    observer.shutdown().await;
    eventually("nobody watches any more", async || {
        let () = redis.ask(&["DEL", "{test}!fleet:replies:none"]).await;
        redis.ask::<i64>(&["HLEN", "{test}!fleet:want"]).await == 0
    })
    .await;
    all_end_by_themselves(&redis).await;
}

#[tokio::test]
async fn a_want_without_a_time_to_live_gets_one() {
    let redis = Redis::start().await;
    let _node = node(&redis, "1", Fleet::default()).await;
    let later = i64::try_from(redis.ask::<Vec<u64>>(&["TIME"]).await[0] * 1_000 + 30_000).unwrap();
    let want = format!("{{\"until\":{later},\"interval_ms\":1000}}");
    let () = redis.ask(&["HSET", "{test}!fleet:want", "somebody", &want]).await;
    eventually("it ends by itself", async || {
        redis.ask::<i64>(&["PTTL", "{test}!fleet:want"]).await > 0
    })
    .await;
    all_end_by_themselves(&redis).await;
}

#[tokio::test]
async fn nodes_report_as_often_as_a_console_last_said() {
    let redis = Redis::start().await;
    let _node = node(&redis, "1", Fleet::default()).await;
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    let asked = async || {
        let wants: Vec<String> = redis.ask(&["HVALS", "{test}!fleet:want"]).await;
        wants.concat()
    };
    assert!(asked().await.contains("\"interval_ms\":1000"), "{}", asked().await);
    console.fleet.report_every(Duration::from_secs(5)).await;
    assert!(asked().await.contains("\"interval_ms\":5000"), "{}", asked().await);
}

#[tokio::test]
async fn nodes_without_an_id_have_different_ones() {
    let redis = Redis::start().await;
    let start = || async { Node::builder("test").redis_url(&redis.url()).start().await.unwrap() };
    let (one, two) = (start().await, start().await);
    assert_ne!(one.id(), two.id());
    assert!(two.id().starts_with(one.id()));
}

/// The commands that clients send, as MONITOR tells them, those of scripts left out: seconds since
/// the epoch and the command.
async fn monitored(
    redis: &Redis,
    mut until: impl FnMut(&[(f64, String)]) -> bool,
) -> Vec<(f64, String)> {
    let mut stream = UnixStream::connect(redis.socket()).await.unwrap();
    stream.write_all(b"MONITOR\r\n").await.unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut seen = Vec::new();
    while !until(&seen) {
        let line = lines.next_line().await.unwrap().unwrap();
        let at = line.trim_start_matches('+').split(' ').next().and_then(|at| at.parse().ok());
        if let Some(at) = at
            && !line.contains("[0 lua]")
        {
            seen.push((at, line));
        }
    }
    seen
}

#[tokio::test]
async fn a_node_that_nobody_watches_sends_three_commands_in_ten_seconds_at_most() {
    let redis = Redis::start().await;
    let _node = node(&redis, "1", Fleet::default()).await;
    let is_of_fleet =
        |line: &str| line.contains("fleet:") && !line.contains("XREAD") || line.contains("strata:");
    // What it says first takes more: scripts are loaded, and the namespace is noted.
    let settled = |seen: &[(f64, String)]| {
        let of_fleet = || seen.iter().filter(|(_, line)| is_of_fleet(line)).map(|(at, _)| *at);
        let first = of_fleet().next().unwrap_or(f64::MAX);
        of_fleet().filter(|at| *at > first + 2.0).collect::<Vec<f64>>()
    };
    let waiting = monitored(&redis, |seen| settled(seen).len() == 4);
    let seen = tokio::time::timeout(Duration::from_secs(120), waiting).await.unwrap();
    let beats = settled(&seen);
    let rate = (beats.len() - 1) as f64 / (beats[beats.len() - 1] - beats[0]);
    assert!(rate <= 0.3, "{rate} commands a second: {seen:#?}");
    let others = seen.iter().filter(|(_, line)| !is_of_fleet(line));
    let bus = [
        "XREAD",
        "XREVRANGE",
        "TIME",
        "GET",
        "HELLO",
        "EVALSHA",
        "PING",
        "INFO",
        "SCRIPT",
        "MONITOR",
        "EVAL",
    ];
    for (_, line) in others {
        assert!(
            bus.iter().any(|name| line.to_uppercase().contains(&format!("\"{name}\""))),
            "{line}"
        );
    }
}
