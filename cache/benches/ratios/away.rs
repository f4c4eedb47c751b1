//! Cold keys while Redis is away. The load itself takes no time, so all the time is Strata's.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use strata_cache::{Cache, Node};

use crate::contest::{median, quantile};
use crate::redis_server::RedisServer;
use crate::table::{Table, spoken};

const N_READS: u64 = 1_000;
const AIM: Duration = Duration::from_millis(1);

pub(crate) async fn rows(table: &mut Table) {
    let mut redis = RedisServer::start().await;
    let node = redis.node("refused").await;
    redis.kill();
    measure(table, "refused", &node).await;

    let redis = RedisServer::start().await;
    let node = redis.node("black-hole").await;
    redis.freeze();
    measure(table, "a black hole", &node).await;
}

async fn measure(table: &mut Table, how: &str, node: &Node) {
    let cache = Cache::<u64, u64>::builder("cold").build(node).expect("a cache");
    let first = read(&cache, 0).await;
    let mut rest = Vec::new();
    for key in 1..=N_READS {
        rest.push(read(&cache, key).await.as_secs_f64());
        // Spread over a few seconds, so that probes of Redis fall between the reads.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let [half, most] = [median(rest.clone()), quantile(rest, 0.99)].map(Duration::from_secs_f64);
    table.within(
        &format!("cold key, Redis {how}: the first read"),
        (first, Node::DEFAULT_L2_TIMEOUT + AIM),
        format!("one hard timeout is {}", spoken(Node::DEFAULT_L2_TIMEOUT)),
    );
    table.within(
        &format!("cold key, Redis {how}: p99 of the next {N_READS}, over the load itself"),
        (most, AIM),
        format!("median {}", spoken(half)),
    );
}

async fn read(cache: &Cache<u64, u64>, key: u64) -> Duration {
    let began = Instant::now();
    let read = cache.get_or_load(&key, move || async move { Ok::<_, Infallible>(Some(key)) }).await;
    let took = began.elapsed();
    assert!(read.is_ok_and(|read| read.value.is_some()));
    took
}
