//! A cluster: the nodes stay with the server that has the slot of their namespace.

use std::time::Duration;

use strata_cache::report::Effect;
use strata_cache::{Announcements, Node, Pattern, RedisAddress};
use strata_testing::Cluster;

use super::{hearing_node_at, share, stays_coherent, two_nodes_share};
use crate::support::{Source, cache, eventually, hears};

fn address(cluster: &Cluster) -> RedisAddress {
    RedisAddress::parse(&cluster.url()).unwrap()
}

/// The slot of the namespace, the master that has it, and another one.
async fn place(cluster: &Cluster) -> (u16, usize, usize) {
    let slot = cluster.slot("{test}").await;
    let owner = cluster.owner(slot);
    (slot, owner, (owner + 1) % 3)
}

#[tokio::test]
async fn any_server_of_a_cluster_leads_to_the_one_with_the_slot() {
    let cluster = Cluster::start().await;
    for server in &cluster.servers {
        let url = format!("redis+cluster://127.0.0.1:{}", server.port());
        two_nodes_share(&RedisAddress::parse(&url).unwrap()).await;
    }
}

#[tokio::test]
async fn a_login_counts_on_every_server_of_a_cluster() {
    let cluster = Cluster::start().await;
    for server in &cluster.servers {
        let rules = ["ACL", "SETUSER", "app", "on", ">s3cret", "~{test}*", "+@all", "-cluster"];
        let () = server.ask(&rules).await;
        let () = server.ask(&["ACL", "SETUSER", "default", "off"]).await;
    }
    let url = cluster.url().replace("//", "//app:s3cret@");
    // Without CLUSTER the answers to its commands alone say where the slot is.
    two_nodes_share(&RedisAddress::parse(&url).unwrap()).await;
}

#[tokio::test]
async fn namespaces_of_a_cluster_are_found_wherever_their_slots_are() {
    let cluster = Cluster::start().await;
    let address = address(&cluster);
    let mut nodes = Vec::new();
    for namespace in ["shop", "blog", "test"] {
        let node = Node::builder(namespace).redis(address.clone()).l2_timeout(super::PATIENCE);
        let node = node.start().await.unwrap();
        hears(&node).await;
        nodes.push(node);
    }
    let announced = Announcements::at(&address).unwrap();
    eventually("all three are listed", async || {
        let listed = announced.namespaces().await.unwrap_or_default();
        listed.iter().map(|(name, _)| name.as_str()).eq(["blog", "shop", "test"])
    })
    .await;
}

#[tokio::test]
async fn where_the_slot_moves_all_connections_follow() {
    let cluster = Cluster::start().await;
    let address = address(&cluster);
    let nodes = [hearing_node_at(&address, "1").await, hearing_node_at(&address, "2").await];
    let [here, there] = nodes.each_ref().map(cache);
    let source = Source::new();
    for key in 0..50 {
        source.read(&here, key).await;
    }
    let (slot, owner, other) = place(&cluster).await;
    cluster.move_slot(slot, owner, other).await;
    share(&here, &there, 1).await;
    eventually("the bus is read from the new server alone", async || {
        let old = cluster.servers[owner].cli(&["CLIENT", "LIST"]).await;
        let new = cluster.servers[other].cli(&["CLIENT", "LIST"]).await;
        !old.contains("cmd=xread") && new.matches("cmd=xread").count() >= 2
    })
    .await;
    let matched = nodes[0].match_l2("users", &Pattern::parse("*").unwrap(), 10).await;
    assert_eq!(matched.unwrap().unwrap().0, 50, "operators see the new server");
}

#[tokio::test]
async fn while_the_slot_is_on_its_way_single_keys_are_asked_for_where_they_are() {
    let cluster = Cluster::start().await;
    let node = hearing_node_at(&address(&cluster), "1").await;
    let counter = node.structures("counts").unwrap().counter("visits");
    let minute = Duration::from_secs(60);
    assert_eq!(counter.add(1, minute).await.unwrap(), 1);
    let (slot, owner, other) = place(&cluster).await;
    cluster.begin_to_move(slot, owner, other).await;
    while cluster.move_keys(slot, (owner, other), 100).await {}
    // The key is at the new server, which does not have the slot yet.
    assert_eq!(counter.add(1, minute).await.unwrap(), 2);
    assert_eq!(counter.get().await.unwrap(), Some(2));
    assert_eq!(node.report().l2.breaker_opened, 0);
    cluster.end_move(slot, other).await;
    eventually("it counts on", async || counter.get().await == Ok(Some(2))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_node_reads_older_than_it_acknowledged_while_the_slot_moves_to_and_fro() {
    let cluster = Cluster::start().await;
    let (slot, owner, other) = place(&cluster).await;
    stays_coherent(&address(&cluster), async {
        tokio::time::sleep(super::PATIENCE / 4).await;
        cluster.move_slot(slot, owner, other).await;
        tokio::time::sleep(super::PATIENCE / 4).await;
        cluster.move_slot(slot, other, owner).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_node_reads_older_than_it_acknowledged_when_the_server_with_the_slot_dies() {
    let mut cluster = Cluster::start_with_replicas().await;
    let (_, owner, _) = place(&cluster).await;
    let address = address(&cluster);
    stays_coherent(&address, async {
        tokio::time::sleep(super::PATIENCE / 4).await;
        cluster.servers[owner].kill();
        let replica = &cluster.servers[owner + 3];
        eventually("the replica is the master", async || {
            let role = replica.cli(&["ROLE"]).await;
            let state = replica.cli(&["CLUSTER", "INFO"]).await;
            role.starts_with("master") && state.contains("cluster_state:ok")
        })
        .await;
    })
    .await;
    let node = hearing_node_at(&address, "late").await;
    let cache = cache(&node);
    eventually("invalidations arrive", async || cache.invalidate(&1).await != Effect::Queued).await;
}
