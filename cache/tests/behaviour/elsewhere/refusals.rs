//! Who may ask what, and what becomes of the others.

use strata_cache::report::{Ask, AskCounts, AskKind, Reply, ReplyState};
use strata_cache::{AskTo, Cache, Fleet};

use super::{Console, KEY, node};
use crate::support::{Redis, eventually};

const LOOK: &str = r#"{"cache":"users","key":"1"}"#;

async fn counts(console: &Console, what: &str, holds: impl Fn(AskCounts) -> bool) {
    let counted = console
        .until("1", what, |node| node.report.as_ref().is_some_and(|report| holds(report.asks)));
    counted.await;
}

/// How many asks were late or repeated, as of a report that was written from now on.
async fn refused(console: &Console) -> u64 {
    let beat = |node: &strata_cache::FleetNode| node.report.as_ref().map(|report| report.beat);
    let now = beat(&console.until_reported("1").await);
    // One that is being written may not have all.
    let later = |node: &strata_cache::FleetNode| beat(node) > now.map(|beat| beat + 1);
    let asks = console.until("1", "it has reported since", later).await.report.unwrap().asks;
    asks.repeated + asks.late
}

/// An ask as it lies in the node's stream.
async fn lying(redis: &Redis) -> Vec<u8> {
    type Entries = Vec<(String, Vec<(String, Vec<u8>)>)>;
    let mut entries: Entries = redis.ask(&["XRANGE", "{test}!fleet:asks:1", "-", "+"]).await;
    entries.pop().unwrap().1.pop().unwrap().1
}

async fn put(redis: &Redis, ask: Vec<u8>) {
    put_into(redis, "{test}!fleet:asks:1", ask).await;
}

pub(super) async fn put_into(redis: &Redis, stream: &str, ask: Vec<u8>) {
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut xadd = redis::cmd("XADD");
    xadd.arg(stream).arg("*").arg("a").arg(ask);
    let () = xadd.query_async(&mut connection).await.unwrap();
    let () =
        redis::cmd("PEXPIRE").arg(stream).arg(60_000).query_async(&mut connection).await.unwrap();
}

fn bytes(ask: &Ask) -> Vec<u8> {
    [&b"\x01\x00"[..], &serde_json::to_vec(ask).unwrap()].concat()
}

async fn now_ms(redis: &Redis) -> u64 {
    redis.ask::<Vec<u64>>(&["TIME"]).await[0] * 1_000
}

#[tokio::test]
async fn an_ask_that_was_altered_or_is_sent_again_is_refused_and_counted() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::reports().looks().values().key(KEY)).await;
    let _users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    let console = Console::of(&redis, KEY).await;
    console.until_reported("1").await;
    assert_eq!(console.reply("1", "look_l1", LOOK).await.state, ReplyState::Answered);
    let signed = lying(&redis).await;
    // What a loaded machine has missed so far counts as well.
    let before = refused(&console).await;
    // Within its time, which a loaded machine may miss: then it is late, and refused for that.
    put(&redis, signed.clone()).await;
    counts(&console, "it is refused", |asks| asks.repeated + asks.late > before).await;
    let text = String::from_utf8(signed).unwrap();
    for (n, (from, to)) in
        [("anna", "eve"), ("look_l1", "details"), ("users", "posts")].into_iter().enumerate()
    {
        // A deadline that has not passed, so that the signature alone tells.
        let mut ask: Ask = serde_json::from_str(&text[2..].replace(from, to)).unwrap();
        ask.deadline_ms = now_ms(&redis).await + 30_000;
        put(&redis, bytes(&ask)).await;
        counts(&console, "it is refused", |asks| asks.unsigned == n as u64 + 1).await;
    }
}

#[tokio::test]
async fn an_ask_is_answered_once_however_often_it_is_sent() {
    let redis = Redis::start().await;
    let _node = node(&redis, "1", Fleet::default()).await;
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    let ask = Ask {
        protocol: 1,
        id: "once".to_owned(),
        console: "nobody".to_owned(),
        kind: AskKind::GroupOf.as_str().to_owned(),
        body: LOOK.to_owned(),
        deadline_ms: now_ms(&redis).await + 30_000,
        ..Ask::default()
    };
    for _ in 0..3 {
        put(&redis, bytes(&ask)).await;
    }
    counts(&console, "two are refused", |asks| (asks.answered, asks.repeated) == (1, 2)).await;
    let replies: i64 = redis.ask(&["EXISTS", "{test}!fleet:replies:nobody"]).await;
    assert_eq!(replies, 0, "nobody who wants nothing is answered");
}

