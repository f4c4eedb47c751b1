//! A node behind a proxy of its own, on a runtime of its own that can be dropped under it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use strata_cache::{Cache, Node, WriteBehind};
use tokio::runtime::{Builder, Runtime};

use super::sink::Table;
use crate::support::hears;

pub(super) struct StormNode {
    pub(super) node: Node,
    cache: Cache<u64, u64>,
    table: Table,
    /// Clones of this continue their writes until they are done.
    writes: Mutex<Option<WriteBehind<u64, u64>>>,
    runtime: Mutex<Option<Runtime>>,
}

impl StormNode {
    pub(super) async fn start(url: &str, id: &str, table: &Table) -> Arc<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let builder = Node::builder("test").id(id).redis_url(url);
        let starting = builder.l2_timeout(Duration::from_millis(500)).start();
        let node = runtime.spawn(starting).await.unwrap().unwrap();
        hears(&node).await;
        let cache = Cache::builder("rows").build(&node).unwrap();
        let runtime = Mutex::new(Some(runtime));
        let node = Self { node, cache, table: table.clone(), writes: Mutex::default(), runtime };
        node.build().await;
        Arc::new(node)
    }

    async fn build(&self) {
        let (cache, table) = (self.cache.clone(), self.table.clone());
        let building = self.runtime.lock().unwrap().as_ref().map(|runtime| {
            runtime.spawn(async move {
                let ms = Duration::from_millis;
                let builder = WriteBehind::builder(&cache).interval(ms(20)).max_batch(32);
                let builder = builder.pauses(ms(20), ms(400)).tries(8).capacity(150);
                let builder = builder.sink_timeout(ms(300)).claim_after(ms(900));
                builder.durable(move |rows| table.clone().write(rows))
            })
        });
        let Some(building) = building else { return };
        // The previous one may not be gone yet.
        if let Ok(Ok(writes)) = building.await {
            *self.writes.lock().unwrap() = Some(writes);
        }
    }

    pub(super) fn writes(&self) -> Option<WriteBehind<u64, u64>> {
        self.writes.lock().unwrap().clone()
    }

    /// The flusher ends at once, as in a crash, and another one starts.
    pub(super) async fn crash(&self) {
        drop(self.writes.lock().unwrap().take());
        while self.writes().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.build().await;
        }
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
