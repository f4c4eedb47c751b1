//! Two versions of a program side by side, as during a deploy. Each has entries of its own in L2,
//! and invalidations by either reach both.

use std::io::Error;
use std::time::Duration;

use strata_cache::report::{Effect, Outcome};
use strata_cache::{Cache, Loaded, Node, Pattern, Read, Row, WriteBehind};

use crate::support::ways::{node_of_user, set_user, trusts_l2};
use crate::support::{Redis, Source, eventually};

/// L1 keeps entries only for a moment, so that later reads ask L2.
fn users(node: &Node, schema: u16) -> Cache<u64, String> {
    named("users", node, schema)
}

fn named(name: &str, node: &Node, schema: u16) -> Cache<u64, String> {
    let cache = Cache::builder(name).time_to_live(Duration::from_millis(1)).jitter(0.0);
    cache.schema(schema).build(node).unwrap()
}

async fn tagged(source: &Source, cache: &Cache<u64, String>, key: u64) -> Read<String> {
    let source = source.clone();
    let load = async move || {
        let row = source.load().await?;
        Ok::<_, Error>(row.map(|row| Loaded::from(row).tags(["team:1"])))
    };
    cache.get_or_load_entry(&key, load).await.unwrap()
}

async fn entries(redis: &Redis) -> Vec<String> {
    let mut keys: Vec<String> = redis.ask(&["KEYS", "{test}:*"]).await;
    keys.sort();
    keys
}

async fn all_have_heard(nodes: &[Node]) {
    let sequence = nodes[0].bus_sequence().await.unwrap();
    for node in nodes {
        assert!(node.has_heard(sequence, Duration::from_secs(30)).await, "the bus is silent");
    }
}

