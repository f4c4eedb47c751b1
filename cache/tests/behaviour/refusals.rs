//! Redis is there and refuses something: that is the one call's failure, never the loss of Redis.

use std::time::Duration;

use strata_cache::report::{Effect, NodeReport, Outcome};
use strata_cache::{Cache, L2Head, Node, Pattern};

use crate::support::proxy::{Line, Proxy, Way};
use crate::support::ways::{LONG, SHORT, node_behind, onlooker};
use crate::support::{Redis, Source, cache, eventually, hears};

fn times(report: &NodeReport, code: &str) -> u64 {
    report.l2.errors_by_code.get(code).copied().unwrap_or(0)
}

fn never_opened(node: &Node) {
    let l2 = node.report().l2;
    assert_eq!((l2.breaker_open, l2.breaker_opened), (false, 0), "{:?}", l2.last_error);
}

/// A node that logs in as `app`, a user who may do all but what these rules take away.
async fn node_of(redis: &Redis, rules: &[&str]) -> Node {
    set_user(redis, rules).await;
    let url = format!("{}?user=app&pass=secret", redis.url());
    let node = Node::builder("test").id("app").redis_url(&url).l2_timeout(LONG);
    let node = node.start().await.unwrap();
    hears(&node).await;
    node
}

async fn set_user(redis: &Redis, rules: &[&str]) {
    let mut words = vec!["ACL", "SETUSER", "app", "reset", "on", ">secret", "~*", "&*", "+@all"];
    words.extend(rules);
    let () = redis.ask(&words).await;
}

#[tokio::test]
async fn a_redis_whose_memory_is_full_still_answers_reads_and_takes_invalidations() {
    let redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&one), cache(&two));
    let source = Source::new();
    for key in 0..20 {
        source.read(&there, key).await;
    }
    let () = redis.ask(&["CONFIG", "SET", "maxmemory", "1"]).await;
    for key in 100..120 {
        assert_eq!(source.read(&here, key).await.outcome, Outcome::Loaded);
    }
    for key in 0..20 {
        assert_eq!(source.read(&here, key).await.outcome, Outcome::L2Hit, "key {key}");
    }
    source.write(7);
    assert_eq!(here.invalidate(&1).await, Effect::Removed { entries: 1 });
    eventually("node 2 hears", async || source.value(&there, 1).await == "7").await;
    never_opened(&one);
    assert!(times(&one.report(), "OOM") >= 20, "{:?}", one.report().l2);
    assert_eq!(one.report().l2.last_error.unwrap().code, "OOM");
}

#[tokio::test]
async fn what_an_operator_may_not_ask_is_told_and_opens_nothing() {
    let redis = Redis::start().await;
    let node = node_of(&redis, &["-slowlog"]).await;
    let server = node.redis_server().await.unwrap();
    assert!(server.slow_log_refused.unwrap().starts_with("NOPERM"), "said");
    assert_eq!(server.info_refused, None);
    assert!(server.clients > 0);
    set_user(&redis, &["-@admin", "-@dangerous"]).await;
    let server = node.redis_server().await.unwrap();
    assert!(server.info_refused.unwrap().starts_with("NOPERM"), "said");
    assert!(node.redis_state().await.up);
    never_opened(&node);
    assert_eq!(node.report().l2.last_error, None, "the caches' own way is sound");
}

#[tokio::test]
async fn a_key_of_another_type_spoils_no_other() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (cache, source) = (cache(&node), Source::new());
    for key in 1..=5 {
        source.read(&cache, key).await;
    }
    let () = redis.ask(&["HSET", "{test}:users:6", "field", "value"]).await;
    let () = redis.ask(&["SET", "{test}:users:7", "no entry"]).await;
    let all = Pattern::parse("*").unwrap();
    let (mut cursor, mut keys) = (0, Vec::new());
    loop {
        let (next, some) = node.scan_l2("users", &all, cursor).await.unwrap().unwrap();
        keys.extend(some);
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    keys.sort();
    assert_eq!(keys, ["1", "2", "3", "4", "5", "6", "7"]);
    let heads = node.heads_l2("users", &keys).await.unwrap().unwrap();
    let odd = |head: &Option<L2Head>| *head == Some(L2Head::SomethingElse);
    assert_eq!(
        heads.iter().map(odd).collect::<Vec<_>>(),
        [false, false, false, false, false, true, true]
    );
    assert!(heads.iter().all(Option::is_some));
    let (count, _) = node.match_l2("users", &all, 10).await.unwrap().unwrap();
    assert_eq!(count, 7, "a plan agrees with the list");
    let elsewhere = crate::support::cache(&redis.hearing_node("2").await);
    for key in [6, 7] {
        assert_eq!(source.read(&elsewhere, key).await.outcome, Outcome::Loaded, "key {key}");
    }
    assert_eq!(source.read(&elsewhere, 1).await.outcome, Outcome::L2Hit);
    assert!(node.count_l2().await.is_some());
    never_opened(&node);
}

