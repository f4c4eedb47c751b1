//! Nodes that the console reaches through Redis alone.

use std::time::Duration;

use strata_cache::{Cache, Fleet, Node};
use strata_console::{Console, ConsoleSettings, ExpectedNodes, Pace, RemoteNodes};
use strata_report::{
    ActivityFilter, EventKind, JobState, KeyQuery, LevelChoice, PresenceState, What,
};
use strata_testing::RedisServer;
use tokio_util::sync::CancellationToken;

use crate::support::{everybody_may_act, operator};

const MINUTE: Duration = Duration::from_secs(60);

/// A node of the service, on a runtime of its own, so that it can be killed.
struct Service {
    node: Node,
    users: Cache<u64, String>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Service {
    async fn start(redis: &RedisServer, id: &str, fleet: Fleet) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let builder = Node::builder("shop").id(id).redis_url(&redis.url()).l2_timeout(MINUTE);
        let builder = builder.app("shop-api", "2.0").fleet(fleet);
        let node = runtime.spawn(builder.start()).await.unwrap().unwrap();
        let builder = Cache::builder("users").l1_entries(1_000).time_to_live(MINUTE);
        let users: Cache<u64, String> = builder.l2_time_to_live(MINUTE).build(&node).unwrap();
        Self { node, users, runtime: Some(runtime) }
    }

    async fn read(&self, key: u64) {
        let load = move || async move { Ok::<_, std::io::Error>(Some(format!("of {key}"))) };
        self.users.get_or_load(&key, load).await.unwrap();
    }

    async fn has(&self, key: u64) -> bool {
        let looked = self.node.look_l1("users", &key.to_string()).await.unwrap();
        looked.is_some_and(|entry| entry.fresh)
    }

