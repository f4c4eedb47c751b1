//! The heartbeat beside the bus: which node writes it, how it is repaired, and its effect on nodes
//! of the previous version.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use strata_cache::Node;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};

use crate::support::ways::{never_opened, node_of_user};
use crate::support::{Redis, Source, cache, eventually, hears};

const BUS: &str = "{test}!bus";
const BEAT: &str = "{test}!bus:beat";

type Entries = Vec<(String, HashMap<String, String>)>;

async fn beat(redis: &Redis) -> HashMap<String, String> {
    let entries: Entries = redis.ask(&["XRANGE", BEAT, "-", "+"]).await;
    assert!(entries.len() <= 1, "{entries:?}");
    entries.into_iter().next().map(|(_, fields)| fields).unwrap_or_default()
}

fn written_us(beat: &HashMap<String, String>) -> u64 {
    beat["at"].parse().unwrap()
}

async fn next_beat(redis: &Redis) -> HashMap<String, String> {
    let last = redis.last_beat().await;
    eventually("the next heartbeat", async || redis.last_beat().await != last).await;
    beat(redis).await
}

#[tokio::test]
async fn one_node_writes_the_heartbeat_until_it_goes_and_then_another() {
    let redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let first = beat(&redis).await;
    let (writer, mut at_us) = (first["w"].clone(), written_us(&first));
    for _ in 0..3 {
        let next = next_beat(&redis).await;
        // On a machine that stalls, the other node may have assumed that the writer is gone.
        let was_late = written_us(&next) - at_us >= 1_300_000;
        assert!(next["w"] == writer || was_late, "{next:?}");
        at_us = written_us(&next);
    }
    one.shutdown();
    eventually("the other node takes over", async || beat(&redis).await["w"] != writer).await;
    hears(&two).await;
}

#[tokio::test]
async fn a_clock_of_redis_that_is_set_heals_by_itself() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let hour_us = 3_600_000_000_i64;
    for offset_us in [hour_us, -hour_us] {
        let now: (i64, i64) = redis.ask(&["TIME"]).await;
        let at = (now.0 * 1_000_000 + offset_us).to_string();
        let lua = format!(
            "redis.call('UNLINK', '{BEAT}')
             redis.call('XADD', '{BEAT}', '*', 'at', '{at}', 'w', 'somebody')"
        );
        let () = redis.ask(&["EVAL", &lua, "0"]).await;
        eventually("it is written anew", async || beat(&redis).await["w"] != "somebody").await;
        hears(&node).await;
    }
}

#[tokio::test]
async fn something_else_in_the_heartbeat_s_place_is_put_right() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let () = redis.ask(&["SET", BEAT, "no heartbeat"]).await;
    eventually("a heartbeat lies there", async || {
        redis.ask::<String>(&["TYPE", BEAT]).await == "stream"
    })
    .await;
    hears(&node).await;
    next_beat(&redis).await;
    hears(&node).await;
}

/// The previous version checks this on each read: messages are readable, each with the next number.
#[tokio::test]
async fn a_node_of_the_previous_version_sees_messages_alone_and_each_number_once() {
    let redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&one), cache(&two));
    let first: u64 = redis.ask(&["GET", "{test}!bus:sequence"]).await;
    for key in 0..5 {
        here.invalidate_many(&[key, key + 10]).await;
        there.invalidate_tag("tag").await;
        here.insert(&key, "value".to_owned()).await;
        next_beat(&redis).await;
    }
    let entries: Entries = redis.ask(&["XRANGE", BUS, "-", "+"]).await;
    let numbers: Vec<u64> =
        entries.iter().map(|(_, fields)| fields["s"].parse().unwrap()).collect();
    assert_eq!(numbers, (first + 1..=first + 20).collect::<Vec<_>>());
    assert!(
        entries
            .iter()
            .all(|(_, fields)| ["k", "c", "t", "o"].iter().all(|f| fields.contains_key(*f)))
    );
    let last: u64 = redis.ask(&["GET", "{test}!bus:sequence"]).await;
    assert_eq!(last, first + 20);
}

/// Invalidates as the previous version does, which keeps no numbers by cache.
async fn invalidate_as_before(redis: &Redis, cache: &str, key: u64) {
    let lua = "redis.call('UNLINK', KEYS[1])
        local n = redis.call('INCR', KEYS[3])
        redis.call('XADD', KEYS[2], '*', 's', string.format('%.0f', n), 'k', 'key',
          'c', ARGV[1], 't', ARGV[2], 'o', 'before')";
    let (entry, key) = (format!("{{test}}:{cache}:{key}"), key.to_string());
    let () = redis.ask(&["EVAL", lua, "3", &entry, BUS, "{test}!bus:sequence", cache, &key]).await;
}

#[tokio::test]
async fn a_node_of_the_previous_version_is_heard() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (here, source) = (cache(&node), Source::new());
    for row in 1..=3 {
        source.read(&here, 1).await;
        source.write(row);
        invalidate_as_before(&redis, "users", 1).await;
        eventually("it is heard", async || source.value(&here, 1).await == row.to_string()).await;
        here.invalidate(&2).await;
    }
    let report = node.report();
    assert_eq!((report.bus.gaps, report.bus.connected), (0, true));
}

