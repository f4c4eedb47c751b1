//! A node on a runtime of its own, which can be dropped under it.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strata_cache::{Cache, Node};
use tokio::runtime::{Builder, Runtime};

use super::world::N_KEYS;
use crate::support::hears;

/// The user that all nodes log in as.
pub(super) const USER: &str = "app";

pub(super) struct StormNode {
    pub(super) node: Node,
    pub(super) cache: Cache<u64, u64>,
    /// The newest version of each row that this node has acknowledged.
    pub(super) acknowledged: Vec<AtomicU64>,
    runtime: Mutex<Option<Runtime>>,
}

impl StormNode {
    pub(super) async fn start(redis_url: &str, id: &str) -> Arc<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let url = format!("{redis_url}?user={USER}&pass=secret");
        let builder = Node::builder("test").id(id).redis_url(&url);
        let starting = builder.l2_timeout(Duration::from_secs(1)).start();
        let node = runtime.spawn(starting).await.unwrap().unwrap();
        hears(&node).await;
        // With long deadlines, only invalidated entries, or possibly invalidated ones, are ever
        // removed.
        let hour = Duration::from_secs(3_600);
        let cache = Cache::builder("rows").time_to_live(hour).l2_time_to_live(hour);
        let cache = cache.lease_wait(Duration::from_millis(50)).build(&node).unwrap();
        let acknowledged = (0..N_KEYS).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self { node, cache, acknowledged, runtime: Mutex::new(Some(runtime)) })
    }

    /// Drops the runtime that the node was started on, with everything that runs there.
    pub(super) fn drop_runtime(&self) {
        if let Some(runtime) = self.runtime.lock().unwrap().take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for StormNode {
    fn drop(&mut self) {
        self.drop_runtime();
    }
}

/// A log in which every line panics, as with `eprintln!` to a closed standard error.
pub(super) struct PanickingLog;

impl tracing::Subscriber for PanickingLog {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::INFO && metadata.target().starts_with("strata")
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        // Panics without printing a hundred lines on standard error.
        std::panic::resume_unwind(Box::new(event.metadata().name()));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
