//! A process that runs many nodes of one service, each with everything that a node of a service has:
//! caches, connections, a reader of the bus, beats and answers.

use std::env;
use std::io::{Write, stdout};
use std::process::Stdio;
use std::time::Duration;

use strata_cache::{Cache, Node};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::NAMESPACE;

/// What tells the process how many nodes to run, and where its Redis is.
const NODES: &str = "FLEET_NODES";
const REDIS: &str = "FLEET_REDIS";

/// What it says once all of them are there.
const STARTED: &str = "fleet: started";

const CACHES: usize = 10;

/// So many nodes start at the same time.
const AT_ONCE: usize = 50;

const HOUR: Duration = Duration::from_secs(3_600);

/// The process. It ends with this, and with whoever started it.
pub(super) struct FleetProcess {
    child: Child,
    /// Where it is closed, the process ends.
    _input: ChildStdin,
    /// Kept open: the test program ends where it cannot print.
    _lines: Lines<BufReader<ChildStdout>>,
}

impl FleetProcess {
    /// Returns once all nodes are there.
    pub(super) async fn start(redis_url: &str, nodes: usize) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--exact", "elsewhere::thousand::fleet::process_of_many_nodes"])
            .args(["--ignored", "--nocapture"])
            .env(NODES, nodes.to_string())
            .env(REDIS, redis_url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let started = async {
            // No further line: the process has ended.
            while !lines.next_line().await.unwrap().unwrap().contains(STARTED) {}
        };
        timeout(Duration::from_secs(240), started).await.unwrap();
        Self { child, _input: input, _lines: lines }
    }

    /// Closes its input, and waits until it has ended.
    pub(super) async fn ends_with_its_input(self) {
        let Self { mut child, _input: input, _lines: lines } = self;
        drop(input);
        let status = timeout(Duration::from_secs(60), child.wait()).await.unwrap().unwrap();
        assert!(status.success(), "{status}");
        drop(lines);
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }
}

/// A node and its caches, which are read now and then so that its numbers move.
struct BusyNode {
    _node: Node,
    caches: Vec<Cache<u64, String>>,
}

impl BusyNode {
    async fn start(redis_url: &str, n: usize) -> Self {
        let app = if n.is_multiple_of(10) { "shop-jobs" } else { "shop-api" };
        let builder = Node::builder(NAMESPACE).id(&format!("pod-{n:04}")).redis_url(redis_url);
        let builder = builder.app(app, "2.0").l2_timeout(Duration::from_secs(5));
        let node = builder.start().await.unwrap();
        let cache = |n: usize| {
            let builder = Cache::builder(&format!("cache-{n}")).l1_entries(1_000);
            builder.time_to_live(HOUR).l2_time_to_live(HOUR).build(&node).unwrap()
        };
        let caches = (0..CACHES).map(cache).collect();
        Self { _node: node, caches }
    }

    async fn read(&self, cache: usize) {
        let load = || async { Ok::<_, std::io::Error>(Some("a value".to_owned())) };
        // A Redis that is busy for a moment costs a read no more than a load.
        self.caches[cache].get_or_load(&7, load).await.unwrap();
    }
}

async fn run(redis_url: String, n: usize) {
    let mut nodes = Vec::with_capacity(n);
    for first in (0..n).step_by(AT_ONCE) {
        let mut starting = JoinSet::new();
        for n in first..(first + AT_ONCE).min(n) {
            let redis_url = redis_url.clone();
            starting.spawn(async move { BusyNode::start(&redis_url, n).await });
        }
        nodes.extend(starting.join_all().await);
    }
    let mut out = stdout().lock();
    writeln!(out, "{STARTED}").unwrap();
    out.flush().unwrap();
    drop(out);
    let reading = async {
        let mut ticks = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let began = Instant::now();
        loop {
            let at = ticks.tick().await.duration_since(began).as_secs() as usize;
            for node in &nodes {
                node.read(at % CACHES).await;
            }
        }
    };
    tokio::select! {
        () = reading => {}
        () = input_has_ended() => {}
    }
}

/// Until whoever started the process has closed its input, or has ended.
async fn input_has_ended() {
    let (ended, has_ended) = oneshot::channel();
    // A thread of its own, which nothing waits for.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = ended.send(());
    });
    let _ = has_ended.await;
}

/// The process itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a process that other tests start"]
async fn process_of_many_nodes() {
    let (Ok(nodes), Ok(redis_url)) = (env::var(NODES), env::var(REDIS)) else { return };
    run(redis_url, nodes.parse().unwrap()).await;
}