#[tokio::test]
async fn a_refused_invalidation_waits_and_its_cache_alone_does_without_l2() {
    let redis = Redis::start().await;
    let node = node_of(&redis, &[]).await;
    let users = cache(&node);
    let posts: Cache<u64, String> = Cache::builder("posts").build(&node).unwrap();
    let other = onlooker(&redis).await;
    let elsewhere: Cache<u64, String> = Cache::builder("posts").build(&other).unwrap();
    let source = Source::new();
    source.read(&users, 1).await;
    source.read(&elsewhere, 1).await;
    set_user(&redis, &["-xadd"]).await;
    source.write(7);
    assert_eq!(users.invalidate(&1).await, Effect::Queued);
    assert_eq!(source.value(&users, 1).await, "7", "L2 still holds the older value");
    assert_eq!(source.read(&posts, 1).await.outcome, Outcome::L2Hit);
    let l2 = node.report().l2;
    assert_eq!(l2.queued_invalidations, 1);
    assert_eq!(l2.last_error.unwrap().code, "NOPERM");
    never_opened(&node);
    set_user(&redis, &[]).await;
    eventually("it is sent", async || node.report().l2.queued_invalidations == 0).await;
    assert_eq!(node.report().l2.replayed_invalidations, 1);
    let new = cache(&onlooker(&redis).await);
    assert_eq!(source.value(&new, 1).await, "7");
    source.read(&new, 2).await;
    assert_eq!(source.read(&users, 2).await.outcome, Outcome::L2Hit, "L2 is read again");
    never_opened(&node);
}

#[tokio::test]
async fn a_replica_that_takes_no_writes_still_answers_reads() {
    let redis = Redis::start().await;
    let (node, other) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&node), cache(&other));
    let source = Source::new();
    source.read(&there, 1).await;
    let () = redis.ask(&["REPLICAOF", "127.0.0.1", "1"]).await;
    assert_eq!(source.read(&here, 1).await.outcome, Outcome::L2Hit);
    assert_eq!(here.invalidate(&2).await, Effect::Queued);
    assert_eq!(node.report().l2.last_error.unwrap().code, "READONLY");
    never_opened(&node);
    let () = redis.ask(&["REPLICAOF", "NO", "ONE"]).await;
    eventually("it is sent", async || node.report().l2.queued_invalidations == 0).await;
}

#[tokio::test]
async fn a_replica_that_cannot_serve_is_as_good_as_no_redis() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (cache, source) = (cache(&node), Source::new());
    source.read(&cache, 1).await;
    let () = redis.ask(&["CONFIG", "SET", "replica-serve-stale-data", "no"]).await;
    let () = redis.ask(&["REPLICAOF", "127.0.0.1", "1"]).await;
    assert_eq!(source.read(&cache, 2).await.outcome, Outcome::Loaded);
    let l2 = node.report().l2;
    assert!(l2.breaker_open);
    assert_eq!(l2.last_error.unwrap().code, "MASTERDOWN");
    let () = redis.ask(&["REPLICAOF", "NO", "ONE"]).await;
    eventually("the breaker closes", async || !node.report().l2.breaker_open).await;
}

