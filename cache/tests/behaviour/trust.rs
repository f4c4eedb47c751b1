//! Trust ends by itself. Whatever keeps invalidations from being written or heard, the other nodes
//! read nothing older beyond the stated windows, and report it.

use std::io::Error;
use std::time::{Duration, Instant};

use strata_cache::report::{BusReport, Effect, Outcome};
use strata_cache::{Cache, Node, NotReady, TryWriteError};
use tokio::task::JoinSet;

use crate::support::{Redis, Source, cache, eventually, hears};

/// Trust ends within 3 s, and entries filled by then count for 5 s. The rest allows for a busy
/// machine. Entries live for a minute.
const WINDOWS: Duration = Duration::from_secs(20);

async fn falls_silent(node: &Node) -> BusReport {
    eventually("the bus is silent", async || !node.report().bus.connected).await;
    node.report().bus
}

/// From `refuse` until `mend`, no invalidation can be written, but all reads succeed.
async fn nobody_stays_stale(redis: &Redis, code: &str, refuse: &[&[&str]], mend: &[&str]) {
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&one), cache(&two));
    let source = Source::new();
    source.read(&there, 1).await;
    source.read(&here, 2).await;
    for command in refuse {
        let () = redis.ask(command).await;
    }
    eventually("Redis refuses", async || here.invalidate(&3).await == Effect::Queued).await;
    source.write(7);
    assert_eq!(here.invalidate(&1).await, Effect::Queued);
    assert_eq!(source.value(&here, 1).await, "7", "where it was acknowledged");
    let began = Instant::now();
    let bus = falls_silent(&two).await;
    assert!(bus.silent_since_ms.is_some());
    // On a busy machine an answer may be late first.
    eventually("it says why", async || {
        two.report().bus.silent_because.is_some_and(|because| because.contains(code))
    })
    .await;
    assert_eq!(there.get(&2).await.outcome, Outcome::Missed, "L2 is not read");
    assert!(!two.report().l2.breaker_open, "not because of the breaker");
    eventually("node 2 reads the newer value", async || source.value(&there, 1).await == "7").await;
    assert!(began.elapsed() < WINDOWS, "{:?}", began.elapsed());
    let () = redis.ask(mend).await;
    hears(&two).await;
    eventually("the queue is replayed", async || one.report().l2.queued_invalidations == 0).await;
    assert_eq!(two.report().bus.silent_because, None);
    assert_eq!(source.value(&there, 1).await, "7");
}

#[tokio::test]
async fn too_few_replicas_leave_no_node_stale() {
    let redis = Redis::start().await;
    let refuse: &[&str] = &["CONFIG", "SET", "min-replicas-to-write", "1"];
    let mend = ["CONFIG", "SET", "min-replicas-to-write", "0"];
    nobody_stays_stale(&redis, "NOREPLICAS", &[refuse], &mend).await;
}

#[tokio::test]
async fn a_master_that_was_demoted_leaves_no_node_stale() {
    let redis = Redis::start().await;
    let refuse: &[&str] = &["REPLICAOF", "127.0.0.1", "1"];
    nobody_stays_stale(&redis, "READONLY", &[refuse], &["REPLICAOF", "NO", "ONE"]).await;
}

#[tokio::test]
async fn a_redis_that_cannot_save_leaves_no_node_stale() {
    let redis = Redis::start().await;
    // A directory in place of the snapshot.
    std::fs::create_dir(redis.socket().with_file_name("dump.rdb")).unwrap();
    let refuse: [&[&str]; 2] = [&["CONFIG", "SET", "save", "3600 1"], &["BGSAVE"]];
    nobody_stays_stale(&redis, "MISCONF", &refuse, &["CONFIG", "SET", "save", ""]).await;
}

