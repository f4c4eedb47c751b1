//! Three nodes, their writers, and the acknowledged versions.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use rand::RngExt;
use strata_testing::Proxy;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::node::StormNode;
use super::sink::{REFUSED, Table};
use crate::support::{Redis, eventually};

pub(super) const N_KEYS: u64 = 200;
const N_NODES: usize = 3;
const WRITERS_A_NODE: usize = 3;
const STREAM: &str = "{test}!writes:rows";

pub(super) struct World {
    pub(super) redis: Redis,
    pub(super) proxies: Vec<Mutex<Proxy>>,
    pub(super) nodes: Vec<RwLock<Arc<StormNode>>>,
    pub(super) table: Table,
    /// The highest acknowledged version of each key.
    acknowledged: Vec<AtomicU64>,
    n_acknowledged: AtomicU64,
    n_refused: AtomicU64,
    pub(super) faults: AtomicU64,
    n_set_aside: AtomicU64,
    over: AtomicBool,
}

impl World {
    pub(super) async fn start() -> Arc<Self> {
        let (redis, table) = (Redis::start().await, Table::default());
        let (mut proxies, mut nodes) = (Vec::new(), Vec::new());
        for n in 0..N_NODES {
            let proxy = Proxy::before(&redis).await;
            let node = StormNode::start(&proxy.url(), &n.to_string(), &table).await;
            proxies.push(Mutex::new(proxy));
            nodes.push(RwLock::new(node));
        }
        Arc::new(Self {
            redis,
            proxies,
            nodes,
            table,
            acknowledged: (0..N_KEYS).map(|_| AtomicU64::new(0)).collect(),
            n_acknowledged: AtomicU64::new(0),
            n_refused: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            n_set_aside: AtomicU64::new(0),
            over: AtomicBool::new(false),
        })
    }

    pub(super) fn node(&self, n: usize) -> Arc<StormNode> {
        Arc::clone(&self.nodes[n].read().unwrap())
    }

    /// Starts a new process in place of one whose runtime was dropped.
    pub(super) async fn replace(&self, n: usize) {
        let url = self.proxies[n].lock().await.url();
        let node = StormNode::start(&url, &n.to_string(), &self.table).await;
        *self.nodes[n].write().unwrap() = node;
    }

    pub(super) fn begin(self: &Arc<Self>) -> Vec<JoinHandle<()>> {
        let writers = 0..N_NODES * WRITERS_A_NODE;
        writers.map(|n| tokio::spawn(Arc::clone(self).writer(n % N_NODES))).collect()
    }

    async fn writer(self: Arc<Self>, n: usize) {
        while !self.over.load(SeqCst) {
            let key = rand::rng().random_range(0..N_KEYS);
            self.write(n, key).await;
            pause(20).await;
        }
    }

    async fn write(&self, n: usize, key: u64) -> bool {
        let Some(writes) = self.node(n).writes() else { return false };
        let value = rand::random::<u64>();
        // A caller that gives up does not know the result, and need not.
        let writing = tokio::time::timeout(Duration::from_secs(5), writes.write(key, value));
        let Ok(Ok(version)) = writing.await else {
            self.n_refused.fetch_add(1, SeqCst);
            return false;
        };
        self.acknowledged[key as usize].fetch_max(version, SeqCst);
        self.n_acknowledged.fetch_add(1, SeqCst);
        true
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.n_acknowledged.load(SeqCst)
    }

    pub(super) fn told(&self) -> String {
        let of = |counter: &AtomicU64| counter.load(SeqCst);
        let (calls, failures) = self.table.counts();
        format!(
            "{} writes acknowledged and {} not, {calls} calls of the sink of which {failures} failed, \
             {} faults, {} rows set aside: 0 lost",
            of(&self.n_acknowledged),
            of(&self.n_refused),
            of(&self.faults),
            of(&self.n_set_aside),
        )
    }

    /// Ends the writers, repairs everything, and finds each acknowledged write.
    pub(super) async fn end(self: &Arc<Self>, writers: Vec<JoinHandle<()>>) {
        self.over.store(true, SeqCst);
        for writer in writers {
            writer.await.unwrap();
        }
        self.table.mend();
        for n in 0..N_NODES {
            // A node that has lost its runtime would never recover.
            eventually("every node is sound", async || !self.node(n).node.report().l2.breaker_open)
                .await;
        }
        let waiting = async || self.redis.ask::<u64>(&["XLEN", STREAM]).await;
        eventually("nothing waits", async || waiting().await == 0).await;
        assert_eq!(self.redis.ask::<u64>(&["HLEN", &format!("{STREAM}:values")]).await, 0);
        let set_aside = self.set_aside().await;
        for (key, acknowledged) in (0..).zip(&self.acknowledged) {
            let acknowledged = acknowledged.load(SeqCst);
            let in_table = self.table.row(key).map_or(0, |(version, _)| version);
            let aside = set_aside.get(&key).copied().unwrap_or(0);
            assert!(
                in_table.max(aside) >= acknowledged,
                "key {key}: {acknowledged} was acknowledged, the table has {in_table}, aside is {aside}"
            );
            assert!(key >= REFUSED || in_table == 0, "the table never takes {key}");
        }
        self.reads_agree(&set_aside).await;
    }

    /// Every node reads the table's row, and none reads an older value of its own.
    async fn reads_agree(&self, set_aside: &HashMap<u64, u64>) {
        for n in 0..N_NODES {
            let writes = self.node(n).writes().unwrap();
            for key in (REFUSED..N_KEYS).filter(|key| !set_aside.contains_key(key)) {
                let expected = self.table.row(key).map(|(_, value)| value);
                eventually("every node reads the newest", async || {
                    let load = async move || Ok::<_, std::io::Error>(expected);
                    let read = writes.get_or_load(&key, load).await;
                    read.is_ok_and(|read| read.value.as_deref().copied() == expected)
                })
                .await;
            }
        }
    }

    /// The highest version among each key's dead letters.
    async fn set_aside(&self) -> HashMap<u64, u64> {
        let aside = format!("{STREAM}:aside");
        let rows: Vec<(String, HashMap<String, String>)> =
            self.redis.ask(&["XRANGE", &aside, "-", "+"]).await;
        self.n_set_aside.store(rows.len() as u64, SeqCst);
        let mut newest = HashMap::new();
        for (_, fields) in rows {
            let version: u64 = fields["v"].split(':').next().unwrap().parse().unwrap();
            let held = newest.entry(fields["k"].parse().unwrap()).or_insert(version);
            *held = version.max(*held);
        }
        newest
    }
}

pub(super) async fn pause(up_to_ms: u64) {
    let us = rand::rng().random_range(0..up_to_ms * 1_000);
    tokio::time::sleep(Duration::from_micros(us)).await;
}
