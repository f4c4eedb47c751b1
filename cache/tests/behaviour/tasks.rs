//! Each background task of a node is ended in turn. It is reported, starts again, and works as
//! before.

use std::io::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strata_cache::report::{TaskReport, TaskState};
use strata_cache::{Cache, Node, WriteBehind};

use crate::support::ways::{onlooker, trusts_l2};
use crate::support::{Redis, Source, cache, eventually, lonely_node};

fn task(node: &Node, name: &str) -> TaskReport {
    node.report().tasks.into_iter().find(|task| task.task == name).unwrap()
}

/// Ends the task as a fault would, and waits until it runs again.
async fn end(node: &Node, name: &str) {
    let before = task(node, name);
    assert!(before.runs() && before.failure.is_none(), "{before:?}");
    eventually("it has begun", async || node.tasks().abort(name)).await;
    eventually("it is reported and runs again", async || {
        let now = task(node, name);
        now.ends == before.ends + 1 && now.runs()
    })
    .await;
    let failed = task(node, name);
    assert_eq!(failed.failure.as_deref(), Some("it ended before its time"));
    assert!(failed.failed_at_ms.is_some());
}

#[tokio::test]
async fn a_bus_listener_that_ended_starts_again_and_hears() {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    let (here, there) = (cache(&one), cache(&two));
    let source = Source::new();
    source.read(&here, 1).await;
    assert!(one.tasks().abort("bus"));
    source.write(7);
    there.invalidate(&1).await;
    eventually("it hears again", async || one.report().bus.connected).await;
    eventually("and missed nothing", async || source.value(&here, 1).await == "7").await;
    assert_eq!(task(&one, "bus").ends, 1);
    source.write(8);
    there.invalidate(&1).await;
    eventually("nor will", async || source.value(&here, 1).await == "8").await;
}

#[tokio::test]
async fn a_recovery_that_ended_starts_again_and_brings_redis_back() {
    let mut redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let cache = cache(&node);
    let source = Source::new();
    source.read(&cache, 1).await;
    end(&node, "recovery").await;
    redis.kill();
    cache.invalidate(&1).await;
    assert!(node.report().l2.breaker_open);
    redis.restart().await;
    trusts_l2(&node).await;
    let replayed = async || node.report().l2.queued_invalidations == 0;
    eventually("what waited is replayed", replayed).await;
}

#[tokio::test]
async fn an_upkeep_that_ended_starts_again_and_removes_what_expired() {
    let node = lonely_node().await;
    let builder = Cache::<u64, String>::builder("users").time_to_live(Duration::from_millis(50));
    let cache = builder.build(&node).unwrap();
    end(&node, "upkeep").await;
    Source::new().read(&cache, 1).await;
    let expired = async || node.report().caches[0].l1.evictions.expired == 1;
    eventually("what expired is removed", expired).await;
}

#[tokio::test]
async fn a_flusher_that_ended_starts_again_with_what_it_had() {
    let node = lonely_node().await;
    let views: Cache<u64, u64> = Cache::builder("views").build(&node).unwrap();
    let (rows, n_calls) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU64::new(0)));
    let (taken, calls) = (Arc::clone(&rows), Arc::clone(&n_calls));
    let sink = move |sent: Vec<(u64, u64)>| {
        let (taken, n_call) = (Arc::clone(&taken), calls.fetch_add(1, Ordering::SeqCst));
        async move {
            if n_call == 0 {
                // The flusher is ended while it waits for this call.
                std::future::pending::<()>().await;
            }
            taken.lock().unwrap().extend(sent);
            Ok::<_, Error>(())
        }
    };
    let writes = WriteBehind::builder(&views).interval(Duration::from_millis(1));
    let writes = writes.in_memory(sink).unwrap();
    writes.write(1, 11).await.unwrap();
    eventually("it calls the sink", async || n_calls.load(Ordering::SeqCst) == 1).await;
    end(&node, "flusher of views").await;
    eventually("the row arrives", async || rows.lock().unwrap().contains(&(1, 11))).await;
    assert!(writes.shutdown(Duration::from_secs(5)).await.is_complete());
}

#[tokio::test]
async fn a_flusher_that_is_done_is_no_failure() {
    let node = lonely_node().await;
    let views: Cache<u64, u64> = Cache::builder("views").build(&node).unwrap();
    let writes = WriteBehind::builder(&views).in_memory(async |_| Ok::<_, Error>(())).unwrap();
    assert!(node.report().tasks.iter().any(|task| task.task == "flusher of views"));
    writes.shutdown(Duration::from_secs(5)).await;
    eventually("it is reported no more", async || {
        node.report().tasks.iter().all(|task| task.task != "flusher of views")
    })
    .await;
}

#[test]
fn a_runtime_that_is_dropped_is_reported_and_nothing_starts_again() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let node = runtime.block_on(lonely_node());
    drop(runtime);
    let report = node.report();
    assert!(!report.tasks.is_empty());
    assert!(report.tasks.iter().all(|task| task.state == TaskState::RuntimeGone), "{report:?}");
}

#[tokio::test]
async fn two_nodes_that_live_under_one_id_in_one_process_are_told_in_the_log() {
    let (log, _listening) = crate::support::log::Log::listen();
    let start = async |id: &str| Node::builder("ids").id(id).start().await.unwrap();
    let (first, other) = (start("one").await, start("two").await);
    let told = || log.lines("two nodes of one id").len();
    assert_eq!(told(), 0);
    let second = start("one").await;
    assert_eq!(told(), 1);
    first.shutdown();
    second.shutdown();
    let third = start("one").await;
    assert_eq!(told(), 1, "those have ended");
    drop((other, third));
}
