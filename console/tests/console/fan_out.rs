//! What many nodes elsewhere are asked at once, and what a page says of them, whoever they are.

use std::sync::Arc;

use strata_cache::Node;
use strata_console::{Console, NodeCondition, NodeStatus, NodesQuery, RemoteNodes};
use strata_report::KeyLook;
use strata_testing::{RedisServer, eventually};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::{Manner, WireNode, WireNodes, everybody_may_act, operator};

async fn watching(redis: &RedisServer) -> (Console, DropGuard) {
    let observer = Node::builder("shop").redis_url(&redis.url()).observer().start().await.unwrap();
    let client = observer.fleet_client().key("").start().unwrap();
    let shutdown = CancellationToken::new();
    let nodes = RemoteNodes::new(observer, client);
    (Console::start_elsewhere(nodes, everybody_may_act(), shutdown.clone()), shutdown.drop_guard())
}

/// Looks at a key, once all nodes are counted, until the answer is as described: a loaded machine
/// may take longer than a console waits.
async fn look_until(console: &Console, what: &str, holds: impl Fn(&KeyLook) -> bool) -> KeyLook {
    for _ in 0..60 {
        let look = console.look(&operator(), "users", "3").await.unwrap();
        if holds(&look) {
            return look;
        }
    }
    panic!("{what}: not in sixty looks");
}

async fn until_counted(console: &Console, n: u64) {
    eventually("all nodes are counted", async || {
        console.frame().fleet.as_ref().is_some_and(|fleet| fleet.counted == n)
    })
    .await;
}

fn manner(n: usize) -> Manner {
    match n {
        3 => Manner::Silent,
        7 => Manner::Older,
        _ => Manner::Answers,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_asks_all_and_the_answer_names_the_silent_and_the_older() {
    let redis = Arc::new(RedisServer::start().await);
    let nodes = (0..10).map(|n| WireNode::new(&format!("pod-{n}"), manner(n)));
    let _nodes = WireNodes::start(&redis, nodes.collect());
    let (console, _end) = watching(&redis).await;
    until_counted(&console, 10).await;
    let answered = |look: &KeyLook| look.l1.iter().filter(|copy| copy.entry.is_some()).count();
    let look = look_until(&console, "eight answer", |look| answered(look) == 8).await;
    assert_eq!(look.l1.len(), 10, "each has its row, in the order of the nodes");
    assert!(look.l1.windows(2).all(|rows| rows[0].node < rows[1].node));
    let partial = look.partial.unwrap();
    assert!(partial.starts_with("8 of 10 nodes answered; silent: pod-3 (last heard "), "{partial}");
    assert!(partial.contains("pod-7") && partial.contains("it runs strata 0.0.9"), "{partial}");
    let alone: Vec<String> = redis.ask(&["KEYS", "{shop}!fleet:asks:*"]).await;
    assert!(!alone.contains(&"{shop}!fleet:asks:pod-3".to_owned()), "{alone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn few_nodes_are_asked_alone_and_a_silent_one_holds_up_no_other() {
    let redis = Arc::new(RedisServer::start().await);
    let nodes = [WireNode::new("pod-1", Manner::Answers), WireNode::new("pod-2", Manner::Silent)];
    let _nodes = WireNodes::start(&redis, nodes.to_vec());
    let (console, _end) = watching(&redis).await;
    until_counted(&console, 2).await;
    let has_one = |look: &KeyLook| look.l1[0].entry.is_some();
    let look = look_until(&console, "one answers", has_one).await;
    assert!(look.l1[1].unknown.is_some(), "{look:?}");
    let partial = look.partial.unwrap();
    assert!(partial.starts_with("1 of 2 nodes answered; silent: pod-2 (last heard "), "{partial}");
    let to_all: u64 = redis.ask(&["EXISTS", "{shop}!fleet:asks"]).await;
    assert_eq!(to_all, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_tells_of_two_processes_and_of_what_cannot_be_read_and_knows_no_other_namespace() {
    let redis = Arc::new(RedisServer::start().await);
    let answers = |id: &str| WireNode::new(id, Manner::Answers);
    let nodes = vec![
        answers("pod-1"),
        WireNode { runs: vec!["first", "second"], ..answers("pod-2") },
        WireNode { card: Some("garbage"), ..answers("pod-3") },
        WireNode { namespace: "blog", ..answers("pod-4") },
    ];
    let _nodes = WireNodes::start(&redis, nodes);
    let (console, _end) = watching(&redis).await;
    let said = || {
        let rows = console.nodes_page(&NodesQuery::default()).report.nodes;
        rows.iter().map(|row| (row.node.clone(), NodeStatus::of(row))).collect::<Vec<_>>()
    };
    let expected = [
        ("pod-1", NodeStatus::Healthy),
        ("pod-2", NodeStatus::TwoProcesses),
        ("pod-3", NodeStatus::Unreadable),
    ];
    let expected = expected.map(|(node, status)| (node.to_owned(), status));
    eventually("each node is told as it is", async || said() == expected).await;
    let page = console.nodes_page(&NodesQuery::default());
    let trouble = |condition| {
        let query = NodesQuery { condition: Some(condition), ..NodesQuery::default() };
        console.nodes_page(&query).n_found
    };
    assert_eq!((page.n_nodes, trouble(NodeCondition::Trouble)), (3, 2));
    assert_eq!(trouble(NodeCondition::Lost), 0, "what cannot be read is not lost");
    let counted: u64 = page.groups.iter().flat_map(|group| group.counts).sum();
    assert_eq!((counted, &*page.caches), (3, &["users".to_owned()][..]));
    let alerts = console.alerts();
    for lint in ["two_processes", "node_unreadable"] {
        assert!(alerts.iter().any(|alert| alert.lint == lint), "{lint}: {alerts:?}");
    }
}
