use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_cache::{L2Census, L2Count, Tasks};
use strata_report::{CacheFrame, NodeReport, RedisState};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::NodeFace;

const STATE_EVERY: Duration = Duration::from_secs(2);
const COUNT_EVERY: Duration = Duration::from_secs(10);

/// So long after somebody has looked, keys are still counted.
const WATCHED_FOR: Duration = Duration::from_secs(30);

/// What is known of Redis. Asked by tasks of its own, so that a slow Redis never delays a tick.
#[derive(Debug, Default)]
pub(crate) struct Census {
    known: Mutex<Known>,
    looked_at: Mutex<Option<Instant>>,
    looked: Notify,
}

#[derive(Debug, Default)]
struct Known {
    state: Option<RedisState>,
    counts: HashMap<String, L2Count>,
    counted_at_ms: Option<u64>,
    guests: HashMap<String, L2Count>,
    given_up_after: Option<u64>,
    keys: Option<u64>,
}

impl Census {
    /// Asks how Redis is, at once and then again and again.
    pub(crate) fn start(self: &Arc<Self>, nodes: &[Arc<dyn NodeFace>], tasks: &Tasks) {
        let (census, asked) = (Arc::clone(self), Arc::<[_]>::from(nodes));
        tasks.spawn("redis state", move || {
            let (census, nodes) = (Arc::clone(&census), Arc::clone(&asked));
            async move { census.watch_state(&nodes).await }
        });
    }

    /// Somebody looks, so that keys are counted for a while.
    pub(crate) fn look(&self) {
        *self.looked_at() = Some(Instant::now());
        self.looked.notify_one();
    }

    fn looked_at(&self) -> MutexGuard<'_, Option<Instant>> {
        self.looked_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_watched(&self) -> bool {
        self.looked_at().is_some_and(|at| at.elapsed() < WATCHED_FOR)
    }

    /// Redis as it was last seen, or as the nodes see it while nobody has asked.
    pub(crate) fn redis(&self, reports: &[NodeReport]) -> RedisState {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let state = known.state.clone().unwrap_or_else(|| as_nodes_see_it(reports));
        RedisState {
            counted_at_ms: known.counted_at_ms,
            count_given_up_after: known.given_up_after,
            keys: known.keys.filter(|_| known.given_up_after.is_some()),
            ..state
        }
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
        if has_l2 && known.counted_at_ms.is_some() && known.given_up_after.is_none() {
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

    /// Counts again and again while somebody watches, by looks or by a stream of ticks.
    pub(crate) async fn watch_counts(
        &self,
        nodes: &[Arc<dyn NodeFace>],
        has_streams: impl Fn() -> bool,
    ) {
        loop {
            while !self.is_watched() && !has_streams() {
                self.looked.notified().await;
            }
            if let Some(census) = census_l2(nodes).await {
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                let by_cache = census.counts.into_iter().map(|count| (count.cache.clone(), count));
                known.counts = by_cache.collect();
                known.counted_at_ms = Some(census.counted_at_ms);
                (known.given_up_after, known.keys) = (census.given_up_after, census.keys);
            }
            sleep(COUNT_EVERY).await;
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
