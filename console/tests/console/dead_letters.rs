//! Dead letters of real write-behinds, seen and moved through a console.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strata_cache::{Cache, Node, WriteBehind};
use strata_console::{Access, AccessSettings, Actor, Console, ConsoleError, NodeClient, Rights};
use strata_report::{DeadLetterAction, DeadLetterPage, DeadLetterQuery, Role};
use strata_testing::RedisServer;
use tokio_util::sync::CancellationToken;

use crate::support::{FakeNode, console, operator};

pub(super) const PATIENCE: Duration = Duration::from_secs(60);
const GOOD: u64 = 1_000_000;

pub(super) type Writes = WriteBehind<u64, String>;

/// Keys that the source refuses.
pub(super) type Refused = Arc<Mutex<HashSet<u64>>>;

pub(super) fn writes(node: &Node, refused: &Refused, is_durable: bool) -> Writes {
    let cache: Cache<u64, String> = Cache::builder("users").build(node).unwrap();
    let builder = WriteBehind::builder(&cache).tries(1).interval(Duration::from_millis(1));
    let refused = Arc::clone(refused);
    let answer = move |keys: Vec<u64>| {
        let refuses = keys.iter().any(|key| refused.lock().unwrap().contains(key));
        async move { if refuses { Err(std::io::Error::other("duplicate key")) } else { Ok(()) } }
    };
    if is_durable {
        let sink = move |rows: Vec<strata_cache::Row<u64, String>>| {
            answer(rows.iter().map(|row| row.key).collect())
        };
        return builder.durable(sink).unwrap();
    }
    let sink = move |rows: Vec<(u64, String)>| answer(rows.iter().map(|(key, _)| *key).collect());
    builder.in_memory(sink).unwrap()
}

pub(super) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let polled = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, polled).await.expect(what);
}

/// Writes that become dead letters, while others succeed, whichever node sends them.
pub(super) async fn bury(
    writes: &[Writes],
    refused: &Refused,
    keys: impl IntoIterator<Item = u64>,
) {
    let n_set_aside = || writes.iter().map(|writes| writes.report().set_aside).sum::<u64>();
    for key in keys {
        refused.lock().unwrap().insert(key);
        let before = n_set_aside();
        writes[0].write(key, format!("v{key}")).await.unwrap();
        until("it is set aside", async || {
            writes[0].write(GOOD, "good".to_owned()).await.unwrap();
            n_set_aside() == before + 1
        })
        .await;
    }
}

/// Until the console's frame shows so many dead letters.
pub(super) async fn shows(console: &Console, n: u64) {
    let shown = |console: &Console| console.write_behind("users").map(|writes| writes.aside);
    until("the frame shows them", async || shown(console) == Some(n)).await;
}

async fn list(console: &Console, query: &DeadLetterQuery, after: Option<&str>) -> DeadLetterPage {
    console.dead_letters(&operator(), ("users", query), (after, 2)).await.unwrap()
}

fn key(pattern: &str) -> DeadLetterQuery {
    DeadLetterQuery { key: Some(pattern.to_owned()), ..DeadLetterQuery::default() }
}

/// The query that is about the first of a page.
fn one(page: &DeadLetterPage) -> DeadLetterQuery {
    let row = &page.rows[0];
    let (id, node) = (Some(row.id.clone()), Some(row.node.clone()));
    DeadLetterQuery { id, node, ..DeadLetterQuery::default() }
}

pub(super) fn keys(page: &DeadLetterPage) -> Vec<&str> {
    page.rows.iter().map(|row| row.key.as_str()).collect()
}

