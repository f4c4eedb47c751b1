//! What others have put where the fleet keeps its own.

use std::time::Duration;

use strata_cache::report::{NodeCard, PresenceState, ReplyState};
use strata_cache::{AskTo, Cache, Fleet, Target};

use super::refusals::put_into;
use super::{Console, all_end_by_themselves, builder, lives, node};
use crate::support::{Redis, eventually, hears};

const KEYS: [&str; 7] = [
    "{test}!fleet:nodes",
    "{test}!fleet:card:1",
    "{test}!fleet:now:1",
    "{test}!fleet:want",
    "{test}!fleet:asks",
    "{test}!fleet:asks:1",
    "strata:namespaces",
];

async fn works(console: &Console) {
    console.until("1", "the node is up", |node| node.state == PresenceState::Up).await;
    console
        .until("1", "it is read", |node| node.unreadable.is_none() && node.report.is_some())
        .await;
    let one = r#"{"cache":"users"}"#;
    eventually("it is asked", async || {
        let asked = console.fleet.ask(AskTo::Node("1"), "details", one, "anna").await;
        asked.is_ok_and(|asked| {
            asked.replies.iter().any(|reply| reply.state == ReplyState::Answered)
        })
    })
    .await;
    eventually("all are asked", async || {
        let asked = console.fleet.ask(AskTo::All, "details", one, "anna").await;
        asked.is_ok_and(|asked| asked.replies.len() == 1)
    })
    .await;
}

#[tokio::test]
async fn garbage_at_a_key_of_the_fleet_is_replaced_and_stops_nobody() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::default()).await;
    let _users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    let console = Console::of(&redis, "").await;
    works(&console).await;
    for key in KEYS {
        let () = redis.ask(&["DEL", key]).await;
        let () = redis.ask(&["SET", key, "garbage"]).await;
    }
    let replies = format!("{{test}}!fleet:replies:{}", console.fleet.console());
    let () = redis.ask(&["SET", &replies, "garbage"]).await;
    works(&console).await;
    for key in &KEYS[..6] {
        let () = redis.ask(&["DEL", key]).await;
        let () = redis.ask(&["RPUSH", key, "garbage"]).await;
    }
    works(&console).await;
    let () = redis.ask(&["DEL", "strata:namespaces"]).await;
    hears(&node).await;
    assert_eq!(node.report().l2.breaker_opened, 0);
    // The garbage itself has no time to live; a beat replaces it.
    let all_end = async || lives(&redis).await.iter().all(|(_, left_ms)| *left_ms >= 0);
    eventually("no garbage is left", all_end).await;
    all_end_by_themselves(&redis).await;
}

#[tokio::test]
async fn garbage_within_the_keys_of_the_fleet_is_passed_over() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::default()).await;
    let _users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    let console = Console::of(&redis, "").await;
    for want in ["no JSON", "[]", "{}", "{\"until\":{}}", "{\"until\":9e99}", "{\"until\":-1}"] {
        let () = redis.ask(&["HSET", "{test}!fleet:want", want, want]).await;
    }
    let () = redis.ask(&["HSET", "{test}!fleet:want", "deep", &"[".repeat(10_000)]).await;
    let () = redis.ask(&["ZADD", "{test}!fleet:nodes", "inf", "a"]).await;
    let () = redis.ask(&["ZADD", "{test}!fleet:nodes", "-inf", "b"]).await;
    let () = redis.ask(&["ZADD", "{test}!fleet:nodes", "9e15", "from the future"]).await;
    for stream in ["{test}!fleet:asks", "{test}!fleet:asks:1"] {
        for ask in [
            &b""[..],
            b"\x01",
            b"garbage",
            b"\x01\x00{}",
            b"\x02\x00{}",
            b"\x01\x01\xff\xff\xff\x7fx",
        ] {
            put_into(&redis, stream, ask.to_vec()).await;
        }
        let () = redis.ask(&["XADD", stream, "*", "b", "c"]).await;
        put_into(&redis, stream, vec![b'x'; 10 << 20]).await;
    }
    works(&console).await;
    console
        .until("1", "asks are counted", |node| {
            node.report.as_ref().is_some_and(|report| report.asks.unreadable == 16)
        })
        .await;
    eventually("wants are removed", async || {
        redis.ask::<i64>(&["HLEN", "{test}!fleet:want"]).await == 1
    })
    .await;
    let view = console.view().await;
    assert_eq!(view.nodes.len(), 1, "{:?}", view.nodes);
    hears(&node).await;
    all_end_by_themselves(&redis).await;
}

/// Lays large entries where asks to all lie, as many as there is room for.
async fn flood(redis: &Redis, n: usize, bytes: usize) {
    for _ in 0..n {
        put_into(redis, "{test}!fleet:asks", vec![b'x'; bytes]).await;
    }
    let most = n.to_string();
    let () = redis.ask(&["XTRIM", "{test}!fleet:asks", "MAXLEN", &most]).await;
}

