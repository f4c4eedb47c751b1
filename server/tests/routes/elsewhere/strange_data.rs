//! What nodes of other releases, and others altogether, leave in the keys of the fleet.

use strata_testing::RedisServer;

use super::pod::{NAMESPACE, Pod};
use super::{Dashboard, row, until};

/// A form of this release with a report of ten megabytes, again and again.
const LARGE: &str = "redis.call('SET', KEYS[1], '\\1\\0' .. string.rep('x', 10485760))";

#[tokio::test]
async fn a_card_of_a_future_protocol_and_a_report_of_ten_megabytes_cost_the_other_nodes_nothing() {
    let redis = RedisServer::start().await;
    let url = redis.url();
    let _pods = [Pod::start(&url, "pod-1").await, Pod::start(&url, "pod-2").await];
    let dashboard = Dashboard::start(&["--redis-url", &url, "--namespace", NAMESPACE]).await;
    dashboard.until_counted(2, 2).await;
    let beat = "local t = redis.call('TIME') \
                redis.call('ZADD', KEYS[1], t[1] * 1000, 'later') \
                redis.call('ZADD', KEYS[1], t[1] * 1000, 'large')";
    let card = r#"redis.call('SET', KEYS[1], '\1\0{"protocol":7,"run":"x","app":"shop-api","strata":"9.9.9"}')"#;
    until("both are told", async || {
        redis.cli(&["EVAL", beat, "1", "{shop}!fleet:nodes"]).await;
        redis.cli(&["EVAL", card, "1", "{shop}!fleet:card:later"]).await;
        redis.cli(&["EVAL", LARGE, "1", "{shop}!fleet:now:large"]).await;
        let rows = dashboard.rows().await;
        let unreadable = |node: &str| !row(&rows, node)["presence"]["unreadable"].is_null();
        unreadable("large") && !row(&rows, "later").is_null()
    })
    .await;
    let rows = dashboard.rows().await;
    for node in ["pod-1", "pod-2"] {
        assert_eq!(row(&rows, node)["presence"]["state"], "up", "{rows}");
        assert_eq!(row(&rows, node)["heard"], true, "{rows}");
    }
    for path in ["/", "/nodes", "/api/v1/alerts", "/api/v1/nodes"] {
        dashboard.page(path).await;
    }
}
