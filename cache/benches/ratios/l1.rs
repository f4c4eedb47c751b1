//! A hit in L1 against moka's own `get`, to which Strata adds.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use strata_cache::{Cache, CacheBuilder, Node, Recording};

use crate::contest::{Keys, Turn, contest, turn};
use crate::redis_server::RedisServer;
use crate::table::Table;

const N_KEYS: u64 = 1_000;
const N_READS: u64 = 2_000;
const N_ROUNDS: usize = 400;
const CAPACITY: u64 = 10_000;

type Moka = moka::sync::Cache<u64, Arc<u64>>;

/// Makes moka keep a deadline for each entry, as Strata's L1 does.
struct InAnHour;

impl moka::Expiry<u64, Arc<u64>> for InAnHour {
    fn expire_after_create(&self, _: &u64, _: &Arc<u64>, _: Instant) -> Option<Duration> {
        Some(Duration::from_secs(3_600))
    }
}

pub(crate) async fn rows(table: &mut Table, redis: &RedisServer) {
    let node = redis.node("l1").await;
    let full = full("full").build(&node).expect("a cache");
    let counting = full_but_hot_keys(&node);
    let bare = Moka::new(CAPACITY);
    let expiring = Moka::builder().max_capacity(CAPACITY).expire_after(InAnHour).build();
    for key in 0..N_KEYS {
        load(&full, key).await;
        load(&counting, key).await;
        bare.insert(key, Arc::new(key));
        expiring.insert(key, Arc::new(key));
    }
    let turns = [reads_moka(&bare), reads_moka(&expiring), reads(&full), reads(&counting)];
    let times = contest(N_ROUNDS, turns).await;
    table.at_most(
        "L1 hit with everything on : bare moka get",
        (times.ratio(2, 0), 1.15),
        times.figures(2, 0, N_READS),
    );
    table.told(
        "the same : moka get with a deadline for each entry",
        times.ratio(2, 1),
        times.figures(2, 1, N_READS),
    );
    table.at_most(
        "L1 hit, recorder with everything : with counts alone",
        (times.ratio(2, 3), 1.05),
        times.figures(2, 3, N_READS),
    );
}

/// Every option of a read that may slow down a hit.
fn full(name: &str) -> CacheBuilder<u64, u64> {
    Cache::builder(name)
        .l1_entries(CAPACITY)
        .time_to_live(Duration::from_secs(3_600))
        .l2_time_to_live(Duration::from_secs(3_600))
        .grace(Duration::from_secs(60))
        .refresh_ahead(1.0)
        .group("{id}")
}

fn full_but_hot_keys(node: &Node) -> Cache<u64, u64> {
    full("counting").recording(Recording::Counts).build(node).expect("a cache")
}

async fn load(cache: &Cache<u64, u64>, key: u64) {
    let load = move || async move { Ok::<_, Infallible>(Some(key)) };
    black_box(cache.get_or_load(&key, load).await.expect("a value"));
}

fn reads<'a>(cache: &'a Cache<u64, u64>) -> Turn<'a> {
    turn(async || {
        let mut keys = Keys::below(N_KEYS);
        for _ in 0..N_READS {
            load(cache, keys.next()).await;
        }
    })
}

fn reads_moka<'a>(moka: &'a Moka) -> Turn<'a> {
    turn(async || {
        let mut keys = Keys::below(N_KEYS);
        for _ in 0..N_READS {
            black_box(moka.get(&keys.next()));
        }
    })
}
