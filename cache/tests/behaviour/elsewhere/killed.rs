//! A console that is killed in the middle of what it asks.

use strata_cache::{Cache, Fleet};
use tokio::sync::mpsc;

use super::{AskTo, Console, all_end_by_themselves, lives, node};
use crate::support::Redis;

/// Asks all nodes on a runtime of its own, again and again, and tells of each answer.
fn asking_console(redis: &Redis) -> (tokio::runtime::Runtime, mpsc::Receiver<usize>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (sender, answers) = mpsc::channel(16);
    let observer = super::builder(redis, "doomed").observer();
    runtime.spawn(async move {
        let observer = observer.start().await.unwrap();
        let fleet = observer.fleet_client().key("").start().unwrap();
        loop {
            fleet.poll().await.unwrap();
            let body = r#"{"cache":"users","pattern":"*","limit":100}"#;
            let asked = fleet.ask(AskTo::All, "list_l1", body, "anna").await.unwrap();
            let _ = sender.try_send(asked.replies.len());
        }
    });
    (runtime, answers)
}

#[tokio::test]
async fn a_console_that_is_killed_while_it_asks_leaves_nothing_for_longer_than_a_minute() {
    let redis = Redis::start().await;
    let nodes =
        [node(&redis, "1", Fleet::default()).await, node(&redis, "2", Fleet::default()).await];
    for node in &nodes {
        let _: Cache<u64, String> = Cache::builder("users").build(node).unwrap();
    }
    let (runtime, mut answers) = asking_console(&redis);
    while answers.recv().await.unwrap() < nodes.len() {}
    runtime.shutdown_background();
    all_end_by_themselves(&redis).await;
    // Nobody is left who could prolong anything.
    for node in &nodes {
        node.shutdown().await;
    }
    let left = lives(&redis).await;
    let of_fleet: Vec<_> = left.iter().filter(|(key, _)| key.contains("fleet:")).collect();
    assert!(!of_fleet.is_empty(), "it has asked");
    for (key, left_ms) in of_fleet {
        assert!((0..=60_000).contains(left_ms), "{key} lives for {left_ms} ms");
    }
    // A console that comes later finds nobody.
    let console = Console::of(&redis, "").await;
    assert!(console.view().await.nodes.is_empty());
}