    /// Ends it without a goodbye.
    fn kill(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A console of the namespace, and what ends it.
async fn watching(redis: &RedisServer, expected: u64) -> (Console, tokio_util::sync::DropGuard) {
    let builder = Node::builder("shop").redis_url(&redis.url()).observer();
    let observer = builder.start().await.unwrap();
    let client = observer.fleet_client().key("").start().unwrap();
    let expected = vec![ExpectedNodes { app: "shop-api".to_owned(), nodes: expected }];
    let settings = ConsoleSettings { expected, ..everybody_may_act().into() };
    let shutdown = CancellationToken::new();
    let nodes = RemoteNodes::new(observer, client);
    (Console::start_elsewhere(nodes, settings, shutdown.clone()), shutdown.drop_guard())
}

/// Waits for a tick at which it holds.
async fn until(console: &Console, what: &str, mut holds: impl FnMut(&Console) -> bool) {
    let mut ticks = console.subscribe();
    let waiting = async {
        while !holds(console) {
            ticks.changed().await.unwrap();
        }
    };
    tokio::time::timeout(MINUTE, waiting)
        .await
        .unwrap_or_else(|_| panic!("{what}: not within a minute"));
}

fn counted(console: &Console) -> (u64, u64) {
    let fleet = console.frame().fleet.clone().unwrap();
    (fleet.counted, fleet.of)
}

fn state(console: &Console, node: &str) -> Option<PresenceState> {
    let report = console.nodes_report();
    let row = report.nodes.into_iter().find(|row| row.node == node)?;
    row.presence.map(|presence| presence.state)
}

fn reads(console: &Console) -> u64 {
    let caches = &console.frame().caches;
    caches.iter().map(|cache| cache.report.outcomes.reads()).sum()
}

fn has_alert(console: &Console, lint: &str) -> bool {
    console.alerts().iter().any(|alert| alert.lint == lint)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_nodes_elsewhere_are_found_inspected_and_invalidated_on_each() {
    let redis = RedisServer::start().await;
    let one = Service::start(&redis, "pod-1", Fleet::default()).await;
    let two = Service::start(&redis, "pod-2", Fleet::default()).await;
    for key in 1..=30 {
        one.read(key).await;
        two.read(key).await;
    }
    let (console, _end) = watching(&redis, 2).await;
    until(&console, "both are heard", |console| reads(console) == 60).await;
    assert_eq!(counted(&console), (2, 2));
    let rows = console.nodes_report().nodes;
    let presence = rows[0].presence.as_ref().unwrap();
    assert_eq!(
        (&*presence.app, &*presence.version, presence.pid),
        ("shop-api", "2.0", std::process::id())
    );

    let query =
        KeyQuery { pattern: "*".to_owned(), level: LevelChoice::Any, limit: 10, cursor: None };
    let mut page = console.keys(&operator(), "users", &query).await.unwrap();
    let mut keys: Vec<_> = page.rows.drain(..).map(|row| row.key).collect();
    while let Some(cursor) = page.next {
        let query = KeyQuery { cursor: Some(cursor), ..query.clone() };
        page = console.keys(&operator(), "users", &query).await.unwrap();
        assert_eq!(page.partial, None);
        keys.extend(page.rows.iter().map(|row| row.key.clone()));
    }
    keys.sort_by_key(|key| key.parse::<u64>().unwrap());
    assert_eq!(keys, (1..=30).map(|key| key.to_string()).collect::<Vec<_>>());

    let look = console.look(&operator(), "users", "3").await.unwrap();
    assert_eq!(look.partial, None);
    for copy in &look.l1 {
        let entry = copy.entry.as_ref().unwrap();
        assert!(entry.fresh && entry.value_hidden && entry.value.is_none(), "{entry:?}");
    }
    let agreement = console.agreement(&operator(), "users").await.unwrap();
    assert_eq!((agreement.compared, agreement.hidden, agreement.differing.len()), (0, 20, 0));
    let details = console.cache_report("users").await.unwrap();
    assert_eq!((details.expiries.entries, details.partial), (60, None));
    assert!(!details.frame.report.groups.groups.is_empty(), "the groups are asked for");

    let job = console.invalidate_key(&operator(), "users", "3").await.unwrap();
    let heard = job.heard.clone().unwrap();
    assert_eq!((job.state, heard.nodes, heard.of), (JobState::Done, 2, 2), "{job:?}");
    assert!(!one.has(3).await && !two.has(3).await && one.has(4).await);
    let plan = console.plan(&operator(), "users", "*").await.unwrap();
    assert_eq!(plan.l1.iter().map(|node| node.entries).sum::<u64>(), 58);
    let job = console.run_plan(&operator(), &plan.id, Some("*")).await.unwrap();
    let job = console.finished(job.id, MINUTE).await.unwrap();
    assert_eq!(
        (job.state, job.l2_removed, job.heard.map(|heard| heard.nodes)),
        (JobState::Done, 29, Some(2))
    );
    for key in 1..=30 {
        assert!(!one.has(key).await && !two.has(key).await, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_is_late_then_lost_and_the_sums_say_of_how_many_they_are() {
    let redis = RedisServer::start().await;
    let one = Service::start(&redis, "pod-1", Fleet::default()).await;
    let mut two = Service::start(&redis, "pod-2", Fleet::default()).await;
    for _ in 0..100 {
        one.read(1).await;
        two.read(1).await;
    }
    let (console, _end) = watching(&redis, 2).await;
    until(&console, "both are heard", |console| reads(console) == 200).await;
    assert!(!has_alert(&console, "nodes_missing"));
    two.kill();
    let mut states = Vec::new();
    until(&console, "it is lost", |console| {
        states.extend(state(console, "pod-2").filter(|state| states.last() != Some(state)));
        assert!(reads(console) >= 100, "the others are still summed");
        states.last() == Some(&PresenceState::Lost)
    })
    .await;
    assert!(states.contains(&PresenceState::Late), "{states:?}");
    until(&console, "the sums leave it out", |console| counted(console) == (1, 2)).await;
    assert_eq!(reads(&console), 100);
    for lint in ["node_gone", "nodes_missing"] {
        assert!(has_alert(&console, lint), "{lint}: {:?}", console.alerts());
    }
    let frozen = console.nodes_report().nodes.into_iter().find(|row| row.node == "pod-2").unwrap();
    assert!(!frozen.heard && frozen.caches[0].outcomes.reads() == 100, "as it was last");
    lost_nodes_are_missing_from_answers_and_proofs(&console).await;
    let (restarted, _end) = watching(&redis, 2).await;
    until(&restarted, "a console that starts later has a row for it", |console| {
        state(console, "pod-2") == Some(PresenceState::Lost)
    })
    .await;

    let again = Service::start(&redis, "pod-2", Fleet::default()).await;
    until(&console, "it is back", |console| counted(console) == (2, 2)).await;
    let now = console.nodes_report().nodes.into_iter().find(|row| row.node == "pod-2").unwrap();
    let run = |presence: Option<strata_report::NodePresence>| presence.unwrap().run;
    assert_ne!(run(now.presence), run(frozen.presence), "another run");
    again.runtime.as_ref().unwrap().spawn(again.node.shutdown().into_future()).await.unwrap();
    until(&console, "it has left at once", |console| counted(console) == (1, 1)).await;
    let filter = ActivityFilter { kinds: vec![EventKind::Node], ..ActivityFilter::default() };
    until(&console, "its goodbye is told", |console| {
        console.activity(None, &filter).events.iter().any(|event| event.what == What::NodeLeft)
    })
    .await;
    assert!(console.nodes_report().nodes.iter().all(|row| row.node != "pod-2"));
}

async fn lost_nodes_are_missing_from_answers_and_proofs(console: &Console) {
    let partial = console.look(&operator(), "users", "1").await.unwrap().partial.unwrap();
    assert!(partial.starts_with("1 of 2 nodes answered; silent: pod-2 (last heard "), "{partial}");
    let job = console.invalidate_key(&operator(), "users", "1").await.unwrap();
    let heard = job.heard.unwrap();
    assert_eq!((heard.nodes, heard.of, &*heard.not_by), (1, 2, &["pod-2".to_owned()][..]));
    assert!(job.errors.iter().any(|error| error.node == "pod-2"), "{:?}", job.errors);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_cannot_reach_redis_says_so_and_calls_no_node_lost() {
    let mut redis = RedisServer::start().await;
    let one = Service::start(&redis, "pod-1", Fleet::default()).await;
    one.read(1).await;
    let (console, _end) = watching(&redis, 1).await;
    until(&console, "it is heard", |console| reads(console) == 1).await;
    redis.kill();
    until(&console, "it says so", |console| has_alert(console, "fleet_unheard")).await;
    let alerts = console.alerts();
    assert!(alerts[0].what.starts_with("I cannot reach Redis; last heard "), "{alerts:?}");
    assert_eq!((counted(&console), reads(&console)), ((1, 1), 1), "the numbers stand still");
    redis.restart().await;
    until(&console, "it hears again", |console| {
        assert!(!has_alert(console, "node_gone"), "{:?}", console.alerts());
        !has_alert(console, "fleet_unheard") && counted(console) == (1, 1)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_refuses_is_told_with_its_reason_and_the_others_answer() {
    let redis = RedisServer::start().await;
    let open = Service::start(&redis, "pod-1", Fleet::default()).await;
    let closed = Service::start(&redis, "pod-2", Fleet::reports()).await;
    open.read(1).await;
    closed.read(1).await;
    let (console, _end) = watching(&redis, 2).await;
    until(&console, "both are heard", |console| reads(console) == 2).await;
    let look = console.look(&operator(), "users", "1").await.unwrap();
    let said = "1 of 2 nodes answered; pod-2: this node lets nobody look into its L1.";
    assert_eq!(look.partial.as_deref(), Some(said));
    assert!(look.l1[0].entry.is_some() && look.l1[1].unknown.is_some(), "{look:?}");
    let refused = console.refresh_key(&operator(), "users", "1").await.unwrap_err();
    assert!(refused.to_string().contains("users"), "{refused}");
    let job = console.invalidate_key(&operator(), "users", "1").await.unwrap();
    assert_eq!(job.heard.map(|heard| heard.nodes), Some(2), "the bus needs nobody's leave");
    assert!(!open.has(1).await && !closed.has(1).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_others_are_not_read_the_numbers_of_this_process_go_on() {
    let redis = RedisServer::start().await;
    let here = Service::start(&redis, "pod-1", Fleet::default()).await;
    let _there = Service::start(&redis, "pod-2", Fleet::default()).await;
    let client = here.node.fleet_client().start().unwrap();
    let others = RemoteNodes::new(here.node.reaching_all_caches(), client);
    let own: std::sync::Arc<dyn strata_console::NodeClient> =
        std::sync::Arc::new(here.node.clone());
    let shutdown = CancellationToken::new();
    let nodes = (vec![own], others.clone());
    let console = Console::start_among(nodes, everybody_may_act(), shutdown.clone());
    let _end = shutdown.drop_guard();
    until(&console, "both are heard", |console| counted(console) == (2, 2)).await;
    others.set_pace(Pace::Asleep);
    let is_unread = |console: &Console| console.frame().fleet.clone().unwrap().is_unread;
    until(&console, "others are not read", is_unread).await;
    assert_eq!(counted(&console), (1, 1));
    let said = console.frame().fleet.clone().unwrap().of_how_many();
    assert_eq!(said, "of 1 of 1 node; others are not read yet");
    here.read(7).await;
    until(&console, "what happens here is counted", |console| {
        let point = console.frame().point;
        point.span_ms > 0 && point.outcomes.reads() > 0 && is_unread(console)
    })
    .await;
    others.wake();
    until(&console, "both are heard again", |console| counted(console) == (2, 2)).await;
}