#[tokio::test]
async fn asks_out_of_time_or_for_others_are_refused_and_counted() {
    let redis = Redis::start().await;
    let _node = node(&redis, "1", Fleet::default()).await;
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    let now_ms = now_ms(&redis).await;
    let ask = |id: &str, deadline_ms, to: Option<&str>| Ask {
        protocol: 1,
        id: id.to_owned(),
        console: "nobody".to_owned(),
        to: to.map(str::to_owned),
        kind: AskKind::GroupOf.as_str().to_owned(),
        body: LOOK.to_owned(),
        deadline_ms,
        ..Ask::default()
    };
    let soon = now_ms + 30_000;
    put(&redis, bytes(&ask("past", now_ms - 1_000, None))).await;
    put(&redis, bytes(&ask("far", now_ms + 600_000, None))).await;
    put(&redis, bytes(&ask("none", 0, None))).await;
    put(&redis, bytes(&ask("other", soon, Some("2")))).await;
    put(&redis, bytes(&ask("good", soon, Some("1")))).await;
    put_into(&redis, "{test}!fleet:asks", bytes(&ask("all", soon, None))).await;
    let later = Ask { protocol: 2, ..ask("later", soon, None) };
    put(&redis, bytes(&later)).await;
    counts(&console, "each is counted", |asks| {
        (asks.late, asks.misdirected, asks.answered, asks.unreadable) == (3, 1, 2, 1)
    })
    .await;
}

#[tokio::test]
async fn a_node_with_a_key_tells_a_console_without_it_why_it_is_refused() {
    let redis = Redis::start().await;
    let _node = node(&redis, "1", Fleet::default().key(KEY)).await;
    for key in ["", "another"] {
        let console = Console::of(&redis, key).await;
        assert!(console.until_reported("1").await.card.unwrap().signed);
        let reply = console.reply("1", "look_l1", LOOK).await;
        assert_eq!(reply.state, ReplyState::Refused);
        assert_eq!(reply.because, "the ask is not signed with this node's STRATA_FLEET_KEY");
    }
}

#[tokio::test]
async fn the_policy_forbids_what_it_does_not_allow() {
    let redis = Redis::start().await;
    let closed = node(&redis, "1", Fleet::reports()).await;
    let keyless = node(&redis, "2", Fleet::reports().looks().values().refreshes()).await;
    let _caches: Vec<Cache<u64, String>> =
        [&closed, &keyless].map(|node| Cache::builder("users").build(node).unwrap()).into();
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    console.until_reported("2").await;
    let refused = async |node: &str, kind: &str| {
        let reply: Reply = console.reply(node, kind, LOOK).await;
        assert_eq!((reply.state, &*reply.body), (ReplyState::Refused, ""), "{kind}");
        reply.because
    };
    assert_eq!(refused("1", "look_l1").await, "this node lets nobody look into its L1");
    assert_eq!(refused("2", "look_l2").await, "this node shows no values");
    assert_eq!(refused("2", "refresh").await, "this node loads nothing for consoles");
    assert_eq!(console.reply("1", "details", LOOK).await.state, ReplyState::Answered);
    counts(&console, "it is counted", |asks| asks.forbidden >= 1).await;
}

#[tokio::test]
async fn a_kind_of_a_later_release_is_unsupported_by_this_version() {
    let redis = Redis::start().await;
    let _node = node(&redis, "1", Fleet::default()).await;
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    let reply = console.reply("1", "read_minds", "{}").await;
    assert_eq!(reply.state, ReplyState::Unsupported);
    assert_eq!(reply.strata, env!("CARGO_PKG_VERSION"));
    counts(&console, "it is counted", |asks| asks.unsupported >= 1).await;
}

#[tokio::test]
async fn an_ask_that_makes_no_sense_fails_with_a_reason() {
    let redis = Redis::start().await;
    let node = node(&redis, "1", Fleet::default()).await;
    let _users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    let console = Console::of(&redis, "").await;
    console.until_reported("1").await;
    let bodies = [
        ("look_l1", "no JSON"),
        ("look_l1", "[]"),
        ("look_l1", r#"{"cache":"nowhere","key":"1"}"#),
        ("look_l1", r#"{"cache":"users","key":"no number"}"#),
    ];
    for (kind, body) in bodies {
        let reply = console.reply("1", kind, body).await;
        assert_eq!(reply.state, ReplyState::Failed, "{kind} {body}: {}", reply.because);
        assert!(!reply.because.is_empty());
    }
    let large = "x".repeat(70_000);
    let refused = console.fleet.ask(AskTo::Node("1"), "look_l1", &large, "anna").await;
    assert_eq!(refused.unwrap_err().to_string(), "ask with more than 65536 bytes");
    eventually("it still answers", async || {
        console.reply("1", "look_l1", LOOK).await.state == ReplyState::Answered
    })
    .await;
}
