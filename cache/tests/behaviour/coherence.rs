//! Three nodes, writers and many readers, random delays and faults: no read returns a version
//! older than one acknowledged before it began on that node, and after quiet all nodes agree.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use rand::RngExt;
use strata_cache::{Cache, Node, Pattern};
use tokio::task::JoinHandle;

use crate::support::{Redis, eventually};

const N_KEYS: u64 = 40;
const N_READERS: usize = 24;

/// The length of the storm; `STRATA_STORM_S` makes it longer.
fn storm() -> Duration {
    let seconds = std::env::var("STRATA_STORM_S").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(8))
}

const LONGEST_STORM: Duration = Duration::from_secs(120);

/// The rows, and the versions that each node has acknowledged.
pub(crate) struct World {
    rows: Vec<AtomicU64>,
    writing: Vec<tokio::sync::Mutex<()>>,
    acknowledged: Vec<Vec<AtomicU64>>,
    nodes: Vec<Node>,
    caches: Vec<Cache<u64, u64>>,
    reads: AtomicU64,
    writes: AtomicU64,
    over: AtomicBool,
}

impl World {
    /// Uses three nodes that hear the bus.
    pub(crate) fn of(nodes: Vec<Node>) -> Arc<Self> {
        // Simulates two versions of the program: the second node writes another form.
        let build = |(n, node)| {
            Cache::builder("rows")
                .schema(u16::from(n == 1))
                .time_to_live(Duration::from_millis(700))
                .l2_time_to_live(Duration::from_secs(2))
                .grace(Duration::from_secs(60))
                .refresh_ahead(20.0)
                .lease_wait(Duration::from_millis(50))
                .build(node)
                .unwrap()
        };
        let zeros = || (0..N_KEYS).map(|_| AtomicU64::new(0)).collect::<Vec<_>>();
        Arc::new(Self {
            rows: zeros(),
            writing: (0..N_KEYS).map(|_| tokio::sync::Mutex::default()).collect(),
            acknowledged: nodes.iter().map(|_| zeros()).collect(),
            caches: nodes.iter().enumerate().map(build).collect(),
            nodes,
            reads: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            over: AtomicBool::new(false),
        })
    }

    /// Reads the row as a database would, at some instant between two delays.
    async fn load(self: Arc<Self>, key: u64) -> Result<Option<u64>, std::io::Error> {
        pause(3).await;
        let version = self.rows[key as usize].load(SeqCst);
        pause(3).await;
        Ok(Some(version))
    }

    async fn read(self: &Arc<Self>, node: usize, key: u64) -> u64 {
        let world = Arc::clone(self);
        let read = self.caches[node].get_or_load(&key, move || world.load(key)).await.unwrap();
        *read.value.unwrap()
    }

    async fn reader(self: Arc<Self>) {
        while !self.over.load(SeqCst) {
            let (node, key) = pick();
            let acknowledged = self.acknowledged[node][key as usize].load(SeqCst);
            let version = self.read(node, key).await;
            assert!(
                version >= acknowledged,
                "key {key} on node {}: read {version} after {acknowledged} was acknowledged",
                node + 1
            );
            self.reads.fetch_add(1, SeqCst);
            // Hits in L1 never wait, so other tasks would get no turn.
            tokio::task::yield_now().await;
        }
    }

    /// Commits a new version, and announces it in one of three ways.
    async fn writer(self: Arc<Self>) {
        while !self.over.load(SeqCst) {
            let (node, key) = pick();
            let cache = &self.caches[node];
            let _turn = self.writing[key as usize].lock().await;
            let version = self.rows[key as usize].load(SeqCst) + 1;
            let way = rand::rng().random_range(0..10);
            match way {
                0 => {
                    self.commit(key, version).await;
                    cache.invalidate_pattern(&Pattern::parse(&key.to_string()).unwrap()).await;
                }
                1..4 => {
                    let world = Arc::clone(&self);
                    let write = async move {
                        world.commit(key, version).await;
                        Ok::<_, std::io::Error>(version)
                    };
                    cache.write_through(&key, write).await.unwrap();
                }
                _ => {
                    self.commit(key, version).await;
                    cache.invalidate(&key).await;
                }
            }
            self.acknowledged[node][key as usize].fetch_max(version, SeqCst);
            self.writes.fetch_add(1, SeqCst);
            pause(5).await;
        }
    }

