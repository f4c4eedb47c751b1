//! What many nodes elsewhere are asked goes out once.

use strata_cache::{Cache, Node};
use strata_console::{Console, RemoteNodes};
use strata_testing::RedisServer;
use tokio_util::sync::CancellationToken;

use crate::support::{everybody_may_act, operator};

const NODES: usize = 12;

async fn nodes(redis: &RedisServer) -> Vec<(Node, Cache<u64, String>)> {
    let mut nodes = Vec::new();
    for n in 0..NODES {
        let builder = Node::builder("shop").id(&format!("pod-{n:02}")).redis_url(&redis.url());
        let node = builder.start().await.unwrap();
        let users: Cache<u64, String> = Cache::builder("users").build(&node).unwrap();
        let load = || async { Ok::<_, std::io::Error>(Some("Ada".to_owned())) };
        users.get_or_load(&3, load).await.unwrap();
        nodes.push((node, users));
    }
    nodes
}

async fn asked(redis: &RedisServer) -> (u64, Vec<String>) {
    let to_all: u64 = redis.ask(&["XLEN", "{shop}!fleet:asks"]).await;
    (to_all, redis.ask(&["KEYS", "{shop}!fleet:asks:*"]).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_nodes_are_asked_with_one_message_and_all_answers_are_shown() {
    let redis = RedisServer::start().await;
    let _nodes = nodes(&redis).await;
    let observer = Node::builder("shop").redis_url(&redis.url()).observer().start().await.unwrap();
    let client = observer.fleet_client().key("").start().unwrap();
    let shutdown = CancellationToken::new();
    let _end = shutdown.clone().drop_guard();
    let remote = RemoteNodes::new(observer, client);
    let console = Console::start_elsewhere(remote, everybody_may_act(), shutdown);
    let mut ticks = console.subscribe();
    while console.caches().first().is_none_or(|users| users.report.outcomes.reads() < NODES as u64)
    {
        ticks.changed().await.unwrap();
    }
    // A loaded machine may take longer than a console waits.
    for n_asked in 1..=60 {
        let look = console.look(&operator(), "users", "3").await.unwrap();
        let (to_all, to_one) = asked(&redis).await;
        assert_eq!(look.l1.len(), NODES);
        assert!(to_one.len() < NODES / 2, "few are asked alone, for the key's group: {to_one:?}");
        // What happened to the key is asked as well.
        assert!((1..=2 * n_asked).contains(&to_all), "{to_all} messages for {n_asked} looks");
        let held = look.l1.iter().filter(|copy| copy.entry.is_some()).count();
        if look.partial.is_none() {
            assert_eq!(held, NODES);
            return;
        }
    }
    panic!("not all nodes have answered in sixty looks");
}