/// The loads of a hot key that the caches read in turn, until each has read it from L2 often.
async fn loads_of_a_hot_key(caches: &[&Cache<u64, String>]) -> u64 {
    let source = Source::new();
    let is_hot = |cache: &&Cache<u64, String>| cache.report().outcomes.l2_hit < 30;
    while caches.iter().any(is_hot) {
        for cache in caches {
            source.read(cache, 1).await;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    source.loads()
}

#[tokio::test]
async fn each_of_two_schemas_loads_as_seldom_as_one_alone() {
    let redis = Redis::start().await;
    let (one, two) = (redis.hearing_node("1").await, redis.hearing_node("2").await);
    let alone = loads_of_a_hot_key(&[&users(&one, 1), &users(&two, 1)]).await;
    let () = redis.ask(&["UNLINK", "{test}:users@1:1"]).await;
    let (old, new) = (users(&one, 1), users(&two, 2));
    assert_eq!(loads_of_a_hot_key(&[&old, &new]).await, 2 * alone);
    assert_eq!((old.report().l2_unreadable, new.report().l2_unreadable), (0, 0));
    drop(new);
    let back = users(&two, 1);
    assert_eq!(loads_of_a_hot_key(&[&old, &back]).await, 0, "what schema 1 had is still there");
}

/// Each kind of change that removes an entry.
const CHANGES: [&str; 7] = ["key", "soft", "many", "pattern", "tag", "clear", "write"];

async fn change(cache: &Cache<u64, String>, kind: &str) {
    match kind {
        "key" => drop(cache.invalidate(&1).await),
        "soft" => drop(cache.invalidate_softly(&1).await),
        "many" => drop(cache.invalidate_many(&[1, 2]).await),
        "pattern" => drop(cache.invalidate_pattern(&Pattern::parse("[1-3]").unwrap()).await),
        "tag" => drop(cache.invalidate_tag("team:1").await),
        "clear" => drop(cache.clear().await),
        _ => {
            let row = async { Ok::<_, Error>(Loaded::from("1".to_owned()).tags(["team:1"])) };
            drop(cache.write_through_entry(&1, row).await.unwrap());
        }
    }
}

#[tokio::test]
async fn every_kind_of_invalidation_reaches_every_schema_whichever_made_it() {
    let redis = Redis::start().await;
    let nodes =
        [redis.hearing_node("1").await, redis.hearing_node("2").await, redis.node("3").await];
    for (turn, kind) in CHANGES.into_iter().cycle().take(3 * CHANGES.len()).enumerate() {
        let name = format!("users-{turn}");
        let caches = [0, 1, 2].map(|n| named(&name, &nodes[n], [0, 1, 2][n]));
        let from = turn / CHANGES.len();
        let source = Source::new();
        for cache in &caches {
            tagged(&source, cache, 1).await;
        }
        assert_eq!(entries(&redis).await.len(), 3, "each has an entry of its own");
        source.write(1);
        change(&caches[from], kind).await;
        let left = entries(&redis).await.len();
        let expected = match kind {
            "soft" | "tag" => 3,
            "write" => 1,
            _ => 0,
        };
        assert_eq!(left, expected, "{kind} by schema {from}");
        all_have_heard(&nodes).await;
        for (schema, cache) in caches.iter().enumerate() {
            let read = tagged(&source, cache, 1).await;
            let value = read.value.unwrap();
            match kind {
                "soft" => assert_eq!(read.outcome, Outcome::Stale, "by {from}, read by {schema}"),
                _ => assert_eq!(value.as_str(), "1", "{kind} by {from}, read by {schema}"),
            }
        }
        eventually("no refresh is left", async || {
            caches.iter().all(|cache| cache.report().loads.in_flight == 0)
        })
        .await;
        let () = redis
            .ask(&["EVAL", "redis.call('UNLINK', unpack(redis.call('KEYS', '{test}:*')))", "0"])
            .await;
    }
}

#[tokio::test]
async fn a_load_that_an_invalidation_by_another_schema_overtook_is_not_written_to_l2() {
    let redis = Redis::start().await;
    let nodes = [redis.hearing_node("1").await, redis.hearing_node("2").await];
    for pattern in [None, Some("*")] {
        let (old, new) = (users(&nodes[0], 1), users(&nodes[1], 2));
        let source = Source::closed();
        let early = tokio::spawn({
            let (new, source) = (new.clone(), source.clone());
            async move { source.value(&new, 1).await }
        });
        source.entered().await;
        source.write(7);
        match pattern {
            None => old.invalidate(&1).await,
            Some(text) => old.invalidate_pattern(&Pattern::parse(text).unwrap()).await,
        };
        source.open();
        assert_eq!(early.await.unwrap(), "0", "it began before");
        assert_eq!(new.report().l2_refused, 1);
        assert_eq!(entries(&redis).await, Vec::<String>::new());
        all_have_heard(&nodes).await;
        assert_eq!(source.value(&new, 1).await, "7");
        new.clear().await;
        all_have_heard(&nodes).await;
    }
}

#[tokio::test]
async fn a_durable_write_takes_the_entries_of_every_schema() {
    let redis = Redis::start().await;
    let nodes = [redis.hearing_node("1").await, redis.hearing_node("2").await];
    let (old, new, source) = (users(&nodes[0], 0), users(&nodes[1], 2), Source::new());
    source.read(&old, 1).await;
    source.read(&new, 1).await;
    let sink = |_: Vec<Row<u64, String>>| async { Ok::<_, Error>(()) };
    let writes = WriteBehind::builder(&new).interval(Duration::from_secs(3_600));
    let writes = writes.durable(sink).unwrap();
    writes.write(1, "1".to_owned()).await.unwrap();
    assert_eq!(entries(&redis).await, Vec::<String>::new(), "as it is queued");
    source.read(&old, 1).await;
    assert!(writes.shutdown(Duration::from_secs(30)).await.is_complete());
    assert_eq!(entries(&redis).await, Vec::<String>::new(), "and as the source has it");
}

/// Invalidates as a node of the previous version does. It removes only the entry that it knows, and
/// its message does not name schemas.
async fn invalidated_by_an_older_node(redis: &Redis, kind: &str, target: &str) {
    let script = "redis.call('UNLINK', '{test}:users:' .. ARGV[2])
        local n = redis.call('INCR', '{test}!bus:sequence')
        redis.call('XADD', '{test}!bus', '*', 's', string.format('%.0f', n), 'k', ARGV[1],
          'c', 'users', 't', ARGV[2], 'o', 'older')
        return n";
    let _: u64 = redis.ask(&["EVAL", script, "0", kind, target]).await;
}

#[tokio::test]
async fn what_a_node_of_the_previous_version_leaves_in_l2_is_removed_by_those_that_hear_of_it() {
    let redis = Redis::start().await;
    let nodes = [redis.hearing_node("1").await];
    let cache = users(&nodes[0], 2);
    for (kind, target) in [("key", "1"), ("soft", "1"), ("pattern", "*"), ("all", "")] {
        let source = Source::new();
        source.read(&cache, 1).await;
        source.read(&cache, 2).await;
        source.write(1);
        invalidated_by_an_older_node(&redis, kind, target).await;
        all_have_heard(&nodes).await;
        match kind {
            // L1's entry may be served once more.
            "soft" => eventually("it is read", async || source.value(&cache, 1).await == "1").await,
            _ => assert_eq!(source.value(&cache, 1).await, "1", "{kind}"),
        }
        eventually("L2 is read again", async || nodes[0].report().l2.queued_invalidations == 0)
            .await;
        let kept: bool = redis.ask(&["EXISTS", "{test}:users@2:2"]).await;
        assert_eq!(kept, matches!(kind, "key" | "soft"), "{kind}: the other key");
        let sent = nodes[0].report().bus.sent;
        assert_eq!(sent, 0, "{kind}: nobody is told again");
        let () = redis
            .ask(&["EVAL", "redis.call('UNLINK', '{test}:users@2:1', '{test}:users@2:2')", "0"])
            .await;
    }
}

#[tokio::test]
async fn a_schema_that_redis_has_forgotten_removes_its_entries_itself() {
    let redis = Redis::start().await;
    let nodes = [redis.hearing_node("1").await, redis.hearing_node("2").await];
    for lost in ["UNLINK", "SET"] {
        let (old, new, source) = (users(&nodes[0], 1), users(&nodes[1], 2), Source::new());
        source.read(&new, 1).await;
        let () = match lost {
            "SET" => redis.ask(&["SET", "{test}!schemas:users", "not a list"]).await,
            _ => {
                redis
                    .ask(&["EVAL", "redis.call('UNLINK', KEYS[1])", "1", "{test}!schemas:users"])
                    .await
            }
        };
        source.write(1);
        old.invalidate(&1).await;
        all_have_heard(&nodes).await;
        assert_eq!(source.value(&new, 1).await, "1", "{lost}");
        new.clear().await;
        all_have_heard(&nodes).await;
    }
}

#[tokio::test]
async fn an_invalidation_that_waited_takes_its_own_schemas_entry_though_redis_forgot_the_schema() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (cache, source) = (users(&node, 2), Source::new());
    source.read(&cache, 1).await;
    let _: u64 = redis.ask(&["UNLINK", "{test}!schemas:users"]).await;
    redis.freeze();
    source.write(1);
    assert_eq!(cache.invalidate(&1).await, Effect::Queued);
    redis.thaw();
    trusts_l2(&node).await;
    assert_eq!(entries(&redis).await, Vec::<String>::new());
    assert_eq!(source.value(&cache, 1).await, "1");
}

#[tokio::test]
async fn a_node_that_may_not_read_the_list_of_schemas_leaves_it() {
    let redis = Redis::start().await;
    let nodes = [node_of_user(&redis, &[]).await, redis.hearing_node("2").await];
    let (old, new, source) = (users(&nodes[0], 1), users(&nodes[1], 2), Source::new());
    source.read(&new, 1).await;
    set_user(&redis, &["-zrange"]).await;
    source.write(1);
    assert_eq!(old.invalidate(&1).await, Effect::Removed { entries: 0 });
    assert_eq!(
        redis.ask::<Vec<String>>(&["ZRANGE", "{test}!schemas:users", "0", "-1"]).await,
        ["2"]
    );
    all_have_heard(&nodes).await;
    assert_eq!(source.value(&new, 1).await, "1");
}

#[tokio::test]
async fn a_schema_whose_entries_have_ended_is_forgotten() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let cache = users(&node, 2);
    Source::new().read(&cache, 1).await;
    let list = ["ZRANGE", "{test}!schemas:users", "0", "-1"];
    assert_eq!(redis.ask::<Vec<String>>(&list).await, ["2"]);
    let () = redis
        .ask(&["EVAL", "redis.call('ZADD', KEYS[1], 1, 2, 1, 9)", "1", "{test}!schemas:users"])
        .await;
    cache.invalidate(&7).await;
    assert_eq!(redis.ask::<Vec<String>>(&list).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_schema_is_listed_for_as_long_as_its_longest_entry_lives() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let cache = Cache::<u64, String>::builder("users").schema(2).build(&node).unwrap();
    let months = Duration::from_secs(100 * 24 * 3_600);
    let load =
        async move || Ok::<_, Error>(Some(Loaded::from("a".to_owned()).time_to_live(months)));
    cache.get_or_load_entry(&1, load).await.unwrap();
    Source::new().read(&cache, 2).await;
    let until_ms: u64 = redis.ask(&["ZSCORE", "{test}!schemas:users", "2"]).await;
    let ends_ms: u64 = redis.ask(&["PEXPIRETIME", "{test}:users@2:1"]).await;
    assert!(until_ms >= ends_ms, "{until_ms} is before {ends_ms}");
}

#[tokio::test]
async fn schema_0_keeps_its_keys_and_lists_nothing() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    Source::new().read(&users(&node, 0), 1).await;
    assert_eq!(entries(&redis).await, ["{test}:users:1"]);
    assert!(!redis.ask::<bool>(&["EXISTS", "{test}!schemas:users"]).await);
}