/// Redis cuts a connection off that is to carry more than this at once.
async fn allow_answers_of(redis: &Redis, bytes: usize) {
    let limit = format!("normal {bytes} 0 0");
    let () = redis.ask(&["CONFIG", "SET", "client-output-buffer-limit", &limit]).await;
}

#[tokio::test]
async fn few_asks_are_read_at_once_so_that_large_ones_do_not_keep_the_bus_waiting() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::default()).await;
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    let disconnects = node.report().bus.disconnects;
    allow_answers_of(&redis, 4 << 20).await;
    // All at once, as they lie there after a moment in which the node was not asked.
    let mut script = "for n = 1, 100 do redis.call('XADD', KEYS[1], '*', 'a', ".to_owned();
    script.push_str("string.rep('x', 100000)) end redis.call('PEXPIRE', KEYS[1], 60000)");
    let () = redis.ask(&["EVAL", &script, "1", "{test}!fleet:asks"]).await;
    console
        .until("1", "all are read", |node| {
            node.report.as_ref().is_some_and(|report| report.asks.unreadable == 100)
        })
        .await;
    assert_eq!(node.report().bus.disconnects, disconnects);
    hears(&node).await;
}

#[tokio::test]
async fn trust_returns_while_what_lies_among_the_asks_is_too_large_to_be_read() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::default()).await;
    let _users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    let disconnects = node.report().bus.disconnects;
    allow_answers_of(&redis, 1 << 20).await;
    let flooding = async {
        loop {
            flood(&redis, 2, 2 << 20).await;
        }
    };
    let hearing = async {
        eventually("it is cut off", async || node.report().bus.disconnects > disconnects).await;
        node.invalidate("users", Target::key("1")).await.unwrap();
        let sequence = node.bus_sequence().await.unwrap();
        assert!(node.has_heard(sequence, Duration::from_secs(30)).await);
        hears(&node).await;
    };
    tokio::select! {
        () = flooding => {}
        () = hearing => {}
    }
}

#[tokio::test]
async fn a_card_of_a_later_protocol_and_a_report_of_ten_megabytes_say_why_they_are_not_read() {
    let redis = Redis::start().await;
    let console = Console::of(&redis, "").await;
    let now_ms = (redis.ask::<Vec<u64>>(&["TIME"]).await[0] * 1_000).to_string();
    for id in ["later", "large", "garbage"] {
        let () = redis.ask(&["ZADD", "{test}!fleet:nodes", &now_ms, id]).await;
    }
    let card = NodeCard { protocol: 2, node: "later".to_owned(), ..NodeCard::default() };
    let card = format!("\u{1}\0{}", serde_json::to_string(&card).unwrap());
    let () = redis.ask(&["SET", "{test}!fleet:card:later", &card]).await;
    let () = redis.ask(&["SET", "{test}!fleet:card:garbage", "garbage"]).await;
    let large = format!("\u{1}\0{}", " ".repeat(10 << 20));
    let () = redis.ask(&["SET", "{test}!fleet:now:large", &large]).await;
    let view = console.view().await;
    let said = |id: &str| view.node(id).unwrap().unreadable.as_ref().unwrap().to_string();
    assert_eq!(
        said("later"),
        "read fleet protocol 2: this release speaks protocol 1, a newer one is needed"
    );
    assert_eq!(
        said("large"),
        "read 10485762 bytes, which are more than the 262144 that are allowed"
    );
    assert_eq!(said("garbage"), "read form 103: this release reads form 1, a newer one is needed");
}

#[tokio::test]
async fn where_the_fleet_s_keys_are_forbidden_the_node_goes_on_unseen() {
    let redis = Redis::start().await;
    crate::support::ways::set_user(
        &redis,
        &["resetkeys", "~{test}:*", "~{test}!bus*", "~{test}!schemas*", "~{test}!tags*"],
    )
    .await;
    let url = format!("{}?user=app&pass=secret", redis.url());
    let node = builder(&redis, "1").redis_url(&url).start().await.unwrap();
    hears(&node).await;
    let users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    let console = Console::of(&redis, "").await;
    let gaps = node.report().bus.gaps;
    for key in 0..20 {
        users.invalidate(&key).await;
        console.observer.invalidate("users", Target::key("1")).await.unwrap();
        let sequence = console.observer.bus_sequence().await.unwrap();
        assert!(node.has_heard(sequence, Duration::from_secs(30)).await);
    }
    let report = node.report();
    assert_eq!((report.bus.gaps, report.bus.disconnects, report.l2.breaker_opened), (gaps, 0, 0));
    assert!(console.view().await.nodes.is_empty());
}
