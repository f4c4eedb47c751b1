//! Code of keys, values and loads may panic anywhere, and only the calling operation fails.

mod changes;
mod heard;
mod recorded;
mod touchy;
mod written;

use std::future::Future;
use std::io::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use strata_cache::report::{CacheReport, NodeReport, Outcome};
use strata_cache::{Cache, Key, Node};

/// A row that all nodes cache.
#[derive(Clone, Default)]
struct Row(Arc<AtomicU64>);

impl Row {
    fn write(&self, row: u64) {
        self.0.store(row, Ordering::SeqCst);
    }

    async fn read<K: Key>(&self, cache: &Cache<K, u64>, key: &K) -> (Outcome, u64) {
        let row = Arc::clone(&self.0);
        let load = || async move { Ok::<_, Error>(Some(row.load(Ordering::SeqCst))) };
        let read = cache.get_or_load(key, load).await.unwrap();
        (read.outcome, *read.value.unwrap())
    }

    async fn value<K: Key>(&self, cache: &Cache<K, u64>, key: &K) -> u64 {
        self.read(cache, key).await.1
    }
}

fn named<K: Key>(node: &Node, name: &str) -> Cache<K, u64> {
    Cache::builder(name).build(node).unwrap()
}

fn report_of(node: &Node, cache: &str) -> CacheReport {
    node.report().caches.into_iter().find(|report| report.cache == cache).unwrap()
}

/// Each of the node's tasks runs, and none has ever failed.
fn all_run(report: &NodeReport) -> bool {
    report.tasks.iter().all(|task| task.runs() && task.failure.is_none())
}

/// Runs code that may panic, in a task of its own, to its end.
async fn survived<T: Send + 'static>(acting: impl Future<Output = T> + Send + 'static) {
    let _ = tokio::spawn(acting).await;
}