/// Each of the commands without which no invalidation can be written.
#[tokio::test]
async fn a_command_that_nobody_may_call_silences_the_bus_until_it_is_allowed() {
    let commands = ["unlink", "xtrim", "exists", "set", "incr", "xadd", "hmget", "hset", "evalsha"];
    let mut trials = JoinSet::new();
    for command in commands {
        trials.spawn(async move {
            let redis = Redis::start().await;
            let nodes = [redis.hearing_node("1").await, redis.hearing_node("2").await];
            let () = redis.ask(&["ACL", "SETUSER", "default", &format!("-{command}")]).await;
            for node in &nodes {
                falls_silent(node).await;
                // A machine that stalls may have another reason at first.
                eventually(&format!("without {command} that is said"), async || {
                    let because = node.report().bus.silent_because.unwrap_or_default();
                    // Within a script Redis reports it without the code.
                    ["NOPERM", "can't run this command"].iter().any(|said| because.contains(said))
                })
                .await;
            }
            let () = redis.ask(&["ACL", "SETUSER", "default", &format!("+{command}")]).await;
            for node in &nodes {
                hears(node).await;
            }
        });
    }
    trials.join_all().await;
}

#[tokio::test]
async fn one_node_that_alone_is_refused_silences_nobody_else() {
    let redis = Redis::start().await;
    let () = redis.ask(&["ACL", "SETUSER", "poor", "on", "nopass", "~*", "&*", "+@all"]).await;
    let url = redis.url().replace("redis+unix://", "redis+unix:///") + "?user=poor&pass=x";
    let url = url.replace("////", "///");
    let poor = Node::builder("test").redis_url(&url).start().await.unwrap();
    hears(&poor).await;
    let rich = redis.hearing_node("2").await;
    let () = redis.ask(&["ACL", "SETUSER", "poor", "-incr"]).await;
    eventually("the poor node cannot invalidate", async || {
        matches!(poor.ready_to_invalidate().await, Err(NotReady::Refused { .. }))
    })
    .await;
    eventually("the other node writes the heartbeat", async || {
        rich.ready_to_invalidate().await.unwrap();
        poor.report().bus.connected && rich.report().bus.connected
    })
    .await;
}

#[tokio::test]
async fn a_full_memory_silences_nobody_since_invalidations_go_on() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let () = redis.ask(&["CONFIG", "SET", "maxmemory", "1"]).await;
    for _ in 0..3 {
        let last: String = redis.last_beat().await;
        eventually("the next heartbeat", async || redis.last_beat().await != last).await;
        hears(&node).await;
    }
    assert_eq!(node.ready_to_invalidate().await, Ok(()));
    let late = redis.node("2").await;
    eventually("a node that starts now listens", async || late.report().bus.heard_at_ms.is_some())
        .await;
    hears(&late).await;
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn a_node_whose_runtime_is_gone_reads_nothing_older_beyond_the_windows_and_says_so() {
    let (first, second) = (runtime(), runtime());
    let source = Source::new();
    let (redis, other, there) = second.block_on(async {
        let redis = Redis::start().await;
        let other = redis.hearing_node("2").await;
        let there = cache(&other);
        (redis, other, there)
    });
    let (node, here) = first.block_on(async {
        let node = redis.hearing_node("1").await;
        let here = cache(&node);
        source.read(&here, 1).await;
        (node, here)
    });
    drop(first);
    second.block_on(async {
        source.write(7);
        there.invalidate(&1).await;
        let began = Instant::now();
        eventually("the newer value", async || source.value(&here, 1).await == "7").await;
        assert!(began.elapsed() < WINDOWS, "{:?}", began.elapsed());
        let because = falls_silent(&node).await.silent_because.unwrap_or_default();
        assert!(because.contains("the runtime that it ran on was dropped"), "{because}");
        assert!(other.report().bus.connected);
    });
}

#[tokio::test]
async fn a_node_that_is_shut_down_trusts_nothing_at_once() {
    let redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&one), cache(&two));
    Source::new().read(&there, 1).await;
    one.shutdown();
    assert_eq!(here.get(&1).await.outcome, Outcome::Missed, "L2 is not read");
    let bus = one.report().bus;
    assert!(!bus.connected);
    assert_eq!(bus.silent_because.as_deref(), Some("the node was shut down"));
}