#[tokio::test]
async fn a_redis_that_is_busy_with_a_script_is_asked_again_and_not_given_up() {
    let redis = Redis::start().await;
    let () = redis.ask(&["CONFIG", "SET", "busy-reply-threshold", "1"]).await;
    let node = Node::builder("test").redis_url(&redis.url()).l2_timeout(SHORT);
    let node = node.start().await.unwrap();
    hears(&node).await;
    let (cache, source) = (cache(&node), Source::new());
    source.read(&crate::support::cache(&onlooker(&redis).await), 2).await;
    let endless = redis.spawn(&["EVAL", "while true do end", "0"]);
    eventually("Redis is busy", async || redis.refuses(&["PING"]).await).await;
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::Loaded);
    assert_eq!(times(&node.report(), "BUSY"), 1);
    never_opened(&node);
    let () = redis.ask(&["SCRIPT", "KILL"]).await;
    endless.await.unwrap();
    hears(&node).await;
    assert_eq!(source.read(&cache, 2).await.outcome, Outcome::L2Hit);
}

#[tokio::test]
async fn a_connection_that_redis_closed_costs_a_read_and_an_invalidation_nothing() {
    let redis = Redis::start().await;
    let (node, other) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&node), cache(&other));
    let source = Source::new();
    for key in 1..=2 {
        source.read(&there, key).await;
    }
    let () = redis.ask(&["CLIENT", "KILL", "TYPE", "NORMAL"]).await;
    assert_eq!(source.read(&here, 1).await.outcome, Outcome::L2Hit);
    let () = redis.ask(&["CLIENT", "KILL", "TYPE", "NORMAL"]).await;
    assert_eq!(here.invalidate(&2).await, Effect::Removed { entries: 1 });
    let () = redis.ask(&["CLIENT", "KILL", "TYPE", "NORMAL"]).await;
    assert!(node.redis_server().await.is_some());
    never_opened(&node);
}

#[tokio::test]
async fn one_answer_that_is_late_costs_its_own_read_while_redis_answers_a_ping() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let node = node_behind(&proxy, SHORT).await;
    let (cache, source) = (cache(&node), Source::new());
    for key in 1..=2 {
        source.read(&crate::support::cache(&onlooker(&redis).await), key).await;
    }
    // So that the operator's connection is known by its first command.
    node.count_l2().await.unwrap();
    proxy.hold(&[Line::L2], &[Way::Answers]).await;
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::Loaded);
    let l2 = node.report().l2;
    assert_eq!((l2.timeouts, l2.breaker_opened), (1, 0));
    proxy.restore().await;
    assert_eq!(source.read(&cache, 2).await.outcome, Outcome::L2Hit);
    never_opened(&node);
}

#[tokio::test]
async fn several_late_answers_in_a_row_open_the_breaker_though_redis_answers_a_ping() {
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let node = node_behind(&proxy, Duration::from_millis(400)).await;
    let (cache, source) = (cache(&node), Source::new());
    node.count_l2().await.unwrap();
    proxy.hold(&[Line::L2], &[Way::Answers]).await;
    for key in 1..=3 {
        source.read(&cache, key).await;
    }
    never_opened(&node);
    source.read(&cache, 4).await;
    assert!(node.report().l2.breaker_open);
    proxy.restore().await;
    eventually("the breaker closes", async || !node.report().l2.breaker_open).await;
}

#[tokio::test]
async fn large_entries_are_asked_for_few_at_a_time() {
    const ENTRY_BYTES: usize = 400_000;
    let redis = Redis::start().await;
    let mut proxy = Proxy::before(&redis).await;
    let node = node_behind(&proxy, LONG).await;
    let (here, there) = (cache(&node), cache(&onlooker(&redis).await));
    let load = |keys: Vec<u64>| async {
        let rows = keys.into_iter().map(|key| (key, "x".repeat(ENTRY_BYTES)));
        Ok::<_, std::io::Error>(rows.collect())
    };
    let keys: Vec<u64> = (0..64).collect();
    there.get_many(&keys, load).await;
    proxy.restore().await;
    // The large entries may have kept the machine from hearing the bus.
    hears(&node).await;
    proxy.forget();
    let reads = here.get_many(&keys, load).await;
    assert!(reads.into_iter().all(|read| read.unwrap().outcome == Outcome::L2Hit));
    let asked = proxy.times(Line::L2, "MGET");
    assert_eq!(asked, 25, "sixteen before their size is known, then two at a time");
    never_opened(&node);
}

