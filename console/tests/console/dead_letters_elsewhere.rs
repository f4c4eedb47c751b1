//! Dead letters of nodes elsewhere, seen and moved through a console as those of its own nodes are.

use std::sync::Arc;

use strata_cache::{Fleet, Node};
use strata_console::{Actor, Console, ConsoleError, RemoteNodes};
use strata_report::{Ask, DeadLetterAction, DeadLetterPage, DeadLetterQuery};
use strata_testing::RedisServer;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::dead_letters::{PATIENCE, Refused, Writes, bury, keys, shows, until, viewer, writes};
use crate::support::{everybody_may_act, operator};

const KEY: &str = "a key that nodes and consoles share";

fn all_allowed() -> Fleet {
    Fleet::reports().moves_dead_letters().key(KEY)
}

async fn service(redis: &RedisServer, id: &str, fleet: Fleet) -> Node {
    let builder = Node::builder("shop").id(id).redis_url(&redis.url()).l2_timeout(PATIENCE);
    builder.fleet(fleet).start().await.unwrap()
}

async fn watching(redis: &RedisServer) -> (Console, DropGuard) {
    let observer = Node::builder("shop").redis_url(&redis.url()).observer().start().await.unwrap();
    let client = observer.fleet_client().key(KEY).start().unwrap();
    let shutdown = CancellationToken::new();
    let nodes = RemoteNodes::new(observer, client);
    (Console::start_elsewhere(nodes, everybody_may_act(), shutdown.clone()), shutdown.drop_guard())
}

/// The page that is as described: a loaded machine may take longer than a console waits.
async fn page(
    console: &Console,
    (actor, query): (&Actor, &DeadLetterQuery),
    holds: impl Fn(&DeadLetterPage) -> bool,
) -> DeadLetterPage {
    let mut found = None;
    until("the page is as described", async || {
        let page = console.dead_letters(actor, ("users", query), (None, 10)).await.unwrap();
        found = Some(page).filter(&holds);
        found.is_some()
    })
    .await;
    found.unwrap()
}

fn of(node: &str) -> DeadLetterQuery {
    DeadLetterQuery { node: Some(node.to_owned()), ..DeadLetterQuery::default() }
}

