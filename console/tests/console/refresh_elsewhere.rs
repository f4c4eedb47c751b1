//! A key that a node elsewhere loads anew, where its service allows it.

use std::sync::Arc;
use std::time::Duration;

use strata_cache::{Cache, Fleet, Node};
use strata_console::{Actor, Console, ConsoleError, RemoteNodes};
use strata_report::{Ask, JobState};
use strata_testing::{RedisServer, eventually};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::{everybody_may_act, operator};

const KEY: &str = "a key that nodes and consoles share";
const HOUR: Duration = Duration::from_secs(3_600);

/// A node that loads keys of `users` anew where it is asked to.
async fn service(redis: &RedisServer, id: &str, fleet: Fleet) -> (Node, Cache<u64, String>) {
    let builder = Node::builder("shop").id(id).redis_url(&redis.url()).l2_timeout(HOUR);
    let node = builder.fleet(fleet.key(KEY)).start().await.unwrap();
    let users = Cache::builder("users").time_to_live(HOUR).l2_time_to_live(HOUR);
    let users: Cache<u64, String> = users.build(&node).unwrap();
    let cache = users.clone();
    node.refresh_with("users", move |key| {
        let cache = cache.clone();
        async move {
            let load = || async { Ok::<_, std::io::Error>(Some("new".to_owned())) };
            let key = key.parse().map_err(|_| "read the key".to_owned())?;
            cache.get_or_load(&key, load).await.map(drop).map_err(|error| error.to_string())
        }
    });
    (node, users)
}

async fn watching(redis: &RedisServer, n: usize) -> (Console, DropGuard) {
    let observer = Node::builder("shop").redis_url(&redis.url()).observer().start().await.unwrap();
    let client = observer.fleet_client().key(KEY).start().unwrap();
    let shutdown = CancellationToken::new();
    let nodes = RemoteNodes::new(observer, client);
    let console = Console::start_elsewhere(nodes, everybody_may_act(), shutdown.clone());
    eventually("all nodes report", async || {
        let rows = console.nodes_report().nodes;
        rows.len() == n && rows.iter().all(|row| row.heard && !row.caches.is_empty())
    })
    .await;
    (console, shutdown.drop_guard())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_allows_it_loads_a_key_and_the_trail_says_for_whom_and_who_has_heard() {
    let redis = Arc::new(RedisServer::start().await);
    let _closed = service(&redis, "pod-1", Fleet::default()).await;
    let _open = service(&redis, "pod-2", Fleet::reports().refreshes()).await;
    let (console, _end) = watching(&redis, 2).await;
    let look = console.look(&operator(), "users", "1").await.unwrap();
    assert_eq!(look.no_refresh, None);
    let anna = Actor { name: "anna".to_owned(), ..operator() };
    eventually("it is loaded", async || {
        // A loaded machine may take longer than a console waits.
        let job = console.refresh_key(&anna, "users", "1").await;
        job.is_ok_and(|job| {
            job.state == JobState::Done && job.refreshed.iter().any(|at| at.node == "pod-2")
        })
    })
    .await;
    type Entries = Vec<(String, Vec<(String, String)>)>;
    let entries: Entries = redis.ask(&["XRANGE", "{shop}!fleet:asks:pod-2", "-", "+"]).await;
    let asks =
        entries.iter().map(|(_, fields)| serde_json::from_str::<Ask>(&fields[0].1[2..]).unwrap());
    let refreshes: Vec<_> = asks.filter(|ask| ask.kind == "refresh").collect();
    assert!(!refreshes.is_empty() && refreshes.iter().all(|ask| ask.actor == "anna"));
    let audit = console.audit();
    assert_eq!((&*audit[0].actor, &*audit[0].action), ("anna", "refresh_key"));
    assert!(audit[0].result.contains("heard by 2 of 2 nodes in "), "{audit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_node_allows_it_the_look_says_why_and_nothing_is_loaded() {
    let redis = RedisServer::start().await;
    let (_node, users) = service(&redis, "pod-1", Fleet::reports().values()).await;
    let (console, _end) = watching(&redis, 1).await;
    let look = console.look(&operator(), "users", "1").await.unwrap();
    let why = look.no_refresh.unwrap();
    assert!(why.contains("Fleet::refreshes() in the service allows it"), "{why}");
    assert_eq!(look.no_values, None);
    let asked = console.refresh_key(&operator(), "users", "1").await;
    assert_eq!(asked, Err(ConsoleError::NoSource("users".to_owned())));
    assert_eq!(users.report().outcomes.reads(), 0);
}