#[tokio::test]
async fn counts_and_searches_see_the_entries_of_every_schema() {
    let redis = Redis::start().await;
    let nodes = [redis.hearing_node("1").await, redis.hearing_node("2").await];
    let (old, new, source) = (users(&nodes[0], 0), users(&nodes[1], 2), Source::new());
    for key in [1, 11] {
        source.read(&old, key).await;
    }
    for key in [11, 12] {
        source.read(&new, key).await;
    }
    let pattern = Pattern::parse("1?").unwrap();
    for node in &nodes {
        let counted = node.count_l2().await.unwrap();
        assert_eq!(
            counted.iter().map(|(cache, n, _)| (&**cache, *n)).collect::<Vec<_>>(),
            [("users", 4)]
        );
        let (n_keys, mut listed) = node.match_l2("users", &pattern, 10).await.unwrap().unwrap();
        listed.sort();
        assert_eq!((n_keys, listed), (3, vec!["11".to_owned(), "12".to_owned()]));
        let (_, mut walked) = node.scan_l2("users", &pattern, 0).await.unwrap().unwrap();
        walked.sort();
        walked.dedup();
        assert_eq!(walked, ["11", "12"]);
        let keys = ["1", "11", "12", "13"].map(str::to_owned);
        let heads = node.heads_l2("users", &keys).await.unwrap().unwrap();
        let there: Vec<bool> = heads.iter().map(Option::is_some).collect();
        assert_eq!(there, [true, true, true, false]);
    }
}
