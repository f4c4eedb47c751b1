//! The ways to reach Redis that people have: TLS, Sentinel, clusters, logins that change.

mod cluster;
mod logins;
#[cfg(all(feature = "tls", not(feature = "tls-ring")))]
mod no_provider;
mod refusals;
mod sentinel;
#[cfg(feature = "tls-ring")]
mod tls;

use std::time::Duration;

use strata_cache::report::Outcome;
use strata_cache::{Cache, Node, RedisAddress};

use crate::coherence::World;
use crate::support::{Source, cache, eventually, hears};

/// A machine that runs many tests at a time may pause for longer than Redis usually takes.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) async fn node_at(address: &RedisAddress, id: &str) -> Node {
    let node = Node::builder("test").id(id).redis(address.clone()).l2_timeout(PATIENCE);
    node.start().await.unwrap()
}

pub(crate) async fn hearing_node_at(address: &RedisAddress, id: &str) -> Node {
    let node = node_at(address, id).await;
    hears(&node).await;
    node
}

pub(crate) async fn three_nodes(address: &RedisAddress) -> Vec<Node> {
    let mut nodes = Vec::new();
    for id in ["1", "2", "3"] {
        nodes.push(hearing_node_at(address, id).await);
    }
    nodes
}

/// Readers and writers on three nodes while this happens, and until much was checked. No read is
/// older than what its node acknowledged, and at the end all nodes agree.
pub(crate) async fn stays_coherent(address: &RedisAddress, happens: impl Future<Output = ()>) {
    let world = World::of(three_nodes(address).await);
    let tasks = world.begin();
    happens.await;
    eventually("much was checked", async || world.has_checked_much()).await;
    world.end(tasks).await;
}

/// What one node loads the other reads from L2, and what one invalidates is gone on the other.
pub(crate) async fn two_nodes_share(address: &RedisAddress) {
    let nodes = [hearing_node_at(address, "a").await, hearing_node_at(address, "b").await];
    let [here, there] = nodes.each_ref().map(cache);
    share(&here, &there, 1).await;
}

/// The same, of two caches that are there, by a key of their own.
pub(crate) async fn share(here: &Cache<u64, String>, there: &Cache<u64, String>, key: u64) {
    let source = Source::new();
    source.write(1);
    eventually("one reads what the other wrote", async || {
        here.invalidate(&key).await;
        source.read(here, key).await;
        source.read(there, key).await.outcome == Outcome::L2Hit
    })
    .await;
    source.write(2);
    here.invalidate(&key).await;
    eventually("the other hears of it", async || source.value(there, key).await == "2").await;
}

/// Waits until the node says so of its connection.
pub(crate) async fn says(node: &Node, code: &str, part: &str) {
    let said = || node.report().l2.last_error;
    let as_expected =
        || said().is_some_and(|error| error.code == code && error.message.contains(part));
    for _ in 0..500 {
        if as_expected() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(as_expected(), "{code} … {part} was not said: {:?}", said());
}
