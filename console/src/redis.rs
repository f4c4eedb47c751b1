use std::time::Duration;

use strata_report::{NodeL2, RedisReport, RedisShare};
use tokio::time::timeout;

use crate::Console;

/// Redis answers soon or is shown without its own numbers.
const PATIENCE: Duration = Duration::from_secs(3);

impl Console {
    /// Redis, as it and the nodes see it. Asks Redis once; what each cache keeps there is as last
    /// counted.
    pub async fn redis(&self) -> RedisReport {
        let tick = self.tick();
        let with_l2 = tick.reports.iter().filter(|report| report.l2.configured);
        let asked =
            tick.reports.iter().find(|report| report.l2.configured && !report.l2.breaker_open);
        let node =
            asked.and_then(|report| self.inner.nodes.iter().find(|node| node.id() == report.node));
        let server = match node {
            Some(node) => timeout(PATIENCE, node.redis_server()).await.ok(),
            None => None,
        };
        let counted = tick.frame.own_caches().filter_map(|cache| {
            Some(RedisShare {
                cache: cache.report.cache.clone(),
                entries: cache.l2_entries?,
                weight_bytes: cache.l2_weight_bytes?,
            })
        });
        RedisReport {
            state: tick.frame.redis.clone(),
            server: server.and_then(Result::ok).flatten(),
            shares: counted.collect(),
            nodes: with_l2
                .map(|report| NodeL2 { node: report.node.clone(), l2: report.l2.clone() })
                .collect(),
        }
    }
}
