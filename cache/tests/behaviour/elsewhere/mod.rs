//! Nodes as consoles elsewhere see them, through Redis alone.

mod announced;
mod asks;
mod bad_input;
mod events;
mod killed;
mod lag;
mod observer;
mod presence;
mod refusals;

use std::time::Duration;

use strata_cache::report::{PresenceState, Reply};
use strata_cache::{AskTo, Fleet, FleetClient, FleetNode, FleetView, Node, NodeBuilder};
use tokio::time::Instant;

use crate::support::{Redis, hears};

const KEY: &str = "a key that nodes and consoles share";

/// Long enough for a loaded machine.
const PATIENCE: Duration = Duration::from_secs(2);

fn builder(redis: &Redis, id: &str) -> NodeBuilder {
    Node::builder("test").id(id).redis_url(&redis.url()).l2_timeout(PATIENCE)
}

async fn node(redis: &Redis, id: &str, fleet: Fleet) -> Node {
    let node = builder(redis, id).fleet(fleet).start().await.unwrap();
    hears(&node).await;
    node
}

/// A console, and the node that it looks on by.
struct Console {
    observer: Node,
    fleet: FleetClient,
}

impl Console {
    async fn of(redis: &Redis, key: &str) -> Self {
        let observer = builder(redis, "console").observer().start().await.unwrap();
        let fleet = observer.fleet_client().key(key).start().unwrap();
        Self { observer, fleet }
    }

    async fn view(&self) -> FleetView {
        self.fleet.poll().await.unwrap()
    }

    async fn state(&self, id: &str) -> Option<PresenceState> {
        self.view().await.node(id).map(|node| node.state)
    }

    /// Until a node is as described.
    async fn until(&self, id: &str, what: &str, holds: impl Fn(&FleetNode) -> bool) -> FleetNode {
        let look = async || self.view().await.node(id).filter(|node| holds(node)).cloned();
        found(what, look).await
    }

    async fn until_reported(&self, id: &str) -> FleetNode {
        self.until(id, "the node reports", |node| node.report.is_some() && node.card.is_some())
            .await
    }

    /// What one node answers, once it has: a loaded machine may take longer than a console waits.
    async fn reply(&self, id: &str, kind: &str, body: &str) -> Reply {
        let ask = async || {
            let asked = self.fleet.ask(AskTo::Node(id), kind, body, "anna").await.unwrap();
            asked.replies.into_iter().next()
        };
        found("the node answers", ask).await
    }
}

/// Polls until there is something; fails after half a minute.
async fn found<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{what}: not within 30 seconds");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Keys of the fleet and how long each lives, milliseconds; negative is for ever.
async fn lives(redis: &Redis) -> Vec<(String, i64)> {
    let mut keys: Vec<String> = redis.ask(&["KEYS", "{*}!fleet:*"]).await;
    keys.extend(redis.ask::<Vec<String>>(&["KEYS", "strata:*"]).await);
    let mut lives = Vec::new();
    for key in keys {
        let left_ms: i64 = redis.ask(&["PTTL", &key]).await;
        // One that has gone meanwhile lives no longer.
        if left_ms != -2 {
            lives.push((key, left_ms));
        }
    }
    lives
}

async fn all_end_by_themselves(redis: &Redis) {
    let lives = lives(redis).await;
    assert!(!lives.is_empty());
    for (key, left_ms) in lives {
        assert!(left_ms >= 0, "{key} would stay for ever");
        let most_ms = if key.contains("fleet:nodes") {
            600_000
        } else if key.starts_with("strata:") {
            24 * 3_600_000
        } else {
            60_000
        };
        assert!(left_ms <= most_ms, "{key} lives for {left_ms} ms");
    }
}

/// A node on a runtime of its own, which can be killed with it.
struct Doomed {
    runtime: Option<tokio::runtime::Runtime>,
    node: Node,
}

impl Doomed {
    async fn start(redis: &Redis, id: &str) -> Self {
        let builder = builder(redis, id);
        let starting = std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
            let node = runtime.block_on(async {
                let node = builder.start().await.unwrap();
                hears(&node).await;
                node
            });
            (runtime, node)
        });
        let joined = tokio::task::spawn_blocking(move || starting.join().unwrap());
        let (runtime, node) = joined.await.unwrap();
        Self { runtime: Some(runtime), node }
    }

    /// It says nothing any more, as a process that was killed.
    fn kill(&mut self) -> Instant {
        self.runtime.take().unwrap().shutdown_background();
        Instant::now()
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
