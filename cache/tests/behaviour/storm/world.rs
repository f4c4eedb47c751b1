//! Three nodes, their readers and writers, and the times of acknowledged changes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use rand::RngExt;
use strata_cache::report::Effect;
use strata_cache::{Loaded, Pattern};
use tokio::task::JoinHandle;

use super::node::StormNode;
use super::trouble;
use crate::support::{Redis, eventually};

/// Many, so that a key that one node changes is usually left alone by the others.
pub(super) const N_KEYS: u64 = 400;
const N_NODES: usize = 3;
const N_READERS: usize = 8;
const N_WRITERS: usize = 8;

/// The window that docs/coherence.md states: the time until a node notices that invalidations
/// cannot be written, the time that an entry counts after its fill from then on, and a second for a
/// machine that stalls.
const WINDOW: Duration = Duration::from_secs(3 + 5 + 1);

pub(super) struct World {
    pub(super) redis: tokio::sync::Mutex<Redis>,
    url: String,
    pub(super) nodes: Vec<RwLock<Arc<StormNode>>>,
    rows: Vec<Row>,
    reads: AtomicU64,
    across: AtomicU64,
    writes: AtomicU64,
    queued: AtomicU64,
    pub(super) faults: AtomicU64,
    over: AtomicBool,
}

#[derive(Default)]
struct Row {
    version: AtomicU64,
    writing: tokio::sync::Mutex<()>,
    /// Versions acknowledged as gone everywhere, with their times, oldest first.
    everywhere: Mutex<VecDeque<(Instant, u64)>>,
}

impl Row {
    /// The newest version that every node must know by now.
    fn known_everywhere(&self, now: Instant) -> u64 {
        let mut everywhere = self.everywhere.lock().unwrap();
        while everywhere.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW) {
            everywhere.pop_front();
        }
        let oldest = everywhere.front().filter(|(at, _)| now.duration_since(*at) >= WINDOW);
        oldest.map_or(0, |(_, version)| *version)
    }
}

fn row(version: u64) -> Loaded<u64> {
    Loaded::from(version).version(version)
}

impl World {
    pub(super) async fn start() -> Arc<Self> {
        let redis = Redis::start().await;
        trouble::allow_all(&redis).await;
        let url = redis.url();
        let mut nodes = Vec::new();
        for n in 0..N_NODES {
            nodes.push(RwLock::new(StormNode::start(&url, &n.to_string()).await));
        }
        Arc::new(Self {
            redis: tokio::sync::Mutex::new(redis),
            url,
            nodes,
            rows: (0..N_KEYS).map(|_| Row::default()).collect(),
            reads: AtomicU64::new(0),
            across: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            queued: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            over: AtomicBool::new(false),
        })
    }

    pub(super) fn node(&self, n: usize) -> Arc<StormNode> {
        Arc::clone(&self.nodes[n].read().unwrap())
    }

    /// Starts a new process in place of one whose runtime was dropped.
    pub(super) async fn replace(&self, n: usize) {
        let node = StormNode::start(&self.url, &n.to_string()).await;
        // Present readers continue on the old one.
        *self.nodes[n].write().unwrap() = node;
    }

    pub(super) fn begin(self: &Arc<Self>) -> Vec<JoinHandle<()>> {
        let readers = (0..N_READERS).map(|_| tokio::spawn(Arc::clone(self).reader()));
        let writers = (0..N_WRITERS).map(|_| tokio::spawn(Arc::clone(self).writer()));
        readers.chain(writers).collect()
    }

    async fn read(self: &Arc<Self>, node: &StormNode, key: u64) -> Option<u64> {
        let world = Arc::clone(self);
        let load = move || async move {
            pause(2).await;
            Ok::<_, std::io::Error>(Some(row(world.rows[key as usize].version.load(SeqCst))))
        };
        // A panicking log may end a load, but must never make one wrong.
        let read = node.cache.get_or_load_entry(&key, load).await.ok()?;
        read.value.as_deref().copied()
    }