#[tokio::test]
async fn why_redis_cannot_be_reached_is_said() {
    let redis = Redis::start().await;
    let () = redis.ask(&["CONFIG", "SET", "requirepass", "right"]).await;
    let at = |tail: &str| format!("{}{tail}", redis.url());
    for (url, code, says) in [
        (at("?pass=wrong"), "WRONGPASS", "authentication failed"),
        (at("?pass=right&db=99"), "ERR", "out of range"),
        (at(""), "NOAUTH", "Authentication required"),
        ("redis://no-such-host.invalid".to_owned(), "CONNECTION", "failed to lookup"),
        ("redis://127.0.0.1:1".to_owned(), "CONNECTION", "refused"),
    ] {
        let node = Node::builder("test").redis_url(&url).start().await.unwrap();
        let l2 = node.report().l2;
        let error = l2.last_error.unwrap();
        let said = error.message.to_lowercase();
        assert!(error.code == code && said.contains(&says.to_lowercase()), "{url}: {error:?}");
        assert!(l2.breaker_open && error.since_ms > 0 && error.times > 0);
    }
}

#[tokio::test]
async fn the_server_is_named_also_to_a_user_who_may_not_ask_for_info() {
    let redis = Redis::start().await;
    let node = node_of(&redis, &["-info"]).await;
    let server = node.report().l2.server.unwrap();
    let said: String = redis.ask(&["INFO", "server"]).await;
    assert!(said.contains(&format!("redis_version:{}", server.version)), "{server:?}");
}

#[tokio::test]
async fn without_the_id_of_a_run_an_older_state_is_known_by_its_sequence() {
    let mut redis = Redis::start().await;
    // The user lies in the snapshot's folder, so that a restart knows it.
    let node = node_of(&redis, &["-info"]).await;
    let (cache, source) = (cache(&node), Source::new());
    source.value(&cache, 1).await;
    let () = redis.ask(&["SAVE"]).await;
    source.write(7);
    cache.invalidate(&1).await;
    redis.restart().await;
    set_user(&redis, &["-info"]).await;
    eventually("L2 is trusted", async || !node.report().l2.breaker_open).await;
    hears(&node).await;
    let held: bool = redis.ask(&["EXISTS", "{test}:users:1"]).await;
    assert!(held, "the snapshot holds it");
    assert_eq!(source.value(&cache, 1).await, "7");
}

/// What a service needs: as in the README, for the namespace `test`.
const RULES: &str = "resetkeys ~{test}* resetchannels -@all +@read +@write +@connection \
    +@transaction +@scripting -@dangerous +time";

#[tokio::test]
async fn a_user_who_may_touch_its_namespace_alone_has_all_that_a_cache_does() {
    let readme = include_str!("../../README.md");
    let documented = RULES.split_whitespace().collect::<Vec<_>>().join(" ").replace("test", "shop");
    assert!(readme.contains(&documented), "the README says: {documented}");
    let redis = Redis::start().await;
    let rules: Vec<&str> = RULES.split_whitespace().collect();
    let node = node_of(&redis, &rules).await;
    let (here, there) = (cache(&node), cache(&onlooker(&redis).await));
    let source = Source::new();
    source.read(&there, 1).await;
    assert_eq!(source.read(&here, 1).await.outcome, Outcome::L2Hit);
    source.read(&here, 2).await;
    for effect in [
        here.invalidate(&1).await,
        here.invalidate_softly(&2).await,
        here.invalidate_tag("tag").await,
        here.invalidate_pattern(&Pattern::prefix("2")).await,
        here.insert(&3, "three".to_owned()).await,
        here.clear().await,
    ] {
        assert_ne!(effect, Effect::Queued);
    }
    let tagged = || async {
        Ok::<_, std::io::Error>(Some(strata_cache::Loaded::from("4".to_owned()).tags(["tag"])))
    };
    here.get_or_load_entry(&4, tagged).await.unwrap();
    there.get_or_load_entry(&4, tagged).await.unwrap();
    let writes = strata_cache::WriteBehind::builder(&here);
    let writes = writes.durable(|_| async { Ok::<_, std::io::Error>(()) }).unwrap();
    writes.write(5, "five".to_owned()).await.unwrap();
    assert!(writes.shutdown(LONG).await.is_complete());
    let carts = node.structures("carts").unwrap();
    carts.hash(7).set([("tea", "2")], LONG).await.unwrap();
    assert!(node.count_l2().await.is_some());
    let l2 = node.report().l2;
    assert_eq!((l2.errors, l2.errors_by_code.len()), (0, 0), "{:?}", l2.last_error);
    never_opened(&node);
}

