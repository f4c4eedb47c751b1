//! Hashes, lists and counters beside the caches, on a real Redis.

use std::time::Duration;

use strata_cache::{Node, Structures};

use crate::support::Redis;

mod concurrent;
mod faults;
mod operations;
mod time_to_live;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Uses a timeout that no slow machine exceeds, since an operation that times out fails the test.
async fn carts(redis: &Redis) -> (Node, Structures) {
    let node = Node::builder("test").redis_url(&redis.url()).l2_timeout(MINUTE);
    let node = node.start().await.unwrap();
    let carts = node.structures("carts").unwrap();
    (node, carts)
}

/// The key in Redis, for onlookers.
fn at(key: &str) -> String {
    format!("{{test}}:carts:{key}")
}

async fn left_ms(redis: &Redis, key: &str) -> i64 {
    redis.ask(&["PTTL", &at(key)]).await
}

fn bytes(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
