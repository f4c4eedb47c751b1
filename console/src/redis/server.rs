use std::time::Duration;

use strata_report::{NodeL2, NodeReport, RedisReport, RedisServer, RedisShare};
use tokio::time::{Instant, timeout};

use crate::console::Console;

/// Redis answers soon or is shown without its own numbers.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long an answer is given again to whoever asks.
const STANDS_FOR: Duration = Duration::from_secs(1);

/// An answer of Redis, and when it came.
#[derive(Clone, Debug)]
pub(crate) struct ServerAnswer {
    server: Option<RedisServer>,
    at: Instant,
}

impl Console {
    /// Counts again and again what the caches of the service have in L2, while somebody watches.
    pub(crate) async fn count_keys(self) {
        let has_streams = || self.inner.ticks.receiver_count() > 0;
        let ways = self.inner.nodes.ways_to_redis();
        self.inner.census.watch_counts(&ways, has_streams).await;
    }

    /// Redis, as it and the nodes see it. Asks Redis once a second at most; what each cache keeps there is as last
    /// counted.
    pub async fn redis(&self) -> RedisReport {
        self.inner.census.look();
        let tick = self.tick();
        let with_l2 = tick.reports.iter().filter(|report| report.l2.configured);
        let counted = tick.frame.own_caches().filter_map(|cache| {
            Some(RedisShare {
                cache: cache.report.cache.clone(),
                entries: cache.l2_entries?,
                weight_bytes: cache.l2_weight_bytes?,
            })
        });
        RedisReport {
            state: tick.frame.redis.clone(),
            server: self.redis_server().await,
            shares: counted.collect(),
            nodes: with_l2
                .map(|report| NodeL2 { node: report.node.clone(), l2: report.l2.clone() })
                .collect(),
        }
    }

    /// What Redis counts about itself, as of the last second; `None` where it is off or away.
    /// Those who ask at the same time wait for one answer.
    pub(crate) async fn redis_server(&self) -> Option<RedisServer> {
        let mut said = self.inner.redis_server.lock().await;
        if let Some(said) = said.as_ref().filter(|said| said.at.elapsed() < STANDS_FOR) {
            return said.server.clone();
        }
        let server = self.ask_redis_server().await;
        *said = Some(ServerAnswer { server: server.clone(), at: Instant::now() });
        server
    }

    async fn ask_redis_server(&self) -> Option<RedisServer> {
        let tick = self.tick();
        let can = |report: &NodeReport| report.l2.configured && !report.l2.breaker_open;
        let node = self.inner.nodes.way_to_redis(&tick.reports, can)?;
        timeout(PATIENCE, node.shared().redis_server()).await.ok()?.ok().flatten()
    }
}
