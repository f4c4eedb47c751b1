//! The console over real nodes, which share a real Redis.

use std::sync::Arc;
use std::time::Duration;

use strata_cache::{Cache, Node};
use strata_console::{Actor, Console, ConsoleError};
use strata_report::{JobState, L2Look};
use strata_testing::RedisServer;

use crate::support::{console, operator};

const MINUTE: Duration = Duration::from_secs(60);

/// Copies of a service that share a Redis, or have none.
struct Service {
    nodes: Vec<Arc<Node>>,
    users: Vec<Cache<u64, String>>,
    hints: Vec<Cache<u64, String>>,
}

impl Service {
    async fn start(n_nodes: usize, redis_url: Option<&str>) -> Self {
        let mut service = Self { nodes: Vec::new(), users: Vec::new(), hints: Vec::new() };
        for i in 1..=n_nodes {
            let builder = Node::builder("test").id(&i.to_string());
            let builder = redis_url
                .into_iter()
                .fold(builder, |builder, url| builder.redis_url(url).l2_timeout(MINUTE));
            let node = builder.start().await.unwrap();
            let users = Cache::builder("users")
                .l1_entries(1_000)
                .time_to_live(MINUTE)
                .l2_time_to_live(MINUTE)
                .build(&node)
                .unwrap();
            let hints = Cache::builder("hints").l1_entries(100).l1_only().build(&node).unwrap();
            service.hints.push(hints);
            service.nodes.push(Arc::new(node));
            service.users.push(users);
        }
        service
    }

    fn console(&self) -> Console {
        console(&self.nodes)
    }

