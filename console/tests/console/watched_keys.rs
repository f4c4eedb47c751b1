//! Events of a key on nodes elsewhere, while somebody looks at it.

use std::sync::Arc;

use strata_cache::{Cache, Fleet, Node};
use strata_console::{Actor, Console, RemoteNodes, Rights};
use strata_report::{ActivityFilter, Ask, Want};
use strata_testing::{RedisServer, eventually};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::everybody_may_act;

async fn service(redis: &RedisServer, id: &str, fleet: Fleet) -> (Node, Cache<u64, String>) {
    let builder = Node::builder("shop").id(id).redis_url(&redis.url());
    let node = builder.fleet(fleet).start().await.unwrap();
    let users = Cache::builder("users").build(&node).unwrap();
    (node, users)
}

async fn read(users: &Cache<u64, String>, key: u64) {
    let load = move || async move { Ok::<_, std::io::Error>(Some(format!("of {key}"))) };
    users.get_or_load(&key, load).await.unwrap();
}

async fn watching(redis: &RedisServer) -> (Console, DropGuard) {
    let observer = Node::builder("shop").redis_url(&redis.url()).observer().start().await.unwrap();
    let client = observer.fleet_client().key("").start().unwrap();
    let shutdown = CancellationToken::new();
    let nodes = RemoteNodes::new(observer, client);
    let console = Console::start_elsewhere(nodes, everybody_may_act(), shutdown.clone());
    eventually("both nodes report", async || {
        let rows = console.nodes_report().nodes;
        rows.len() == 2 && rows.iter().all(|row| row.heard && !row.caches.is_empty())
    })
    .await;
    (console, shutdown.drop_guard())
}

fn anna() -> Actor {
    let rights = Rights { look: true, ..Rights::default() };
    Actor { name: "anna".to_owned(), is_known: true, rights, ..Actor::nobody() }
}

/// Of which keys the activity has told, by node.
fn told(console: &Console) -> Vec<(String, Option<String>)> {
    let events = console.activity(None, &ActivityFilter::default()).events;
    let of_keys =
        events.into_iter().filter(|event| event.cache == "users" && !event.node.is_empty());
    of_keys.map(|event| (event.node, event.key)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_somebody_looks_at_a_key_nodes_elsewhere_tell_what_happens_to_it_and_to_no_other() {
    let redis = Arc::new(RedisServer::start().await);
    let (_node, users) = service(&redis, "pod-1", Fleet::default()).await;
    let (_closed, others) = service(&redis, "pod-2", Fleet::reports()).await;
    let (console, _end) = watching(&redis).await;
    let wants = async || -> Vec<Want> {
        let wants: Vec<String> = redis.ask(&["HVALS", "{shop}!fleet:want"]).await;
        wants.iter().map(|want| serde_json::from_str(want).unwrap()).collect()
    };
    assert!(wants().await.iter().all(|want| want.events.is_empty()), "nobody looks");
    console.look(&anna(), "users", "42").await.unwrap();
    eventually("it is wanted", async || {
        let wanted = wants().await.into_iter().flat_map(|want| want.events);
        let is_of = |nodes: &[String], keys: &[String]| nodes == ["pod-1"] && keys == ["42"];
        wanted.into_iter().any(|wanted| is_of(&wanted.nodes, &wanted.keys))
    })
    .await;
    // From its next beat on.
    eventually("its node tells what happens to it", async || {
        users.invalidate(&42).await;
        for key in [41, 42] {
            read(&users, key).await;
            read(&others, key).await;
        }
        told(&console).contains(&("pod-1".to_owned(), Some("42".to_owned())))
    })
    .await;
    let told = told(&console);
    let is_of_it =
        |(node, key): &(String, Option<String>)| node == "pod-1" && key.as_deref() == Some("42");
    assert!(told.iter().all(is_of_it), "pod-2 lets nobody look: {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_asks_of_nodes_elsewhere_carries_their_name() {
    let redis = Arc::new(RedisServer::start().await);
    let (_one, users) = service(&redis, "pod-1", Fleet::default()).await;
    let _two = service(&redis, "pod-2", Fleet::default()).await;
    read(&users, 42).await;
    let (console, _end) = watching(&redis).await;
    console.look(&anna(), "users", "42").await.unwrap();
    let operator = Actor { name: "bert".to_owned(), ..Actor::local() };
    console.invalidate_key(&operator, "users", "42").await.unwrap();
    type Entries = Vec<(String, Vec<(String, String)>)>;
    let entries: Entries = redis.ask(&["XRANGE", "{shop}!fleet:asks:pod-1", "-", "+"]).await;
    let asks = entries.into_iter().map(|(_, mut fields)| {
        let (_, bytes) = fields.remove(0);
        serde_json::from_str::<Ask>(&bytes[2..]).unwrap()
    });
    let mut actors: Vec<_> = asks.map(|ask| ask.actor).collect();
    actors.dedup();
    assert_eq!(actors, ["anna", "bert"], "in their order, and nobody else");
    let audit = console.audit();
    assert_eq!((&*audit[0].actor, &*audit[0].action), ("bert", "invalidate_key"));
    assert!(audit[0].result.contains("; heard by 2 of 2 nodes"), "{audit:?}");
}