#[tokio::test]
async fn a_redis_that_is_too_old_is_told_in_one_sentence_and_left_alone() {
    let server = OldServer::start("6.0.16").await;
    let node = Node::builder("test").redis_url(&server.url()).start().await.unwrap();
    let (cache, source) = (cache(&node), Source::new());
    for key in 0..100 {
        assert_eq!(source.read(&cache, key).await.outcome, Outcome::Loaded);
    }
    let l2 = node.report().l2;
    assert_eq!(l2.last_error.unwrap().message, "Redis 6.0.16 is too old, 7.0 is needed");
    assert_eq!((l2.breaker_open, l2.breaker_opened), (true, 0), "it never closed");
    assert_eq!(l2.server.unwrap().version, "6.0.16");
    let bus = node.report().bus;
    assert!(
        !bus.connected && bus.silent_because.unwrap().contains("too old"),
        "nobody can invalidate"
    );
}

#[tokio::test]
async fn what_is_refused_keeps_nothing_else_from_being_sent() {
    let redis = Redis::start().await;
    let node = node_of(&redis, &[]).await;
    let users = cache(&node);
    let posts: Cache<u64, String> = Cache::builder("posts").build(&node).unwrap();
    let other = onlooker(&redis).await;
    let elsewhere: Cache<u64, String> = Cache::builder("posts").build(&other).unwrap();
    let source = Source::new();
    source.read(&elsewhere, 1).await;
    set_user(&redis, &["-@all"]).await;
    source.write(7);
    assert_eq!(users.invalidate_pattern(&Pattern::prefix("1")).await, Effect::Queued);
    assert_eq!(posts.invalidate(&1).await, Effect::Queued);
    set_user(&redis, &["-scan"]).await;
    eventually("the key is sent, the pattern waits", async || {
        node.report().l2.queued_invalidations == 1
    })
    .await;
    eventually("the other node hears", async || source.value(&elsewhere, 1).await == "7").await;
    set_user(&redis, &[]).await;
    eventually("the pattern is sent", async || node.report().l2.queued_invalidations == 0).await;
    never_opened(&node);
}

#[tokio::test]
async fn an_invalidation_whose_runtime_is_dropped_on_the_way_is_sent_all_the_same() {
    let redis = Redis::start().await;
    let (node, other) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let (here, there) = (cache(&node), cache(&other));
    let source = Source::new();
    source.read(&here, 1).await;
    source.read(&there, 1).await;
    redis.freeze();
    source.write(7);
    let (runtime, invalidating) = (tokio::runtime::Runtime::new().unwrap(), here.clone());
    let begun = runtime.spawn(async move { invalidating.invalidate(&1).await });
    tokio::task::yield_now().await;
    runtime.shutdown_background();
    drop(begun.await);
    redis.thaw();
    eventually("this node reads the newer row", async || source.value(&here, 1).await == "7").await;
    eventually("so does the other", async || source.value(&there, 1).await == "7").await;
}

/// Greets as an older Redis does. None can be installed beside the one that the tests run on.
struct OldServer {
    port: u16,
}

impl OldServer {
    async fn start(version: &'static str) -> Self {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut commands = crate::support::Commands::default();
                    let mut buffer = vec![0; 4_096];
                    while let Ok(n @ 1..) = client.read(&mut buffer).await {
                        for command in commands.read(&buffer[..n]) {
                            let answer = match command.as_str() {
                                "PING" => "+PONG\r\n".to_owned(),
                                "HELLO" => format!(
                                    "*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n${}\r\n{version}\r\n",
                                    version.len()
                                ),
                                "CLIENT" => "+OK\r\n".to_owned(),
                                _ => "-ERR syntax error\r\n".to_owned(),
                            };
                            client.write_all(answer.as_bytes()).await.unwrap();
                        }
                    }
                });
            }
        });
        Self { port }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}