    async fn reader(self: Arc<Self>) {
        while !self.over.load(SeqCst) {
            let (n, key) = pick();
            let (node, row) = (self.node(n), &self.rows[key as usize]);
            let own = node.acknowledged[key as usize].load(SeqCst);
            let everywhere = row.known_everywhere(Instant::now());
            let Some(version) = self.read(&node, key).await else { continue };
            assert!(version >= own, "key {key}: {version} after node {n} acknowledged {own}");
            assert!(
                version >= everywhere,
                "key {key}: node {n} reads {version}, {WINDOW:?} after {everywhere} was acknowledged: {:#?}",
                node.node.report().bus
            );
            self.reads.fetch_add(1, SeqCst);
            self.across.fetch_add(u64::from(everywhere > 0), SeqCst);
            tokio::task::yield_now().await;
        }
    }

    async fn writer(self: Arc<Self>) {
        while !self.over.load(SeqCst) {
            let (n, key) = pick();
            let (node, this) = (self.node(n), &self.rows[key as usize]);
            let _turn = this.writing.lock().await;
            let version = this.version.fetch_add(1, SeqCst) + 1;
            let way = rand::rng().random_range(0..10);
            let effect = match way {
                0 => {
                    let pattern = Pattern::parse(&key.to_string()).unwrap();
                    node.cache.invalidate_pattern(&pattern).await
                }
                1..4 => {
                    let write = async move { Ok::<_, std::io::Error>(row(version)) };
                    node.cache.write_through_entry(&key, write).await.unwrap().1
                }
                _ => node.cache.invalidate(&key).await,
            };
            if effect == Effect::Queued {
                self.queued.fetch_add(1, SeqCst);
            } else {
                this.everywhere.lock().unwrap().push_back((Instant::now(), version));
            }
            node.acknowledged[key as usize].fetch_max(version, SeqCst);
            if way > 7 {
                // Nothing has changed since, so the stale value is the acknowledged one.
                node.cache.invalidate_softly(&key).await;
            }
            self.writes.fetch_add(1, SeqCst);
            pause(200).await;
        }
    }

    pub(super) fn checked(&self) -> u64 {
        self.reads.load(SeqCst)
    }

    pub(super) fn told(&self) -> String {
        let of = |counter: &AtomicU64| counter.load(SeqCst);
        format!(
            "checked {} reads, {} of them against what another node had acknowledged, and {} writes, \
             of which {} waited, through {} faults: 0 were too old",
            of(&self.reads),
            of(&self.across),
            of(&self.writes),
            of(&self.queued),
            of(&self.faults),
        )
    }

    /// Ends readers and writers, repairs everything, and checks that all nodes agree with the rows.
    pub(super) async fn end(self: &Arc<Self>, tasks: Vec<JoinHandle<()>>) {
        self.over.store(true, SeqCst);
        for task in tasks {
            task.await.unwrap();
        }
        assert!(self.across.load(SeqCst) > 0, "{}", self.told());
        for n in 0..N_NODES {
            let node = self.node(n);
            eventually("every node is sound", async || {
                let report = node.node.report();
                report.bus.connected
                    && !report.l2.breaker_open
                    && report.l2.queued_invalidations == 0
            })
            .await;
        }
        // Queued invalidations of a node whose runtime is gone are lost with it.
        let first = self.node(0);
        for (key, row) in (0..).zip(&self.rows) {
            row.version.fetch_add(1, SeqCst);
            assert_ne!(first.cache.invalidate(&key).await, Effect::Queued);
        }
        let sequence = first.node.bus_sequence().await.unwrap();
        for n in 0..N_NODES {
            let heard = self.node(n).node.has_heard(sequence, Duration::from_secs(10)).await;
            assert!(heard, "node {n} does not hear");
        }
        for (key, row) in (0..).zip(&self.rows) {
            for n in 0..N_NODES {
                let read = self.read(&self.node(n), key).await;
                assert_eq!(read, Some(row.version.load(SeqCst)), "key {key} on node {n}");
            }
        }
    }
}

fn pick() -> (usize, u64) {
    let mut rng = rand::rng();
    (rng.random_range(0..N_NODES), rng.random_range(0..N_KEYS))
}

pub(super) async fn pause(up_to_ms: u64) {
    let us = rand::rng().random_range(0..up_to_ms * 1_000);
    tokio::time::sleep(Duration::from_micros(us)).await;
}
