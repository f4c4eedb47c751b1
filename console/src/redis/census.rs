use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_cache::{L2Census, L2Count, Tasks};
use strata_report::{CacheFrame, RedisState};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::clock::now_ms;
use crate::nodes::{NodeClient, SharedReport};

const STATE_EVERY: Duration = Duration::from_secs(2);
const COUNT_EVERY: Duration = Duration::from_secs(10);

/// How long keys are still counted after somebody has watched.
const WATCHED_FOR: Duration = Duration::from_secs(30);

/// A count is left out once it is older than this and the rest that followed it.
const STANDS_FOR_MS: u64 = 600_000;

/// A node rests this many times as long as its count took.
const REST_PER_WALK: u64 = 20;

/// What is known of Redis. Asked by tasks of its own, so that a slow Redis never delays a tick.
#[derive(Debug, Default)]
pub(crate) struct Census {
    known: Mutex<KnownCounts>,
    looked_at: Mutex<Option<Instant>>,
    looked: Notify,
}

#[derive(Debug, Default)]
struct KnownCounts {
    state: Option<RedisState>,
    counts: HashMap<String, L2Count>,
    /// When the last count that came to its end did.
    counted_at_ms: Option<u64>,
    took_ms: u64,
    attached: HashMap<String, L2Count>,
    /// Of a later count that was given up.
    given_up_after: Option<u64>,
    keys: Option<u64>,
}

impl KnownCounts {
    /// Takes over a count. One that was given up leaves the time of the last one as it is.
    fn count(&mut self, census: L2Census) {
        (self.given_up_after, self.keys) = (census.given_up_after, census.keys);
        if self.given_up_after.is_some() {
            return;
        }
        let by_cache = census.counts.into_iter().map(|count| (count.cache.clone(), count));
        self.counts = by_cache.collect();
        (self.counted_at_ms, self.took_ms) = (Some(census.counted_at_ms), census.took_ms);
    }

    /// Whether the counts are current: the newest one was completed, and not long ago.
    fn is_counted(&self) -> bool {
        let stands_ms = STANDS_FOR_MS.saturating_add(self.took_ms.saturating_mul(REST_PER_WALK));
        let age_ms = self.counted_at_ms.map(|at_ms| now_ms().saturating_sub(at_ms));
        self.given_up_after.is_none() && age_ms.is_some_and(|age_ms| age_ms <= stands_ms)
    }
}

impl Census {
    /// Asks how Redis is, at once and then again and again.
    pub(crate) fn start(self: &Arc<Self>, nodes: &[Arc<dyn NodeClient>], tasks: &Tasks) {
        let (census, asked) = (Arc::clone(self), Arc::<[_]>::from(nodes));
        tasks.spawn("redis state", move || {
            let (census, nodes) = (Arc::clone(&census), Arc::clone(&asked));
            async move { census.watch_state(&nodes).await }
        });
    }

    /// Notes that somebody watches, so that keys are counted for a while.
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
    pub(crate) fn redis(&self, reports: &[SharedReport]) -> RedisState {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let state = known.state.clone().unwrap_or_else(|| as_nodes_see_it(reports));
        RedisState {
            counted_at_ms: known.counted_at_ms,
            count_given_up_after: known.given_up_after,
            keys: known.keys.filter(|_| known.given_up_after.is_some()),
            ..state
        }
    }

    /// Fills in what the cache keeps in L2, where that has been counted of late.
    pub(crate) fn fill(&self, frame: &mut CacheFrame) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if frame.attached {
            let count = known.attached.get(&frame.report.cache);
            frame.l2_entries = count.map(|count| count.entries);
            frame.l2_weight_bytes = count.map(|count| count.weight_bytes);
            return;
        }
        let has_l2 = frame.report.settings.l2_time_to_live_ms.is_some();
        if has_l2 && known.is_counted() {
            // Only caches that have keys are in the counts.
            let count = known.counts.get(&frame.report.cache);
            frame.l2_entries = Some(count.map_or(0, |count| count.entries));
            frame.l2_weight_bytes = Some(count.map_or(0, |count| count.weight_bytes));
        }
    }

    /// Takes over what the caches of attached nodes keep in L2; all others are forgotten.
    pub(crate) fn set_attached_counts(&self, counts: Vec<L2Count>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.attached = counts.into_iter().map(|count| (count.cache.clone(), count)).collect();
    }

    async fn watch_state(&self, nodes: &[Arc<dyn NodeClient>]) {
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

    /// Counts again and again while somebody watches, by asking for frames or by a stream of ticks.
    pub(crate) async fn watch_counts(
        &self,
        nodes: &[Arc<dyn NodeClient>],
        has_streams: impl Fn() -> bool,
    ) {
        loop {
            while !self.is_watched() && !has_streams() {
                self.looked.notified().await;
            }
            if let Some(census) = census_l2(nodes).await {
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.count(census);
            }
            sleep(COUNT_EVERY).await;
        }
    }
}

fn as_nodes_see_it(reports: &[SharedReport]) -> RedisState {
    let mut with_l2 = reports.iter().filter(|report| report.l2.configured).peekable();
    RedisState {
        configured: with_l2.peek().is_some(),
        up: with_l2.any(|report| !report.l2.breaker_open),
        ..RedisState::default()
    }
}

// All nodes share one Redis, so the first that answers speaks for all.
async fn redis_state(nodes: &[Arc<dyn NodeClient>]) -> Option<RedisState> {
    for node in nodes {
        if let Ok(state) = node.shared().redis_state().await {
            return Some(state);
        }
    }
    None
}

async fn census_l2(nodes: &[Arc<dyn NodeClient>]) -> Option<L2Census> {
    for node in nodes {
        if let Ok(census) = node.shared().census_l2().await {
            return census;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(known: KnownCounts) -> (Option<u64>, RedisState) {
        let census = Census { known: Mutex::new(known), ..Census::default() };
        let mut frame = CacheFrame::default();
        frame.report.cache = "users".to_owned();
        frame.report.settings.l2_time_to_live_ms = Some(60_000);
        census.fill(&mut frame);
        (frame.l2_entries, census.redis(&[]))
    }

    fn counted(minutes_ago: u64, took_ms: u64) -> KnownCounts {
        let count = L2Count { cache: "users".to_owned(), entries: 40, weight_bytes: 4_000 };
        let counted_at_ms = now_ms() - minutes_ago * 60_000;
        let mut known = KnownCounts::default();
        let counts = vec![count];
        known.count(L2Census { counted_at_ms, took_ms, counts, ..L2Census::default() });
        known
    }

    #[test]
    fn a_count_that_was_given_up_leaves_the_time_of_the_last_one_and_says_so() {
        let mut known = counted(5, 1_000);
        let counted_at_ms = known.counted_at_ms;
        let given_up = L2Census { counted_at_ms: now_ms(), ..L2Census::default() };
        known.count(L2Census { given_up_after: Some(7_000), ..given_up });
        let (entries, redis) = shown(known);
        assert_eq!((entries, redis.counted_at_ms), (None, counted_at_ms));
        assert_eq!(redis.count_given_up_after, Some(7_000));
    }

    #[test]
    fn an_old_count_is_unknown_unless_its_rest_is_as_long() {
        assert_eq!(shown(counted(5, 1_000)).0, Some(40));
        assert_eq!(shown(counted(120, 1_000)).0, None);
        assert_eq!(shown(counted(25, 60_000)).0, Some(40), "it rests for twenty minutes");
    }
}