#[tokio::test]
async fn dead_letters_in_redis_are_seen_once_however_many_nodes_there_are() {
    let redis = RedisServer::start().await;
    let start = async |id: &str| {
        let node = Node::builder("shop").id(id).redis_url(&redis.url()).l2_timeout(PATIENCE);
        node.start().await.unwrap()
    };
    let nodes = [start("1").await, start("2").await];
    let refused = Refused::default();
    let writes = [writes(&nodes[0], &refused, true), writes(&nodes[1], &refused, true)];
    let console = console(&nodes.map(Arc::new));
    bury(&writes, &refused, 1..=3).await;
    shows(&console, 3).await;
    let first = list(&console, &DeadLetterQuery::default(), None).await;
    assert_eq!((keys(&first), first.total), (vec!["1", "2"], 3));
    assert_eq!((first.rows[0].value.as_deref(), &*first.rows[0].node), (Some("\"v1\""), ""));
    let second = list(&console, &DeadLetterQuery::default(), first.next.as_deref()).await;
    assert_eq!((keys(&second), &second.next), (vec!["3"], &None));

    let told = console.alerts();
    assert!(told.iter().any(|alert| alert.lint == "dead_letters" && alert.cache == "users"));
    refused.lock().unwrap().clear();
    let redrive = DeadLetterAction::Redrive;
    let job = console.move_dead_letters(&operator(), redrive, ("users", &key("[12]"))).await;
    let job = job.unwrap();
    let result = &job.result;
    assert_eq!((result.redriven, result.left, job.failure.as_deref()), (2, 1, None));
    assert!(job.ended_at_ms.is_some());
    let entry = console.audit().remove(0);
    assert_eq!((&*entry.action, &*entry.target), ("redrive_dead_letters", "key [12]"));
    assert!(entry.result.starts_with("Done. 2 queued again"), "{entry:?}");
    assert_eq!(console.dead_letter_job("users"), Some(job));

    let one = DeadLetterQuery { id: Some(second.rows[0].id.clone()), ..DeadLetterQuery::default() };
    let drop = DeadLetterAction::Drop;
    let job = console.move_dead_letters(&operator(), drop, ("users", &one)).await.unwrap();
    assert_eq!((job.result.dropped, job.result.left), (1, 0));
    assert_eq!(console.audit()[0].action, "drop_dead_letters");
    shows(&console, 0).await;
}

/// Two nodes that keep their dead letters in memory.
async fn two_nodes(refused: &Refused) -> (Console, Vec<Writes>) {
    let (mut nodes, mut handles) = (Vec::new(), Vec::new());
    for id in ["a@b", "2"] {
        let node = Node::builder("shop").id(id).start().await.unwrap();
        handles.push(writes(&node, refused, false));
        nodes.push(Arc::new(node));
    }
    (console(&nodes), handles)
}

#[tokio::test]
async fn a_dead_letter_in_memory_is_named_with_its_node() {
    let refused = Refused::default();
    let (console, handles) = two_nodes(&refused).await;
    bury(&handles[..1], &refused, [1]).await;
    bury(&handles[1..], &refused, [2]).await;
    shows(&console, 2).await;
    let first = one(&list(&console, &DeadLetterQuery::default(), None).await);
    let without_node = DeadLetterQuery { node: None, ..first.clone() };
    for action in [DeadLetterAction::Redrive, DeadLetterAction::Drop] {
        let moved = console.move_dead_letters(&operator(), action, ("users", &without_node)).await;
        assert_eq!(moved, Err(ConsoleError::NodeNotNamed("a@b, 2".to_owned())));
    }
    let drop = DeadLetterAction::Drop;
    let job = console.move_dead_letters(&operator(), drop, ("users", &first)).await.unwrap();
    assert_eq!((job.result.dropped, handles[1].report().aside), (1, 1));
}

#[tokio::test]
async fn a_list_goes_on_at_no_other_node_than_its_cursor_names() {
    let refused = Refused::default();
    let (console, handles) = two_nodes(&refused).await;
    bury(&handles[..1], &refused, [1]).await;
    shows(&console, 1).await;
    let (actor, all) = (operator(), DeadLetterQuery::default());
    let page = console.dead_letters(&actor, ("users", &all), (Some("1:1@gone"), 2)).await;
    assert_eq!(page, Err(ConsoleError::NodeGone("gone".to_owned())));
}

#[tokio::test]
async fn dead_letters_in_memory_are_seen_node_after_node() {
    let refused = Refused::default();
    let (console, handles) = two_nodes(&refused).await;
    bury(&handles[..1], &refused, [1, 2]).await;
    bury(&handles[1..], &refused, [3]).await;
    shows(&console, 3).await;
    let first = list(&console, &DeadLetterQuery::default(), None).await;
    assert_eq!((keys(&first), first.total), (vec!["1", "2"], 3));
    let second = list(&console, &DeadLetterQuery::default(), first.next.as_deref()).await;
    assert_eq!((keys(&second), &*second.rows[0].node), (vec!["3"], "2"));
    let of_one = DeadLetterQuery { node: Some("a@b".to_owned()), ..DeadLetterQuery::default() };
    assert_eq!(keys(&list(&console, &of_one, None).await), ["1", "2"]);
    refused.lock().unwrap().clear();
    let drop = DeadLetterAction::Drop;
    let job = console.move_dead_letters(&operator(), drop, ("users", &of_one)).await.unwrap();
    assert_eq!((job.result.dropped, job.result.left), (2, 0));
    let redrive = DeadLetterAction::Redrive;
    let all = ("users", &DeadLetterQuery::default());
    let job = console.move_dead_letters(&operator(), redrive, all).await.unwrap();
    assert_eq!((job.result.redriven, job.result.left), (1, 0));
}

