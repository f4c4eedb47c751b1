//! A thousand readers of one cold key, on one node and on three.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use strata_cache::Cache;
use tokio::task::JoinSet;

use crate::redis_server::RedisServer;
use crate::table::Table;

const N_READERS: u64 = 1_000;

pub(crate) async fn rows(table: &mut Table, redis: &RedisServer) {
    for n_nodes in [1, 3] {
        let loads = loads(redis, n_nodes).await;
        let nodes = if n_nodes == 1 { "one node" } else { "three nodes" };
        table.exactly(
            &format!("loads that 1 000 concurrent readers of a cold key on {nodes} cause"),
            (loads, 1),
            "the load takes 50 ms".to_owned(),
        );
    }
}

async fn loads(redis: &RedisServer, n_nodes: usize) -> u64 {
    let mut nodes = Vec::new();
    let mut caches = Vec::new();
    for id in 0..n_nodes {
        let node = redis.node(&format!("flights-{id}")).await;
        let name = format!("flights-{n_nodes}");
        caches.push(Cache::<u64, u64>::builder(&name).build(&node).expect("a cache"));
        nodes.push(node);
    }
    let loads = Arc::new(AtomicU64::new(0));
    let mut readers = JoinSet::new();
    for reader in 0..N_READERS as usize {
        let (cache, loads) = (caches[reader % n_nodes].clone(), Arc::clone(&loads));
        readers.spawn(async move {
            let load = move || async move {
                loads.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
                Ok::<_, Infallible>(Some(7))
            };
            let read = cache.get_or_load(&1, load).await;
            assert!(read.is_ok_and(|read| read.value.is_some_and(|value| *value == 7)));
        });
    }
    readers.join_all().await;
    loads.load(Ordering::Relaxed)
}
