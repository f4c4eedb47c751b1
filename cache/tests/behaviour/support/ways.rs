//! Nodes by their connection to Redis.

use std::time::Duration;

use strata_cache::Node;
use strata_cache::report::NodeReport;
use strata_testing::Proxy;

use super::{Redis, eventually, hears};

/// Long enough to detect a wait, and short enough to wait for.
pub(crate) const SHORT: Duration = Duration::from_millis(1_500);

/// Far longer than anything here takes, so a test that waits for it fails.
pub(crate) const LONG: Duration = Duration::from_secs(8);

pub(crate) async fn node_behind(proxy: &Proxy, l2_timeout: Duration) -> Node {
    hearing_node(&proxy.url(), l2_timeout).await
}

/// A node with a reliable and patient connection to Redis.
pub(crate) async fn onlooker(redis: &Redis) -> Node {
    hearing_node(&redis.url(), LONG).await
}

async fn hearing_node(url: &str, l2_timeout: Duration) -> Node {
    let node = Node::builder("test").redis_url(url).l2_timeout(l2_timeout);
    let node = node.start().await.unwrap();
    hears(&node).await;
    node
}

pub(crate) async fn trusts_l2(node: &Node) {
    eventually("the breaker closes", async || !node.report().l2.breaker_open).await;
}

pub(crate) fn never_opened(node: &Node) {
    let l2 = node.report().l2;
    assert_eq!((l2.breaker_open, l2.breaker_opened), (false, 0), "{:?}", l2.last_error);
}

/// A node that logs in as `app`, a user with all rights except those that these rules take away.
pub(crate) async fn node_of_user(redis: &Redis, rules: &[&str]) -> Node {
    set_user(redis, rules).await;
    let url = format!("{}?user=app&pass=secret", redis.url());
    let node = Node::builder("test").id("app").redis_url(&url).l2_timeout(LONG);
    let node = node.start().await.unwrap();
    hears(&node).await;
    node
}

pub(crate) async fn set_user(redis: &Redis, rules: &[&str]) {
    let mut words = vec!["ACL", "SETUSER", "app", "reset", "on", ">secret", "~*", "&*", "+@all"];
    words.extend(rules);
    let () = redis.ask(&words).await;
}

/// How often Redis answered with an error code.
pub(crate) fn times(report: &NodeReport, code: &str) -> u64 {
    report.l2.errors_by_code.get(code).copied().unwrap_or(0)
}