#[tokio::test]
async fn who_may_not_act_moves_nothing_and_the_trail_says_so() {
    let refused = Refused::default();
    let node = Arc::new(Node::builder("shop").id("1").start().await.unwrap());
    let handle = writes(&node, &refused, false);
    let face: Arc<dyn NodeClient> = node;
    let access = Access::new(AccessSettings::default());
    let console = Console::start(vec![face], access, CancellationToken::new());
    bury(std::slice::from_ref(&handle), &refused, [1]).await;
    shows(&console, 1).await;
    let viewer = viewer();
    let all = ("users", &DeadLetterQuery::default());
    for action in [DeadLetterAction::Redrive, DeadLetterAction::Drop] {
        let asked = console.move_dead_letters(&viewer, action, all).await;
        assert!(matches!(asked, Err(ConsoleError::Refused(_))), "{asked:?}");
        assert!(console.audit()[0].refused);
    }
    let asked = console.cancel_dead_letter_job(&viewer, "users");
    assert!(matches!(asked, Err(ConsoleError::Refused(_))), "{asked:?}");
    assert_eq!(handle.report().aside, 1);
}

#[tokio::test]
async fn who_may_not_see_values_sees_none_of_dead_letters() {
    let refused = Refused::default();
    let node = Arc::new(Node::builder("shop").id("1").start().await.unwrap());
    let handle = writes(&node, &refused, false);
    let console = console(&[node]);
    bury(std::slice::from_ref(&handle), &refused, [1]).await;
    shows(&console, 1).await;
    let all = DeadLetterQuery::default();
    let seen = async |actor: Actor| {
        let page = console.dead_letters(&actor, ("users", &all), (None, 10)).await.unwrap();
        page.rows.into_iter().map(|row| (row.value, row.reason)).collect::<Vec<_>>()
    };
    let value = (Some("\"v1\"".to_owned()), "duplicate key".to_owned());
    assert_eq!(seen(operator()).await, [value]);
    assert_eq!(seen(viewer()).await, [(None, String::new())]);
    let by_reason = DeadLetterQuery { reason: Some("dup".to_owned()), ..all.clone() };
    let asked = console.dead_letters(&viewer(), ("users", &by_reason), (None, 10)).await;
    assert!(matches!(asked, Err(ConsoleError::Refused(_))), "{asked:?}");
    let mut report = handle.report();
    assert_eq!(report.last_error.as_deref(), Some("duplicate key"));
    viewer().cover(&mut report);
    assert_eq!(report.last_error, None);
}

pub(super) fn viewer() -> Actor {
    let rights = Rights { look: true, ..Rights::default() };
    Actor { role: Role::Viewer, rights, ..Actor::nobody() }
}

#[tokio::test]
async fn what_is_not_there_is_told_apart() {
    let console = console(&[FakeNode::new("1")]);
    let query = DeadLetterQuery::default();
    let of = async |cache, query: &DeadLetterQuery, limit| {
        console.dead_letters(&operator(), (cache, query), (None, limit)).await.unwrap_err()
    };
    assert_eq!(of("users", &query, 10).await, ConsoleError::NoWriteBehind("users".to_owned()));
    assert_eq!(of("cats", &query, 10).await, ConsoleError::UnknownCache("cats".to_owned()));
    assert_eq!(of("users", &query, 0).await, ConsoleError::BadLimit(1_000));
    assert!(matches!(of("users", &key("["), 10).await, ConsoleError::BadPattern(_)));
    let none = ConsoleError::NoDeadLetterJob("users".to_owned());
    assert_eq!(console.cancel_dead_letter_job(&operator(), "users"), Err(none));
    assert_eq!(console.dead_letter_job("users"), None);
}

#[tokio::test]
async fn a_drop_of_what_a_page_showed_takes_nothing_that_was_set_aside_later() {
    let redis = RedisServer::start().await;
    let node = Node::builder("shop").id("1").redis_url(&redis.url()).l2_timeout(PATIENCE);
    let node = Arc::new(node.start().await.unwrap());
    let refused = Refused::default();
    let handle = writes(&node, &refused, true);
    let console = console(&[node]);
    bury(std::slice::from_ref(&handle), &refused, [1]).await;
    shows(&console, 1).await;
    let seen = list(&console, &DeadLetterQuery::default(), None).await;
    bury(std::slice::from_ref(&handle), &refused, [2]).await;
    let until = DeadLetterQuery { until_ms: seen.until_ms, ..DeadLetterQuery::default() };
    let drop = DeadLetterAction::Drop;
    let job = console.move_dead_letters(&operator(), drop, ("users", &until)).await.unwrap();
    assert_eq!((job.result.dropped, job.result.left), (1, 1));
}
