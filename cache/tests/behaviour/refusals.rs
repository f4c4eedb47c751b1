//! Redis is there and refuses a command. Only that call fails, and Redis never counts as lost.

use strata_cache::report::{Effect, Outcome};
use strata_cache::{Cache, L2Head, Node, Pattern};

use crate::support::ways::{never_opened, node_of_user, onlooker, set_user, times};
use crate::support::{Redis, Source, cache, eventually};

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
    let node = node_of_user(&redis, &["-slowlog"]).await;
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

fn posts(node: &Node) -> Cache<u64, String> {
    Cache::builder("posts").build(node).unwrap()
}

#[tokio::test]
async fn a_refused_invalidation_waits_and_its_cache_alone_does_without_l2() {
    let redis = Redis::start().await;
    let node = node_of_user(&redis, &[]).await;
    let (users, posts) = (cache(&node), posts(&node));
    let other = onlooker(&redis).await;
    let (elsewhere, source) = (self::posts(&other), Source::new());
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
async fn what_is_refused_keeps_nothing_else_from_being_sent() {
    let redis = Redis::start().await;
    let node = node_of_user(&redis, &[]).await;
    let (users, posts) = (cache(&node), posts(&node));
    let other = onlooker(&redis).await;
    let (elsewhere, source) = (self::posts(&other), Source::new());
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
