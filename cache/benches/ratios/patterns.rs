//! The invalidation of a million L2 keys by pattern against a bare loop of SCAN and UNLINK, and its
//! effect on another client of the same Redis.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use redis::cmd;
use strata_cache::report::Effect;
use strata_cache::{Cache, Pattern};

use crate::contest::{median, quantile};
use crate::redis_server::RedisServer;
use crate::table::{Table, spoken};

const N_KEYS: u64 = 1_000_000;
const N_ROUNDS: usize = 3;
const IDLE: Duration = Duration::from_secs(3);

/// Strata's own COUNT for one step.
const SCAN_COUNT: usize = 1_000;

pub(crate) async fn rows(table: &mut Table) {
    let redis = RedisServer::start().await;
    let node = redis.node("patterns").await;
    let cache = Cache::<u64, u64>::builder("many").build(&node).expect("a cache");
    let pattern = Pattern::parse("*").expect("a pattern");
    let (mut bare, mut ours, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let [mut idle_p99, mut bare_p99, mut our_p99] = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..N_ROUNDS {
        populate(&redis).await;
        let onlooker = Onlooker::start(redis.url());
        tokio::time::sleep(IDLE).await;
        idle_p99.push(onlooker.p99());

        let (onlooker, began) = (Onlooker::start(redis.url()), Instant::now());
        let removed = scan_and_unlink(&redis).await;
        bare.push(began.elapsed().as_secs_f64());
        bare_p99.push(onlooker.p99());
        assert!(removed >= N_KEYS, "{removed}");

        populate(&redis).await;
        let (onlooker, began) = (Onlooker::start(redis.url()), Instant::now());
        let effect = cache.invalidate_pattern(&pattern).await;
        ours.push(began.elapsed().as_secs_f64());
        our_p99.push(onlooker.p99());
        assert!(matches!(effect, Effect::Removed { entries } if entries >= N_KEYS), "{effect:?}");
        ratios.push(ours[ours.len() - 1] / bare[bare.len() - 1]);
    }
    let seconds = |values| spoken(Duration::from_secs_f64(median(values)));
    let (idle, bare_p99, our_p99) = (median(idle_p99), median(bare_p99), median(our_p99));
    table.told(
        "invalidating 1 000 000 L2 keys by pattern : bare SCAN and UNLINK",
        median(ratios),
        format!("{} : {}", seconds(ours), seconds(bare)),
    );
    let of = |p99: f64| spoken(Duration::from_secs_f64(p99));
    table.told(
        "p99 of another client's GET meanwhile : while Redis is idle",
        our_p99 / idle,
        format!("{} : {}; under the bare loop {}", of(our_p99), of(idle), of(bare_p99)),
    );
}

async fn populate(redis: &RedisServer) {
    let mut populate = cmd("DEBUG");
    populate.arg("POPULATE").arg(N_KEYS).arg("bench:many").arg(100);
    let _: () = populate.query_async(&mut redis.connect().await).await.expect("an answer");
}

async fn scan_and_unlink(redis: &RedisServer) -> u64 {
    let mut connection = redis.connect().await;
    let (mut cursor, mut removed) = (0, 0);
    loop {
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg("bench:many:*").arg("COUNT").arg(SCAN_COUNT);
        let (next, keys): (u64, Vec<Vec<u8>>) =
            scan.query_async(&mut connection).await.expect("an answer");
        if !keys.is_empty() {
            let unlink = cmd("UNLINK").arg(keys).to_owned();
            removed += unlink.query_async::<u64>(&mut connection).await.expect("an answer");
        }
        cursor = next;
        if cursor == 0 {
            return removed;
        }
    }
}

/// Another client, in a thread of its own: a GET about every millisecond.
struct Onlooker {
    is_over: Arc<AtomicBool>,
    gets: std::thread::JoinHandle<Vec<f64>>,
}

impl Onlooker {
    fn start(url: String) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let gets = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(Self::look(&url, &over))
        });
        Self { is_over, gets }
    }

    async fn look(url: &str, is_over: &AtomicBool) -> Vec<f64> {
        let client = redis::Client::open(url).expect("an address");
        let mut connection =
            client.get_multiplexed_async_connection().await.expect("redis-server answers");
        let mut times = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let began = Instant::now();
            let got: Option<String> = cmd("GET")
                .arg("bench:other")
                .query_async(&mut connection)
                .await
                .expect("an answer");
            assert_eq!(got, None);
            times.push(began.elapsed().as_secs_f64());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times
    }

    /// Ends it and returns its p99 in seconds.
    fn p99(self) -> f64 {
        self.is_over.store(true, Ordering::Relaxed);
        quantile(self.gets.join().expect("its times"), 0.99)
    }
}