#[tokio::test]
async fn a_message_of_the_previous_version_that_was_missed_may_be_of_any_cache() {
    let redis = Redis::start().await;
    let mut proxy = strata_testing::Proxy::before(&redis).await;
    let deaf = Node::builder("test").redis_url(&proxy.url()).start().await.unwrap();
    let other = redis.hearing_node("2").await;
    let (here, there) = (cache(&deaf), strata_cache::Cache::<u64, String>::builder("posts"));
    let there = there.build(&other).unwrap();
    let source = Source::new();
    there.invalidate(&1).await;
    source.read(&here, 1).await;
    hears(&deaf).await;
    proxy.hold(&[strata_testing::Line::Bus], &strata_testing::DIRECTIONS).await;
    source.write(7);
    invalidate_as_before(&redis, "users", 1).await;
    there.invalidate(&1).await;
    let () = redis.ask(&["XTRIM", BUS, "MAXLEN", "1"]).await;
    eventually("its connection is given up", async || deaf.report().bus.disconnects > 0).await;
    proxy.restore().await;
    eventually("the gap is noticed", async || deaf.report().bus.gaps > 0).await;
    assert_eq!(source.value(&here, 1).await, "7");
}

/// Forwards to Redis. Each piece of a client's data goes through `change`, which also gets the
/// connection's number.
async fn forwarding(
    redis: PathBuf,
    change: impl Fn(usize, &str) -> String + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let change = Arc::new(change);
    tokio::spawn(async move {
        for n in 0.. {
            let (client, _) = listener.accept().await.unwrap();
            let server = UnixStream::connect(&redis).await.unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
            let change = Arc::clone(&change);
            tokio::spawn(async move {
                let mut buffer = vec![0; 64 * 1024];
                while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
                    let text = change(n, &String::from_utf8_lossy(&buffer[..length]));
                    to_server.write_all(text.as_bytes()).await.unwrap();
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn a_look_at_the_heartbeat_is_one_round_trip() {
    let redis = Redis::start().await;
    let sent: Arc<Mutex<Vec<(usize, String)>>> = Arc::default();
    let noting = Arc::clone(&sent);
    let url = forwarding(redis.socket(), move |connection, text| {
        noting.lock().unwrap().push((connection, text.to_owned()));
        text.to_owned()
    });
    let node = Node::builder("test").redis_url(&url.await).start().await.unwrap();
    hears(&node).await;
    for _ in 0..2 {
        next_beat(&redis).await;
    }
    let sent = sent.lock().unwrap();
    let is_a_look = |text: &str| text.contains("XREVRANGE") && text.contains(BEAT);
    let looks = sent.iter().filter(|(_, text)| is_a_look(text));
    assert!(looks.clone().count() > 2);
    for (_, look) in looks {
        assert!(look.contains("TIME") && look.contains("HELLO"), "{look}");
    }
    let mut greeted = HashSet::new();
    for (connection, text) in sent.iter() {
        let asks_who_it_is = text.contains("HELLO") && !is_a_look(text);
        assert!(!asks_who_it_is || greeted.insert(connection), "once at a connection");
    }
}

#[tokio::test]
async fn where_nobody_may_say_hello_the_bus_is_heard_all_the_same() {
    let redis = Redis::start().await;
    let node = node_of_user(&redis, &["-hello"]).await;
    next_beat(&redis).await;
    hears(&node).await;
    never_opened(&node);
    assert!(node.report().l2.server.is_some(), "INFO says it");
}

#[tokio::test]
async fn a_server_that_does_not_block_is_not_asked_without_a_pause() {
    let redis = Redis::start().await;
    // Keeps each XREAD from blocking for longer than a millisecond.
    let url = forwarding(redis.socket(), |_, text| {
        text.replace("BLOCK\r\n$3\r\n500", "BLOCK\r\n$1\r\n1")
    });
    let url = url.await;
    let node = Node::builder("test").redis_url(&url).start().await.unwrap();
    hears(&node).await;
    let () = redis.ask(&["CONFIG", "RESETSTAT"]).await;
    let began = std::time::Instant::now();
    for _ in 0..2 {
        next_beat(&redis).await;
    }
    let stats: String = redis.ask(&["INFO", "commandstats"]).await;
    let xreads = stats.split("cmdstat_xread:calls=").nth(1).unwrap();
    let xreads: u128 = xreads.split(',').next().unwrap().parse().unwrap();
    // Each waits for as long as the server should have blocked.
    let most = began.elapsed().as_millis() / 450 + 2;
    assert!((3..most).contains(&xreads), "{xreads} reads, {most} at most");
    hears(&node).await;
}

/// Renews the heartbeat like another node that stalls for two seconds each time.
async fn stalling(redis: &Redis) {
    for _ in 0..5 {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let lua = format!(
            "local time = redis.call('TIME')
             local now = string.format('%.0f', time[1] * 1000000 + time[2])
             local last = redis.call('XREVRANGE', '{BEAT}', '+', '-', 'COUNT', 1)[1]
             if last and now - last[2][2] < 1300000 then return end
             redis.call('UNLINK', '{BEAT}')
             redis.call('XADD', '{BEAT}', '*', 'at', now, 'w', 'another')"
        );
        let () = redis.ask(&["EVAL", &lua, "0"]).await;
    }
}

#[tokio::test]
async fn a_node_that_stalls_counts_as_alive_and_one_that_is_gone_does_not() {
    let redis = Redis::start().await;
    let (gone, asking) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    gone.shutdown();
    assert_eq!(asking.has_living_peers().await, None, "it writes the heartbeat itself");
    asking.shutdown();
    assert_eq!(asking.has_living_peers().await, Some(false));
    tokio::select! {
        alive = asking.has_living_peers() => assert_eq!(alive, Some(true)),
        () = stalling(&redis) => panic!("nobody heard it"),
    }
}

#[tokio::test]
async fn without_an_answer_of_redis_nobody_knows_whether_others_are_alive() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    node.shutdown();
    redis.freeze();
    assert_eq!(node.has_living_peers().await, None);
}