    /// Every node reads every key.
    async fn read(&self, keys: impl Iterator<Item = u64> + Clone) {
        for users in &self.users {
            for key in keys.clone() {
                let load =
                    move || async move { Ok::<_, std::io::Error>(Some(format!("user {key}"))) };
                users.get_or_load(&key, load).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_key_leaves_l1_of_each_node_and_l2() {
    let redis = RedisServer::start().await;
    let service = Service::start(3, Some(&redis.url())).await;
    service.read(1..=3).await;
    let console = service.console();

    let look = console.look(&Actor::local(), "users", "2").await.unwrap();
    assert!(look.l1.iter().all(|node| node.entry.is_some()), "{look:?}");
    let Some(L2Look::Entry(entry)) = look.l2 else { panic!("{look:?}") };
    assert_eq!(entry.value.as_deref(), Some("\"user 2\""));

    let job = console.invalidate_key(&operator(), "users", "2").await.unwrap();
    assert_eq!(job.l1.iter().map(|node| node.entries).sum::<u64>(), 3);
    assert_eq!((job.state, job.l1_left, job.l2_removed), (JobState::Done, 0, 1));

    let look = console.look(&Actor::local(), "users", "2").await.unwrap();
    assert!(look.l1.iter().all(|node| node.entry.is_none()), "{look:?}");
    assert_eq!(look.l2, Some(L2Look::Absent));
    let neighbour = console.look(&Actor::local(), "users", "3").await.unwrap();
    assert!(neighbour.l1.iter().all(|node| node.entry.is_some()));
}

#[tokio::test]
async fn a_pattern_removes_what_its_plan_counted_and_nothing_else() {
    let redis = RedisServer::start().await;
    let service = Service::start(2, Some(&redis.url())).await;
    service.read(1..=300).await;
    let console = service.console();

    let plan = console.plan(&operator(), "users", "1?").await.unwrap();
    assert_eq!(plan.l1.iter().map(|node| node.entries).collect::<Vec<_>>(), [10, 10]);
    assert_eq!(plan.l2, Some(10));
    assert_eq!(plan.samples, (10..20).map(|key| key.to_string()).collect::<Vec<_>>());

    let job = console.invalidate_pattern(&operator(), "users", "1?").await.unwrap();
    let job = console.finished(job.id, MINUTE).await.unwrap();
    assert_eq!((job.state, job.l1_left, job.l2_removed), (JobState::Done, 0, 10));
    assert!(job.l2_scanned >= 10, "{job:?}");

    let rest = console.plan(&operator(), "users", "*").await.unwrap();
    assert_eq!(rest.l1.iter().map(|node| node.entries).collect::<Vec<_>>(), [290, 290]);
    assert_eq!(rest.l2, Some(290));
}

#[tokio::test]
async fn a_key_that_traffic_fills_again_at_once_does_not_count_as_left() {
    let redis = RedisServer::start().await;
    let service = Arc::new(Service::start(2, Some(&redis.url())).await);
    service.read(7..=7).await;
    let console = service.console();
    let traffic = tokio::spawn({
        let service = Arc::clone(&service);
        async move {
            loop {
                service.read(7..=7).await;
                tokio::task::yield_now().await;
            }
        }
    });
    for _ in 0..20 {
        let job = console.invalidate_key(&operator(), "users", "7").await.unwrap();
        assert_eq!((job.state, job.l1_left), (JobState::Done, 0), "{job:?}");
    }
    traffic.abort();
}

#[tokio::test]
async fn a_cache_without_l2_is_forgotten_on_each_node() {
    let redis = RedisServer::start().await;
    let service = Service::start(2, Some(&redis.url())).await;
    for hints in &service.hints {
        let load = || async { Ok::<_, std::io::Error>(Some("hint".to_owned())) };
        hints.get_or_load(&1, load).await.unwrap();
    }
    let console = service.console();
    let job = console.invalidate_key(&operator(), "hints", "1").await.unwrap();
    assert_eq!(job.l1.iter().map(|node| node.entries).sum::<u64>(), 2);
    assert_eq!((job.state, job.l1_left, job.l2_configured), (JobState::Done, 0, false));
}

#[tokio::test]
async fn without_redis_each_node_forgets_and_l2_is_said_to_be_off() {
    let service = Service::start(2, None).await;
    service.read(1..=3).await;
    let console = service.console();
    assert!(!console.frame().redis.configured);
    assert_eq!(console.plan(&operator(), "users", "*").await.unwrap().l2, None);
    assert_eq!(console.look(&Actor::local(), "users", "1").await.unwrap().l2, None);

    let job = console.invalidate_key(&operator(), "users", "1").await.unwrap();
    assert_eq!((job.state, job.l1_left, job.l2_configured), (JobState::Done, 0, false));
    let job = console.invalidate_pattern(&operator(), "users", "*").await.unwrap();
    let job = console.finished(job.id, MINUTE).await.unwrap();
    assert_eq!((job.state, job.l1_left, job.l2_configured), (JobState::Done, 0, false));
    let rest = console.plan(&operator(), "users", "*").await.unwrap();
    assert_eq!(rest.l1.iter().map(|node| node.entries).sum::<u64>(), 0);
}

#[tokio::test]
async fn while_redis_is_away_each_node_forgets_and_the_rest_is_queued() {
    let mut redis = RedisServer::start().await;
    let service = Service::start(2, Some(&redis.url())).await;
    service.read(1..=3).await;
    let console = service.console();
    redis.kill();

    let job = console.invalidate_key(&operator(), "users", "1").await.unwrap();
    assert_eq!((job.state, job.l1_left, job.l2_configured), (JobState::Queued, 0, true));
    let job = console.invalidate_pattern(&operator(), "users", "*").await.unwrap();
    let job = console.finished(job.id, MINUTE).await.unwrap();
    assert_eq!((job.state, job.l1_left), (JobState::Queued, 0));
    assert_eq!(console.plan(&operator(), "users", "*").await.unwrap().l2, None);
    assert_eq!(console.look(&Actor::local(), "users", "2").await.unwrap().l2, None);
}

#[tokio::test]
async fn a_text_that_is_no_key_of_the_cache_is_a_bad_key() {
    let service = Service::start(1, None).await;
    let console = service.console();
    let error = console.invalidate_key(&operator(), "users", "seven").await.unwrap_err();
    assert!(matches!(error, ConsoleError::BadKey { .. }), "{error:?}");
    assert!(console.look(&Actor::local(), "users", "seven").await.is_err());
    assert!(console.jobs().is_empty());
}

#[tokio::test]
async fn frames_carry_what_redis_and_its_census_say() {
    let redis = RedisServer::start().await;
    let service = Service::start(2, Some(&redis.url())).await;
    service.read(1..=25).await;
    let console = service.console();
    let mut ticks = console.subscribe();
    let counted = ticks.wait_for(|tick| {
        tick.frame.redis.version.is_some() && tick.frame.redis.counted_at_ms.is_some()
    });
    let tick = tokio::time::timeout(MINUTE, counted).await.unwrap().unwrap().clone();
    assert!(tick.frame.redis.configured && tick.frame.redis.up);
    let users = &tick.frame.caches[0];
    assert_eq!((users.l2_entries, users.report.outcomes.reads()), (Some(25), 50));
    assert!(users.l2_weight_bytes.is_some_and(|bytes| bytes > 25), "{users:?}");
    assert_eq!(tick.frame.nodes.len(), 2);
}
