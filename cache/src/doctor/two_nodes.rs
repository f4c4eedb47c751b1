//! The whole at work: what one node invalidates is gone on another.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::Instant;

use super::clocks::ms;
use super::diagnosis::Finding;
use crate::cache::Cache;
use crate::connection::RedisAddress;
use crate::error::BuildError;
use crate::node::Node;

const SUBJECT: &str = "Two nodes";
const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);
const CACHE: &str = "doctor";

/// Starts two nodes in the namespace, has one invalidate what the other holds, and removes all.
pub(super) async fn agree(redis: &RedisAddress, namespace: &str) -> Finding {
    let nodes = match Nodes::start(redis, namespace).await {
        Ok(nodes) => nodes,
        Err(error) => return Finding::fails(SUBJECT, format!("no node could {error}")),
    };
    let finding = nodes.tried().await;
    nodes.end().await;
    finding
}

struct Nodes {
    one: Node,
    two: Node,
    here: Cache<u64, u64>,
    there: Cache<u64, u64>,
}

impl Nodes {
    async fn start(redis: &RedisAddress, namespace: &str) -> Result<Self, BuildError> {
        let start = |id: &str| {
            let builder = Node::builder(namespace).id(id).redis(redis.clone());
            // No console elsewhere shall take them for a service.
            #[cfg(feature = "fleet")]
            let builder = builder.fleet(crate::fleet::Fleet::off());
            builder.start()
        };
        let (one, two) = (start("doctor-1").await?, start("doctor-2").await?);
        let here = Cache::builder(CACHE).build(&one)?;
        let there = Cache::builder(CACHE).build(&two)?;
        Ok(Self { one, two, here, there })
    }

    async fn tried(&self) -> Finding {
        let trusts = || [&self.one, &self.two].iter().all(|node| trusts(node));
        if !within(PATIENCE, trusts).await {
            return Finding::fails(SUBJECT, format!("they never trusted Redis: {}", self.why()));
        }
        for cache in [&self.here, &self.there] {
            if let Err(error) = cache.get_or_load(&1, async || Ok::<_, Infallible>(Some(1))).await {
                return Finding::fails(SUBJECT, format!("a read failed: {error}"));
            }
        }
        let began = Instant::now();
        self.here.invalidate(&1).await;
        let heard = match self.one.bus_sequence().await {
            Some(sequence) => self.two.has_heard(sequence, PATIENCE).await,
            None => false,
        };
        let took = began.elapsed();
        let left = self.there.get(&1).await.value;
        match (heard, left) {
            (true, None) => {
                let seen = "what one invalidated was gone on the other after";
                Finding::works(SUBJECT, format!("{seen} {}", ms(took)))
            }
            (true, Some(_)) => {
                Finding::fails(SUBJECT, "what one invalidated was still there on the other")
            }
            (false, _) => {
                let seen = "one did not hear the other's invalidation within";
                Finding::fails(SUBJECT, format!("{seen} {}", ms(PATIENCE)))
            }
        }
    }

    fn why(&self) -> String {
        let errors = [&self.one, &self.two].into_iter();
        let last = errors.filter_map(|node| node.report().l2.last_error).next();
        last.map_or_else(
            || "no heartbeat came".to_owned(),
            |error| format!("{}: {}", error.code, error.message),
        )
    }

    async fn end(self) {
        tokio::join!(self.two.shutdown().into_future(), self.one.shutdown().into_future());
        // What a node was about to write as it ended may come after.
        for _ in 0..10 {
            if self.one.erase_namespace().await.is_none_or(|n| n == 0) {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

fn trusts(node: &Node) -> bool {
    let report = node.report();
    !report.l2.breaker_open && report.bus.connected && report.bus.silent_since_ms.is_none()
}

async fn within(time: Duration, is_so: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + time;
    while !is_so() {
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(POLL).await;
    }
    true
}
