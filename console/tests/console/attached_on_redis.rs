//! An attached node on the service's own Redis, in a namespace of its own.

use std::sync::Arc;
use std::time::Duration;

use strata_cache::{Cache, Node};
use strata_console::{Actor, NodeClient};
use strata_report::{JobState, KeyQuery, L2Look, LevelChoice};
use strata_testing::RedisServer;

use crate::support::{console, operator};

const MINUTE: Duration = Duration::from_secs(60);

/// One node, and its cache, which holds so many keys.
async fn filled(
    redis: &RedisServer,
    (namespace, name): (&str, &str),
    n_keys: u64,
) -> (Node, Cache<u64, String>) {
    let builder = Node::builder(namespace).id("1").redis_url(&redis.url()).l2_timeout(MINUTE);
    let node = builder.start().await.unwrap();
    let builder = Cache::builder(name).l1_entries(1_000).time_to_live(MINUTE);
    let cache: Cache<u64, String> = builder.l2_time_to_live(MINUTE).build(&node).unwrap();
    for key in 1..=n_keys {
        let load = move || async move { Ok::<_, std::io::Error>(Some(format!("of {key}"))) };
        cache.get_or_load(&key, load).await.unwrap();
    }
    (node, cache)
}

#[tokio::test]
async fn keys_of_an_attached_node_are_found_inspected_counted_and_invalidated_and_no_others() {
    let redis = RedisServer::start().await;
    let (own, _users) = filled(&redis, ("service", "users"), 30).await;
    let console = console(&[Arc::new(own.clone())]);
    let (attached, _aside) = filled(&redis, ("lab-7", "lab-7-aside"), 20).await;
    let _attached = console.attach(Arc::new(attached.clone()) as Arc<dyn NodeClient>);
    let mut ticks = console.subscribe();
    // Counts come in their own time.
    tokio::time::timeout(MINUTE, async {
        while console.cache("lab-7-aside").map(|cache| cache.l2_entries) != Ok(Some(20)) {
            ticks.changed().await.unwrap();
        }
    })
    .await
    .expect("the keys of the attached node in L2 are counted");

    let query =
        KeyQuery { pattern: "*".to_owned(), level: LevelChoice::Any, limit: 100, cursor: None };
    assert_eq!(console.keys(&operator(), "lab-7-aside", &query).await.unwrap().rows.len(), 20);
    let look = console.look(&Actor::local(), "lab-7-aside", "3").await.unwrap();
    assert!(look.l1[0].entry.is_some() && matches!(look.l2, Some(L2Look::Entry(_))), "{look:?}");

    let plan = console.plan(&operator(), "lab-7-aside", "*").await.unwrap();
    assert_eq!((plan.l1[0].entries, plan.l2), (20, Some(20)));
    let job = console.run_plan(&operator(), &plan.id, Some("*")).await.unwrap();
    let job = console.finished(job.id, MINUTE).await.unwrap();
    assert_eq!((job.state, job.l2_removed), (JobState::Done, 20));
    let left = console.plan(&operator(), "users", "*").await.unwrap();
    assert_eq!((left.l1[0].entries, left.l2), (30, Some(30)), "the service has all of its own");
    attached.shutdown();
    own.shutdown();
}
