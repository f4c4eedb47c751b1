//! A Redis that may evict data that cannot be loaded again.

use std::sync::{Arc, Mutex};

use strata_cache::{WriteBehind, WriteError};

use crate::support::ways::node_of_user;
use crate::support::{Redis, cache, eventually};

type Failed = std::io::Error;

async fn set_policy(redis: &Redis, policy: &str) {
    let () = redis.ask(&["CONFIG", "SET", "maxmemory-policy", policy]).await;
}

async fn sink<T>(_: Vec<T>) -> Result<(), Failed> {
    Ok(())
}

fn policy(node: &strata_cache::Node) -> Option<String> {
    node.report().l2.eviction_policy
}

#[tokio::test]
async fn the_policy_is_in_the_report_of_a_node_that_has_something_to_lose() {
    let redis = Redis::start().await;
    set_policy(&redis, "allkeys-lru").await;
    let (writing, keeping) = (redis.node("1").await, redis.node("2").await);
    let _writes = WriteBehind::builder(&cache(&writing)).durable(sink).unwrap();
    let _structures = keeping.structures("counters").unwrap();
    for node in [writing, keeping] {
        eventually("it is known", async || policy(&node).is_some()).await;
        let report = node.report();
        assert_eq!(report.l2.eviction_policy.as_deref(), Some("allkeys-lru"));
        assert!(report.l2.may_evict_data() && report.keeps_data_in_redis());
    }
}

#[tokio::test]
async fn writes_are_refused_there_where_that_was_asked_for() {
    let redis = Redis::start().await;
    for (policy, evicts) in [
        ("allkeys-lru", true),
        ("allkeys-random", true),
        ("volatile-lru", false),
        ("noeviction", false),
    ] {
        set_policy(&redis, policy).await;
        let node = redis.node("1").await;
        let careful = WriteBehind::builder(&cache(&node)).refuse_evicting().durable(sink).unwrap();
        let written = careful.write(1, "a".into()).await;
        let refused = Err(WriteError::Evicting { policy: policy.to_owned() });
        assert_eq!(written.is_err(), evicts, "{written:?}");
        assert!(!evicts || written == refused, "{written:?}");
        assert_eq!(careful.report().refused, u64::from(evicts));
        drop(careful);
        let node = redis.node("2").await;
        let writes = WriteBehind::builder(&cache(&node)).durable(sink).unwrap();
        writes.write(1, "a".into()).await.expect("otherwise it is taken, and told");
    }
}

#[tokio::test]
async fn where_an_acl_forbids_info_the_configuration_is_asked() {
    let redis = Redis::start().await;
    set_policy(&redis, "allkeys-lfu").await;
    let node = node_of_user(&redis, &["-info"]).await;
    let careful = WriteBehind::builder(&cache(&node)).refuse_evicting().durable(sink).unwrap();
    let refused = WriteError::Evicting { policy: "allkeys-lfu".to_owned() };
    assert_eq!(careful.write(1, "a".into()).await, Err(refused));
}

#[tokio::test]
async fn where_an_acl_forbids_both_the_policy_is_unknown_and_writes_are_taken() {
    let redis = Redis::start().await;
    set_policy(&redis, "allkeys-lfu").await;
    let node = node_of_user(&redis, &["-info", "-config"]).await;
    let careful = WriteBehind::builder(&cache(&node)).refuse_evicting().durable(sink).unwrap();
    careful.write(1, "a".into()).await.unwrap();
    assert_eq!(policy(&node), None);
    assert!(!node.report().l2.breaker_open);
}

/// Keeps the warnings that name a policy.
#[derive(Clone, Default)]
struct Log {
    warnings: Arc<Mutex<Vec<String>>>,
}

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN && metadata.target().starts_with("strata")
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Line(String);
        impl tracing::field::Visit for Line {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0.push_str(&format!("{field}={value:?} "));
            }
        }
        let mut line = Line(String::new());
        event.record(&mut line);
        if line.0.contains("policy=") {
            self.warnings.lock().unwrap().push(line.0);
        }
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn the_log_says_once_a_policy_that_acknowledged_writes_may_be_evicted() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let warnings = || log.warnings.lock().unwrap().clone();
    let redis = Redis::start().await;
    set_policy(&redis, "volatile-lru").await;
    let node = redis.node("1").await;
    let _writes = WriteBehind::builder(&cache(&node)).durable(sink).unwrap();
    eventually("the policy is known", async || policy(&node).is_some()).await;
    assert_eq!(warnings(), [""; 0], "it leaves keys without a time to live alone");
    set_policy(&redis, "allkeys-lru").await;
    // New structures cause the policy to be read again.
    let _counters = node.structures("counters").unwrap();
    eventually("it is told", async || !warnings().is_empty()).await;
    let _carts = node.structures("carts").unwrap();
    set_policy(&redis, "allkeys-lfu").await;
    let _more = node.structures("more").unwrap();
    eventually("the other one is told", async || warnings().len() > 1).await;
    let told = warnings();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("allkeys-lru") && told[0].contains("users, counters"), "{told:?}");
    assert!(told[1].contains("allkeys-lfu"), "{told:?}");
}
