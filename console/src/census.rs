use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use strata_cache::{L2Census, L2Count, Tasks};
use strata_report::{CacheFrame, NodeReport, RedisState};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::NodeFace;

const STATE_EVERY: Duration = Duration::from_secs(2);
const COUNT_EVERY: Duration = Duration::from_secs(10);

/// What is known of Redis. Asked by tasks of its own, so that a slow Redis never delays a tick.
#[derive(Debug, Default)]
pub(crate) struct Census {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    state: Option<RedisState>,
    counts: HashMap<String, L2Count>,
    counted_at_ms: Option<u64>,
    guests: HashMap<String, L2Count>,
}

impl Census {
    /// Asks at once and then again and again.
    pub(crate) fn start(self: &Arc<Self>, nodes: &[Arc<dyn NodeFace>], tasks: &Tasks) {
        let nodes: Arc<[_]> = nodes.into();
        let (census, asked) = (Arc::clone(self), Arc::clone(&nodes));
        tasks.spawn("redis state", move || {
            let (census, nodes) = (Arc::clone(&census), Arc::clone(&asked));
            async move { census.watch_state(&nodes).await }
        });
        let census = Arc::clone(self);
        tasks.spawn("census", move || {
            let (census, nodes) = (Arc::clone(&census), Arc::clone(&nodes));
            async move { census.watch_counts(&nodes).await }
        });
    }

    /// Redis as it was last seen, or as the nodes see it while nobody has asked.
    pub(crate) fn redis(&self, reports: &[NodeReport]) -> RedisState {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let state = known.state.clone().unwrap_or_else(|| as_nodes_see_it(reports));
        RedisState { counted_at_ms: known.counted_at_ms, ..state }
    }

    /// Fills in what the cache keeps in L2, where that has been counted.
    pub(crate) fn fill(&self, frame: &mut CacheFrame) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if frame.guest {
            let count = known.guests.get(&frame.report.cache);
            frame.l2_entries = count.map(|count| count.entries);
            frame.l2_weight_bytes = count.map(|count| count.weight_bytes);
            return;
        }
        let has_l2 = frame.report.settings.l2_time_to_live_ms.is_some();
        if has_l2 && known.counted_at_ms.is_some() {
            // Only caches that have keys are in the counts.
            let count = known.counts.get(&frame.report.cache);
            frame.l2_entries = Some(count.map_or(0, |count| count.entries));
            frame.l2_weight_bytes = Some(count.map_or(0, |count| count.weight_bytes));
        }
    }

    /// Takes over what the caches of guests keep in L2; all others are forgotten.
    pub(crate) fn know_guests(&self, counts: Vec<L2Count>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.guests = counts.into_iter().map(|count| (count.cache.clone(), count)).collect();
    }

    async fn watch_state(&self, nodes: &[Arc<dyn NodeFace>]) {
        let mut ticks = interval(STATE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let state = timeout(STATE_EVERY, redis_state(nodes)).await.ok().flatten();
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.state = match (state, known.state.take()) {
                (Some(state), _) => Some(state),
                (None, Some(last)) => Some(RedisState { up: false, ..last }),
                (None, None) => None,
            };
        }
    }

    async fn watch_counts(&self, nodes: &[Arc<dyn NodeFace>]) {
        let mut ticks = interval(COUNT_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some(census) = census_l2(nodes).await {
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                let by_cache = census.counts.into_iter().map(|count| (count.cache.clone(), count));
                known.counts = by_cache.collect();
                known.counted_at_ms = Some(census.counted_at_ms);
            }
        }
    }
}

fn as_nodes_see_it(reports: &[NodeReport]) -> RedisState {
    let mut with_l2 = reports.iter().filter(|report| report.l2.configured).peekable();
    RedisState {
        configured: with_l2.peek().is_some(),
        up: with_l2.any(|report| !report.l2.breaker_open),
        ..RedisState::default()
    }
}

// All nodes share one Redis, so the first that answers speaks for all.
async fn redis_state(nodes: &[Arc<dyn NodeFace>]) -> Option<RedisState> {
    for node in nodes {
        if let Ok(state) = node.redis_state().await {
            return Some(state);
        }
    }
    None
}

async fn census_l2(nodes: &[Arc<dyn NodeFace>]) -> Option<L2Census> {
    for node in nodes {
        if let Ok(census) = node.census_l2().await {
            return census;
        }
    }
    None
}
