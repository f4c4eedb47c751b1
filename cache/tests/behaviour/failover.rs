//! The address of Redis now leads to another server, while some connections still lead to the old
//! one; or its server has become a replica.

use std::cell::Cell;

use strata_cache::report::{Effect, Outcome};
use strata_cache::{Cache, Node};
use strata_testing::Proxy;

use crate::support::ways::{LONG, node_behind, set_user, trusts_l2};
use crate::support::{Redis, Source, cache, eventually, hears};

/// Ends a node's connections to a server: those that read the bus, or the other ones.
async fn end_connections(redis: &Redis, of_the_bus: bool) {
    let list = async || redis.ask::<String>(&["CLIENT", "LIST", "TYPE", "NORMAL"]).await;
    eventually("the node reads the bus", async || list().await.contains("cmd=xread")).await;
    let clients = list().await;
    for client in clients.lines().filter(|client| client.contains("cmd=xread") == of_the_bus) {
        let id = client.split_whitespace().find_map(|field| field.strip_prefix("id=")).unwrap();
        let _: u64 = redis.ask(&["CLIENT", "KILL", "ID", id]).await;
    }
}

/// Waits until a loaded entry is in that server.
async fn writes_to(redis: &Redis, cache: &Cache<u64, String>, source: &Source) {
    let key = Cell::new(2);
    eventually("an entry lies in the new server", async || {
        key.set(key.get() + 1);
        source.read(cache, key.get()).await;
        holds(redis, key.get()).await
    })
    .await;
}

#[tokio::test]
async fn where_the_bus_follows_to_another_server_l2_follows_too() {
    let (old, new) = (Redis::start().await, Redis::start().await);
    let proxy = Proxy::before(&old).await;
    let node = node_behind(&proxy, LONG).await;
    let (cache, source) = (cache(&node), Source::new());
    source.read(&cache, 1).await;
    proxy.lead_to(&new);
    end_connections(&old, true).await;
    writes_to(&new, &cache, &source).await;
}

/// Without a run id, the number from which entries count tells them apart.
#[tokio::test]
async fn where_redis_tells_no_run_l2_follows_the_bus_all_the_same() {
    let (old, new) = (Redis::start().await, Redis::start().await);
    for redis in [&old, &new] {
        set_user(redis, &["-info"]).await;
    }
    let proxy = Proxy::before(&old).await;
    let url = proxy.url().replace("redis://", "redis://app:secret@");
    let node = Node::builder("test").redis_url(&url).l2_timeout(LONG).start().await.unwrap();
    hears(&node).await;
    let (cache, source) = (cache(&node), Source::new());
    source.read(&cache, 1).await;
    proxy.lead_to(&new);
    end_connections(&old, true).await;
    writes_to(&new, &cache, &source).await;
}

#[tokio::test]
async fn where_l2_follows_to_another_server_the_bus_follows_too() {
    let (old, new) = (Redis::start().await, Redis::start().await);
    let proxy = Proxy::before(&old).await;
    let node = node_behind(&proxy, LONG).await;
    let other = new.hearing_node("other").await;
    let (here, there) = (cache(&node), crate::support::cache(&other));
    let source = Source::new();
    source.read(&here, 1).await;
    proxy.lead_to(&new);
    end_connections(&old, false).await;
    // The link notices, and uses the new server.
    source.read(&here, 2).await;
    eventually("the other node reads what this one wrote", async || {
        source.read(&here, 3).await;
        here.invalidate(&3).await;
        source.read(&here, 3).await;
        source.read(&there, 3).await.outcome == Outcome::L2Hit
    })
    .await;
    source.write(7);
    there.invalidate(&1).await;
    eventually("this node hears of it", async || source.value(&here, 1).await == "7").await;
}

async fn holds(redis: &Redis, key: u64) -> bool {
    redis.ask(&["EXISTS", &format!("{{test}}:users:{key}")]).await
}

#[tokio::test]
async fn a_demoted_primary_is_trusted_no_more_and_its_successor_is() {
    let old = Redis::start_on_a_port().await;
    let new = old.replica().await;
    let proxy = Proxy::before(&old).await;
    let nodes = [node_behind(&proxy, LONG).await, node_behind(&proxy, LONG).await];
    let [here, there] = nodes.each_ref().map(cache);
    let source = Source::new();
    source.read(&here, 1).await;
    source.read(&there, 1).await;
    source.read(&here, 2).await;
    eventually("the replica has it", async || holds(&new, 2).await).await;
    let () = new.ask(&["REPLICAOF", "NO", "ONE"]).await;
    old.follow(&new).await;
    for node in &nodes {
        eventually("the node notices", async || {
            let bus = node.report().bus;
            bus.silent_because.is_some_and(|because| because.contains("the server is a replica"))
        })
        .await;
    }
    assert!(holds(&old, 2).await);
    assert_eq!(there.get(&2).await.outcome, Outcome::Missed, "L2 is not read");
    assert_eq!(here.invalidate(&3).await, Effect::Queued);

    // Other nodes already use the new primary.
    let other = new.hearing_node("other").await;
    let elsewhere = cache(&other);
    source.write(7);
    elsewhere.invalidate(&1).await;
    for cache in [&here, &there] {
        eventually("nothing stale", async || source.value(cache, 1).await == "7").await;
    }

    proxy.lead_to(&new);
    for node in &nodes {
        hears(node).await;
        trusts_l2(node).await;
        let is_sent = async || node.report().l2.queued_invalidations == 0;
        eventually("what waited is sent", is_sent).await;
    }
    writes_to(&new, &here, &source).await;
    source.write(8);
    there.invalidate(&1).await;
    for cache in [&here, &elsewhere] {
        eventually("it is heard", async || source.value(cache, 1).await == "8").await;
    }
}