/// Who asked the node for what that changes something.
async fn movers(redis: &RedisServer, node: &str) -> Vec<String> {
    type Entries = Vec<(String, Vec<(String, String)>)>;
    let stream = format!("{{shop}}!fleet:asks:{node}");
    let entries: Entries = redis.ask(&["XRANGE", &stream, "-", "+"]).await;
    let asks = entries.into_iter().filter_map(|(_, mut fields)| {
        serde_json::from_str::<Ask>(fields.remove(0).1.get(2..)?).ok()
    });
    asks.filter(|ask| ask.kind == "move_dead_letters").map(|ask| ask.actor).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_in_memory_of_nodes_elsewhere_are_listed_redriven_and_dropped() {
    let redis = Arc::new(RedisServer::start().await);
    let nodes = [
        service(&redis, "pod-1", all_allowed()).await,
        service(&redis, "pod-2", all_allowed()).await,
    ];
    let refused = Refused::default();
    let handles: Vec<Writes> = nodes.iter().map(|node| writes(node, &refused, false)).collect();
    bury(&handles[..1], &refused, [1, 2]).await;
    bury(&handles[1..], &refused, [3]).await;
    let (console, _end) = watching(&redis).await;
    shows(&console, 3).await;
    let all = DeadLetterQuery::default();
    let actor = operator();
    let whole = |page: &DeadLetterPage| page.rows.len() == 3 && page.partial.is_none();
    let listed = page(&console, (&actor, &all), whole).await;
    assert_eq!((keys(&listed), listed.total), (vec!["1", "2", "3"], 3));
    let nodes_of: Vec<_> = listed.rows.iter().map(|row| &*row.node).collect();
    assert_eq!(nodes_of, ["pod-1", "pod-1", "pod-2"]);
    assert_eq!(listed.rows[0].value.as_deref(), Some("\"v1\""));
    assert_eq!(listed.rows[0].reason, "duplicate key");
    let hidden = page(&console, (&viewer(), &all), whole).await;
    assert!(hidden.rows.iter().all(|row| row.value.is_none() && row.reason.is_empty()));
    assert_eq!(console.why_no_dead_letter_moves("users"), None);

    refused.lock().unwrap().clear();
    let anna = Actor { name: "anna".to_owned(), ..operator() };
    until("the first node's are queued again", async || {
        let (of_it, action) = (of("pod-1"), DeadLetterAction::Redrive);
        console.move_dead_letters(&anna, action, ("users", &of_it)).await.unwrap();
        handles[0].report().aside == 0
    })
    .await;
    let one = DeadLetterQuery { id: Some(listed.rows[2].id.clone()), ..of("pod-2") };
    until("the second node's one is dropped", async || {
        let dropping = ("users", &one);
        console.move_dead_letters(&anna, DeadLetterAction::Drop, dropping).await.unwrap();
        handles[1].report().aside == 0
    })
    .await;
    assert!(movers(&redis, "pod-2").await.iter().all(|actor| actor == "anna"));
    let audit = console.audit();
    assert_eq!((&*audit[0].actor, &*audit[0].action), ("anna", "drop_dead_letters"));
    shows(&console, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_in_redis_are_reached_through_any_node_elsewhere() {
    let redis = RedisServer::start().await;
    let nodes = [
        service(&redis, "pod-1", all_allowed()).await,
        service(&redis, "pod-2", all_allowed()).await,
    ];
    let refused = Refused::default();
    let handles: Vec<Writes> = nodes.iter().map(|node| writes(node, &refused, true)).collect();
    bury(&handles, &refused, [1, 2]).await;
    let (console, _end) = watching(&redis).await;
    shows(&console, 2).await;
    let all = DeadLetterQuery::default();
    let listed = page(&console, (&operator(), &all), |page| page.rows.len() == 2).await;
    assert_eq!((keys(&listed), &*listed.rows[0].node), (vec!["1", "2"], ""));
    until("all are dropped", async || {
        let dropping = ("users", &all);
        let job = console.move_dead_letters(&operator(), DeadLetterAction::Drop, dropping).await;
        // The one before may still be on its way on a loaded machine.
        job.is_ok_and(|job| job.ended_at_ms.is_some() && job.result.left == 0)
    })
    .await;
    shows(&console, 0).await;
    let results: Vec<_> = console.audit().into_iter().map(|audited| audited.result).collect();
    let counted = results.iter().filter_map(|result| {
        result.split_once(" dropped,")?.0.rsplit(' ').next()?.parse::<u64>().ok()
    });
    let at_least = results.iter().any(|result| result.contains("at least"));
    assert!(counted.sum::<u64>() == 2 || at_least, "{results:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lets_nobody_act_or_see_values_hides_them_and_its_dead_letters_stay() {
    let redis = RedisServer::start().await;
    let node = service(&redis, "pod-1", Fleet::default().key(KEY)).await;
    let refused = Refused::default();
    let handles = [writes(&node, &refused, false)];
    bury(&handles, &refused, [1]).await;
    let (console, _end) = watching(&redis).await;
    shows(&console, 1).await;
    let all = DeadLetterQuery::default();
    let listed = page(&console, (&operator(), &all), |page| page.rows.len() == 1).await;
    assert_eq!((listed.rows[0].value.as_deref(), &*listed.rows[0].reason), (None, ""));
    let by_reason = DeadLetterQuery { reason: Some("dup".to_owned()), ..all.clone() };
    let asked = console.dead_letters(&operator(), ("users", &by_reason), (None, 10)).await;
    assert!(matches!(asked, Err(ConsoleError::NodeRefuses { .. } | ConsoleError::NodeGone(_))));
    let why = console.why_no_dead_letter_moves("users").unwrap();
    assert!(why.contains("Fleet::moves_dead_letters()"), "{why}");
    for action in [DeadLetterAction::Redrive, DeadLetterAction::Drop] {
        let moved = console.move_dead_letters(&operator(), action, ("users", &all)).await;
        assert!(matches!(moved, Err(ConsoleError::NodeRefuses { .. })), "{moved:?}");
    }
    assert_eq!(handles[0].report().aside, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_node_is_named_and_the_dead_letters_of_the_others_are_listed() {
    let redis = RedisServer::start().await;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let refused = Refused::default();
    let one = service(&redis, "pod-1", all_allowed()).await;
    let url = redis.url();
    let two = runtime.spawn(async move {
        let builder = Node::builder("shop").id("pod-2").redis_url(&url).l2_timeout(PATIENCE);
        builder.fleet(all_allowed()).start().await.unwrap()
    });
    let two = two.await.unwrap();
    let handles = {
        let _on = runtime.enter();
        [writes(&one, &refused, false), writes(&two, &refused, false)]
    };
    bury(&handles[..1], &refused, [1]).await;
    bury(&handles[1..], &refused, [2]).await;
    let (console, _end) = watching(&redis).await;
    shows(&console, 2).await;
    runtime.shutdown_background();
    let all = DeadLetterQuery::default();
    let actor = operator();
    let is_partial = |page: &DeadLetterPage| page.partial.is_some() && page.rows.len() == 1;
    let listed = page(&console, (&actor, &all), is_partial).await;
    assert_eq!(keys(&listed), ["1"]);
    let partial = listed.partial.unwrap();
    assert!(partial.starts_with("1 of 2 nodes answered; silent: pod-2 (last heard "), "{partial}");
}
