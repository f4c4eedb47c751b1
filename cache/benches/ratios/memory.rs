//! The memory of an L1 entry against bare moka's. It is the growth of a separate process, as the
//! system reports it, since the workspace forbids the unsafe code of a counting allocator.

use std::convert::Infallible;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use strata_cache::{Cache, Node};

use crate::table::Table;

const N_ENTRIES: u64 = 500_000;
const KINDS: [&str; 3] = ["moka", "moka-deadlines", "strata"];

struct InAnHour;

impl<V> moka::Expiry<u64, V> for InAnHour {
    fn expire_after_create(&self, _: &u64, _: &V, _: Instant) -> Option<Duration> {
        Some(Duration::from_secs(3_600))
    }
}

pub(crate) fn rows(table: &mut Table) {
    let [moka, expiring, strata] = KINDS.map(in_a_process_of_its_own);
    let figures = |other: f64| format!("{strata:.0} B : {other:.0} B; key and value are u64");
    table.told("memory of an L1 entry : bare moka", strata / moka, figures(moka));
    table.told(
        "the same : moka with a deadline for each entry",
        strata / expiring,
        figures(expiring),
    );
}

fn in_a_process_of_its_own(kind: &str) -> f64 {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).args(["--entries-of", kind]).output().expect("its output");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().unwrap_or_else(|_| panic!("{kind} said {text}"))
}

/// Runs in the separate process: fills a cache, and prints the bytes of an entry.
pub(crate) async fn fill(kind: &str) {
    let before = resident_bytes();
    let kept: Box<dyn std::any::Any> = match kind {
        "moka" => Box::new(fill_moka(moka::sync::Cache::new(N_ENTRIES * 2))),
        "moka-deadlines" => {
            let builder = moka::sync::Cache::builder().max_capacity(N_ENTRIES * 2);
            Box::new(fill_moka(builder.expire_after(InAnHour).build()))
        }
        _ => Box::new(fill_strata().await),
    };
    let grown = resident_bytes() - before;
    drop(kept);
    println!("{}", grown / N_ENTRIES as f64);
}

fn fill_moka(cache: moka::sync::Cache<u64, Arc<u64>>) -> moka::sync::Cache<u64, Arc<u64>> {
    for key in 0..N_ENTRIES {
        cache.insert(key, Arc::new(key));
    }
    cache.run_pending_tasks();
    assert_eq!(cache.entry_count(), N_ENTRIES);
    cache
}

async fn fill_strata() -> (Node, Cache<u64, u64>) {
    let node = Node::builder("memory").start().await.expect("a node");
    let builder = Cache::<u64, u64>::builder("memory").l1_entries(N_ENTRIES * 2);
    let cache = builder.time_to_live(Duration::from_secs(3_600)).build(&node).expect("a cache");
    for key in 0..N_ENTRIES {
        let load = move || async move { Ok::<_, Infallible>(Some(key)) };
        cache.get_or_load(&key, load).await.expect("a value");
    }
    assert_eq!(cache.report().l1.entries, N_ENTRIES);
    (node, cache)
}

fn resident_bytes() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: f64 = statm.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("pages");
    pages * 4_096.0
}
