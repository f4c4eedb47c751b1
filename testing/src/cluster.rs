use super::redis_server::free_port;
use super::{RedisServer, eventually};

/// A Redis Cluster of one test's own: three masters with a third of the slots each, and a replica of
/// each where asked for.
pub struct Cluster {
    /// The masters as they began, then the replicas in the same order.
    pub servers: Vec<RedisServer>,
    ids: Vec<String>,
}

const N_MASTERS: usize = 3;

/// The first and the last slot of each master.
const SLOTS: [(u16, u16); N_MASTERS] = [(0, 5460), (5461, 10922), (10923, 16383)];

impl Cluster {
    /// Three masters.
    pub async fn start() -> Self {
        Self::start_with(0, &[]).await
    }

    /// Three masters with a replica each.
    pub async fn start_with_replicas() -> Self {
        Self::start_with(N_MASTERS, &[]).await
    }

    /// So many replicas, and servers with these options as well.
    pub async fn start_with(n_replicas: usize, options: &[&str]) -> Self {
        let mut servers = Vec::new();
        for _ in 0..N_MASTERS + n_replicas {
            servers.push(server(options).await);
        }
        let mut ids = Vec::new();
        for server in &servers {
            ids.push(server.cli(&["CLUSTER", "MYID"]).await);
        }
        let cluster = Self { servers, ids };
        for (server, (first, last)) in cluster.servers.iter().zip(SLOTS) {
            let (first, last) = (first.to_string(), last.to_string());
            server.cli(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]).await;
        }
        cluster.meet().await;
        for (n, replica) in cluster.servers.iter().enumerate().skip(N_MASTERS) {
            let master = &cluster.ids[n - N_MASTERS];
            eventually("the replica follows", async || {
                replica.cli(&["CLUSTER", "REPLICATE", master]).await == "OK"
            })
            .await;
        }
        cluster.is_whole().await;
        cluster
    }

    async fn meet(&self) {
        let first = &self.servers[0];
        for other in &self.servers[1..] {
            let (port, bus) = (other.port().to_string(), cluster_port(other).await);
            first.cli(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await;
        }
        let n = self.servers.len();
        for server in &self.servers {
            eventually("the servers know each other", async || {
                let nodes = server.cli(&["CLUSTER", "NODES"]).await;
                nodes.lines().count() == n && !nodes.contains("handshake")
            })
            .await;
        }
    }

    /// Waits until every server that runs says that all is well.
    pub async fn is_whole(&self) {
        for server in &self.servers {
            eventually("the cluster is whole", async || {
                let state = server.cli(&["CLUSTER", "INFO"]).await;
                let replicates = server.cli(&["INFO", "replication"]).await;
                state.contains("cluster_state:ok")
                    && !replicates.contains("master_link_status:down")
            })
            .await;
        }
    }

    /// Where a node finds it.
    pub fn url(&self) -> String {
        let hosts = self.servers.iter().map(|server| format!("127.0.0.1:{}", server.port()));
        format!("redis+cluster://{}", hosts.collect::<Vec<_>>().join(","))
    }

    /// The slot of a key.
    pub async fn slot(&self, key: &str) -> u16 {
        self.servers[0].ask(&["CLUSTER", "KEYSLOT", key]).await
    }

    /// Which of the masters began with this slot.
    pub fn owner(&self, slot: u16) -> usize {
        SLOTS.iter().position(|(first, last)| (*first..=*last).contains(&slot)).unwrap()
    }

    /// Says on both servers that the slot is on its way.
    pub async fn begin_to_move(&self, slot: u16, from: usize, to: usize) {
        let text = slot.to_string();
        let (source, target) = (&self.servers[from], &self.servers[to]);
        target.cli(&["CLUSTER", "SETSLOT", &text, "IMPORTING", &self.ids[from]]).await;
        source.cli(&["CLUSTER", "SETSLOT", &text, "MIGRATING", &self.ids[to]]).await;
    }

    /// Moves so many of the slot's keys at most. Returns whether there were any.
    pub async fn move_keys(&self, slot: u16, (from, to): (usize, usize), n: usize) -> bool {
        let source = &self.servers[from];
        let (slot, n) = (slot.to_string(), n.to_string());
        let keys = source.cli(&["CLUSTER", "GETKEYSINSLOT", &slot, &n]).await;
        let keys: Vec<&str> = keys.lines().filter(|key| !key.is_empty()).collect();
        if keys.is_empty() {
            return false;
        }
        let port = self.servers[to].port().to_string();
        let mut words = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "REPLACE", "KEYS"];
        words.extend(keys);
        source.cli(&words).await;
        true
    }

    /// Says to all masters that the slot has moved.
    pub async fn end_move(&self, slot: u16, to: usize) {
        let slot = slot.to_string();
        // The target first, or nobody would have the slot for a moment.
        let mut order: Vec<usize> = vec![to];
        order.extend((0..N_MASTERS).filter(|n| *n != to));
        for n in order {
            self.servers[n].cli(&["CLUSTER", "SETSLOT", &slot, "NODE", &self.ids[to]]).await;
        }
    }

    /// Moves a slot with its keys, while others write to it.
    pub async fn move_slot(&self, slot: u16, from: usize, to: usize) {
        self.begin_to_move(slot, from, to).await;
        while self.move_keys(slot, (from, to), 100).await {}
        self.end_move(slot, to).await;
    }
}

async fn server(options: &[&str]) -> RedisServer {
    let bus = free_port().to_string();
    let mut all = vec!["--cluster-enabled", "yes", "--cluster-node-timeout", "1500"];
    all.extend(["--cluster-port", &bus, "--repl-diskless-sync-delay", "0"]);
    all.extend(options);
    RedisServer::start_on_a_port(&all).await
}

async fn cluster_port(server: &RedisServer) -> String {
    let port = server.cli(&["CONFIG", "GET", "cluster-port"]).await;
    port.lines().last().unwrap_or_default().to_owned()
}