#[tokio::test]
async fn a_node_trusts_as_soon_as_it_has_started() {
    let redis = Redis::start().await;
    let other = redis.node("1").await;
    Source::new().read(&cache(&other), 1).await;
    let node = redis.node("2").await;
    assert!(node.report().bus.connected);
    assert_eq!(cache(&node).get(&1).await.outcome, Outcome::L2Hit);
}

#[tokio::test]
async fn a_redis_that_goes_away_is_reported_as_the_reason_with_its_time() {
    let mut redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    assert_eq!(node.report().bus.silent_since_ms, None);
    redis.kill();
    let at_ms = node.report().at_ms;
    let bus = falls_silent(&node).await;
    let since_ms = bus.silent_since_ms.unwrap();
    assert!((at_ms..at_ms + 2_000).contains(&since_ms), "{since_ms} after {at_ms}");
    let because = bus.silent_because.unwrap();
    assert!(because.starts_with("the bus cannot be read"), "{because}");
    redis.restart().await;
    hears(&node).await;
    let bus = node.report().bus;
    assert_eq!((bus.silent_since_ms, bus.silent_because), (None, None));
}

async fn never() -> Result<String, Error> {
    unreachable!("the write ran")
}

async fn refusal(cache: &Cache<u64, String>) -> NotReady {
    match cache.try_write_through(&1, never()).await.unwrap_err() {
        TryWriteError::NotReady(why) => why,
        TryWriteError::Write(error) => unreachable!("{error}"),
    }
}

#[tokio::test]
async fn a_write_that_others_would_not_hear_of_is_refused_before_it_runs() {
    let mut redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let here = cache(&node);
    let write = async { Ok::<_, Error>("7".to_owned()) };
    let (value, _) = here.try_write_through(&1, write).await.unwrap();
    assert_eq!(*value, "7");
    let () = redis.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]).await;
    eventually("the last success is too old to count", async || {
        node.ready_to_invalidate().await.is_err()
    })
    .await;
    let why = refusal(&here).await;
    assert!(matches!(&why, NotReady::Refused { code, .. } if code == "NOREPLICAS"), "{why:?}");
    let () = redis.ask(&["CONFIG", "SET", "min-replicas-to-write", "0"]).await;
    eventually("invalidations can be written", async || node.ready_to_invalidate().await.is_ok())
        .await;
    redis.kill();
    eventually("Redis is away", async || node.ready_to_invalidate().await.is_err()).await;
    assert_eq!(refusal(&here).await, NotReady::Away);
}

#[tokio::test]
async fn a_redis_that_refuses_is_named_with_code_and_sentence() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let () = redis.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]).await;
    let refused = std::cell::RefCell::new(None);
    eventually("it is refused", async || {
        if let Err(NotReady::Refused { code, message }) = node.ready_to_invalidate().await {
            refused.replace(Some((code, message)));
        }
        refused.borrow().is_some()
    })
    .await;
    let (code, message) = refused.take().unwrap();
    assert_eq!(code, "NOREPLICAS");
    assert!(message.contains("replicas"), "{message}");
}

#[tokio::test]
async fn a_node_without_redis_is_always_ready() {
    let node = crate::support::lonely_node().await;
    assert_eq!(node.ready_to_invalidate().await, Ok(()));
    let write = async { Ok::<_, Error>("7".to_owned()) };
    assert!(cache(&node).try_write_through(&1, write).await.is_ok());
    let bus = node.report().bus;
    assert_eq!((bus.connected, bus.silent_since_ms), (false, None));
}

#[tokio::test]
async fn a_redis_that_hangs_is_not_waited_for_longer_than_the_timeout() {
    let redis = Redis::start().await;
    let timeout = Duration::from_millis(200);
    let node = Node::builder("test").redis_url(&redis.url()).l2_timeout(timeout);
    let node = node.start().await.unwrap();
    redis.freeze();
    let began = Instant::now();
    eventually("it is away", async || node.ready_to_invalidate().await == Err(NotReady::Away))
        .await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    redis.thaw();
}
