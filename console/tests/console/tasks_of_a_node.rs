//! Each background task of a real node is ended in turn: its report, the console's alert and the
//! nodes page say so, and it runs again.

use std::sync::Arc;
use std::time::Duration;

use strata_cache::{Cache, Node, WriteBehind};
use strata_report::{Severity, TaskReport};
use strata_testing::RedisServer;

use crate::support::console;

const PATIENCE: Duration = Duration::from_secs(60);

fn task(node: &Node, name: &str) -> TaskReport {
    node.report().tasks.into_iter().find(|task| task.task == name).unwrap()
}

#[tokio::test]
async fn each_task_of_a_node_that_ends_is_reported_alerted_and_starts_again() {
    let redis = RedisServer::start().await;
    let builder = Node::builder("shop").id("1").redis_url(&redis.url()).l2_timeout(PATIENCE);
    let node = builder.start().await.unwrap();
    let cache: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
    let sink = |_| async { Ok::<_, std::io::Error>(()) };
    let writes = WriteBehind::builder(&cache).durable(sink).unwrap();
    let console = console(&[Arc::new(node.clone())]);
    let names: Vec<String> = node.report().tasks.into_iter().map(|task| task.task).collect();
    for name in ["bus", "recovery", "upkeep", "reclaim", "flusher of users"] {
        assert!(names.iter().any(|known| known == name), "{name} in {names:?}");
    }
    let mut ticks = console.subscribe();
    for name in &names {
        assert!(node.tasks().abort(name), "{name} runs");
        let about = format!("The task {name} of node 1 ");
        let told = async {
            loop {
                let alerts = console.alerts();
                let alert = alerts.into_iter().find(|alert| alert.what.starts_with(&about));
                match alert.filter(|alert| alert.severity == Severity::Warning) {
                    Some(alert) if task(&node, name).runs() => return alert,
                    _ => ticks.changed().await.unwrap(),
                }
            }
        };
        let alert = tokio::time::timeout(PATIENCE, told).await.expect(name);
        assert_eq!((&*alert.lint, &*alert.node), ("task_failed", "1"));
        assert_eq!(task(&node, name).ends, 1, "{name}");
        let row = console.nodes_report().nodes.remove(0);
        assert_eq!(row.tasks.iter().find(|task| task.task == *name).unwrap().ends, 1, "{name}");
    }
    // All of them do their work as before.
    writes.write(1, "one".to_owned()).await.unwrap();
    assert!(writes.shutdown(PATIENCE).await.is_complete());
    assert!(node.report().bus.connected && !node.report().l2.breaker_open);
}
