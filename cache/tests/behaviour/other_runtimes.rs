//! Consoles and readers on another runtime than the one that the node belongs to.

use strata_cache::Node;
use strata_cache::report::Outcome;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::support::ways::{never_opened, onlooker};
use crate::support::{Redis, Source, cache, eventually};

fn one_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Keeps the only worker of a runtime busy until the sender is dropped.
async fn keep_busy(runtime: &Runtime) -> std::sync::mpsc::Sender<()> {
    let ((begins, begun), (end, until)) = (oneshot::channel(), std::sync::mpsc::channel());
    runtime.spawn(async move {
        begins.send(()).unwrap();
        until.recv()
    });
    begun.await.unwrap();
    end
}

/// Asks as a console does whose queries have threads of their own.
fn ask_on(runtime: &Runtime, node: &Node) -> tokio::task::JoinHandle<bool> {
    let (node, handle) = (node.clone(), runtime.handle().clone());
    runtime.spawn_blocking(move || handle.block_on(async { node.redis_server().await.is_some() }))
}

#[tokio::test]
async fn a_console_on_busy_threads_holds_up_no_other_console_and_no_read() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (cache, source) = (cache(&node), Source::new());
    source.read(&crate::support::cache(&onlooker(&redis).await), 1).await;
    let slow = one_thread();
    assert!(ask_on(&slow, &node).await.unwrap(), "its connection is the first");
    let busy = keep_busy(&slow).await;
    let late = ask_on(&slow, &node);
    for _ in 0..3 {
        assert!(node.redis_server().await.is_some(), "a console on the node's own threads");
    }
    assert_eq!(source.read(&cache, 1).await.outcome, Outcome::L2Hit);
    assert!(!late.is_finished(), "nobody reads its answer");
    drop(busy);
    assert!(late.await.unwrap(), "its answer is still taken");
    never_opened(&node);
    slow.shutdown_background();
}

#[tokio::test]
async fn a_connection_that_a_reader_of_another_runtime_renews_outlives_that_runtime() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (cache, source) = (cache(&node), Source::new());
    let other = crate::support::cache(&onlooker(&redis).await);
    for key in 1..=2 {
        source.read(&other, key).await;
    }
    let () = redis.ask(&["CLIENT", "KILL", "TYPE", "NORMAL"]).await;
    let short_lived = one_thread();
    let (reader, its_source) = (cache.clone(), source.clone());
    let read = short_lived.spawn(async move { its_source.read(&reader, 1).await.outcome });
    assert_eq!(read.await.unwrap(), Outcome::L2Hit);
    let tasks = short_lived.metrics();
    eventually("no connection is read there", async || tasks.num_alive_tasks() == 0).await;
    short_lived.shutdown_background();
    assert_eq!(source.read(&cache, 2).await.outcome, Outcome::L2Hit);
    never_opened(&node);
}

/// How many clients have connected to Redis until now.
async fn n_connected(redis: &Redis) -> u64 {
    let stats: String = redis.ask(&["INFO", "stats"]).await;
    let line = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
    line.unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn consoles_on_two_other_runtimes_keep_their_connections() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (one, other) = (one_thread(), one_thread());
    for runtime in [&one, &other] {
        assert!(ask_on(runtime, &node).await.unwrap());
    }
    let before = n_connected(&redis).await;
    for _ in 0..10 {
        for runtime in [&one, &other] {
            assert!(ask_on(runtime, &node).await.unwrap());
        }
    }
    // Whoever counts connects as well.
    let asked_to_count = n_connected(&redis).await - before;
    assert_eq!(asked_to_count, 1, "they take turns on the connections that they have");
    one.shutdown_background();
    assert!(ask_on(&other, &node).await.unwrap(), "the end of one runtime is nothing to the other");
    never_opened(&node);
    other.shutdown_background();
}