    async fn commit(&self, key: u64, version: u64) {
        pause(2).await;
        self.rows[key as usize].store(version, SeqCst);
        pause(1).await;
    }

    pub(crate) fn begin(self: &Arc<Self>) -> Vec<JoinHandle<()>> {
        let readers = (0..N_READERS).map(|_| tokio::spawn(Arc::clone(self).reader()));
        let writers = (0..6).map(|_| tokio::spawn(Arc::clone(self).writer()));
        readers.chain(writers).collect()
    }

    /// Whether the storm goes on. It lasts as long as requested, and for a limited time longer if a
    /// stalled machine has checked few reads.
    pub(crate) fn storms(&self) -> impl Fn() -> bool {
        let began = Instant::now();
        move || {
            let so_far = began.elapsed();
            so_far < storm() || so_far < LONGEST_STORM && !self.has_checked_much()
        }
    }

    pub(crate) fn has_checked_much(&self) -> bool {
        self.reads.load(SeqCst) > 1_000 && self.writes.load(SeqCst) > 100
    }

    /// Waits for quiet, then checks that all nodes agree with the rows. Returns a summary.
    pub(crate) async fn end(self: &Arc<Self>, tasks: Vec<JoinHandle<()>>) -> String {
        self.over.store(true, SeqCst);
        for task in tasks {
            task.await.unwrap();
        }
        self.quiet().await;
        for node in 0..3 {
            for key in 0..N_KEYS {
                let row = self.rows[key as usize].load(SeqCst);
                assert_eq!(self.read(node, key).await, row, "key {key} on node {}", node + 1);
            }
        }
        let (reads, writes) = (self.reads.load(SeqCst), self.writes.load(SeqCst));
        assert!(self.has_checked_much(), "{reads} reads, {writes} writes");
        format!("checked {reads} reads against {writes} writes on 3 nodes")
    }

    async fn quiet(&self) {
        eventually("every node is connected", async || {
            let healthy = |node: &Node| {
                let report = node.report();
                report.bus.connected && !report.l2.breaker_open
            };
            self.nodes.iter().all(healthy)
        })
        .await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn pick() -> (usize, u64) {
    let mut rng = rand::rng();
    (rng.random_range(0..3), rng.random_range(0..N_KEYS))
}

async fn pause(up_to_ms: u64) {
    let us = rand::rng().random_range(0..up_to_ms * 1_000);
    tokio::time::sleep(Duration::from_micros(us)).await;
}

/// Makes Redis refuse the invalidations of all nodes for a while, but still answer reads.
async fn refuse(redis: &Redis, commands: [&str; 2]) {
    for command in commands {
        let words: Vec<&str> = command.split(' ').collect();
        let () = redis.ask(&words).await;
        pause(2_000).await;
    }
}

async fn trouble(redis: &mut Redis, goes_on: impl Fn() -> bool) {
    while goes_on() {
        pause(1_500).await;
        let fault = rand::rng().random_range(0..7);
        match fault {
            0 => {
                redis.freeze();
                pause(600).await;
                redis.thaw();
            }
            1 => {
                redis.kill();
                pause(400).await;
                redis.restart().await;
            }
            2 => redis.ask::<()>(&["CLIENT", "KILL", "TYPE", "normal"]).await,
            3 => {
                refuse(
                    redis,
                    ["CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"],
                )
                .await
            }
            4 => refuse(redis, ["ACL SETUSER default -incr", "ACL SETUSER default +incr"]).await,
            5 => refuse(redis, ["REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"]).await,
            _ => redis.ask::<()>(&["FLUSHALL"]).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_node_reads_older_than_it_acknowledged_whatever_happens_to_redis() {
    let mut redis = Redis::start().await;
    let mut nodes = Vec::new();
    for id in ["1", "2", "3"] {
        nodes.push(redis.hearing_node(id).await);
    }
    let world = World::of(nodes);
    let tasks = world.begin();
    trouble(&mut redis, world.storms()).await;
    println!("{}", world.end(tasks).await);
}
