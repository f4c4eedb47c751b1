//! The operators' connections, and the share of Redis's time that their walks may take.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tokio::runtime::Id;
use tokio::time::Instant;

use super::other_runtimes::OtherRuntimes;
use crate::connection::link::SLOW_TIMEOUT;

/// The share of its time that Redis may spend on walks for operators.
const SHARE: f64 = 0.5;

/// The share for those who ask from another runtime than the node's own. Redis serves reads in
/// between.
const SHARE_ELSEWHERE: f64 = 0.2;

/// The time that may be spent at once after a rest.
const BURST: Duration = Duration::from_millis(250);

const BURST_ELSEWHERE: Duration = Duration::from_millis(20);

/// What one step counts for at most where busy threads of another runtime read its answer. Most of a
/// longer wait is theirs, not Redis's.
const COUNTS_ELSEWHERE: Duration = Duration::from_millis(50);

/// A step of a walk may take this long where busy threads of another runtime read its answer, which
/// may have come long before.
const PATIENCE_ELSEWHERE: Duration = Duration::from_secs(10);

/// The connections for operators' requests.
pub(crate) struct OperatorConnections {
    /// For those who ask from the runtime that the node belongs to.
    pub(in crate::connection) here: Arc<OperatorConnection>,
    /// For those who ask from other runtimes. Their threads read the answers: where they have a lower
    /// priority, large answers delay no read. They never hold up those who ask from here.
    pub(in crate::connection) elsewhere: OtherRuntimes,
}

impl Default for OperatorConnections {
    fn default() -> Self {
        Self {
            here: Arc::new(OperatorConnection {
                open: tokio::sync::Mutex::default(),
                patience: SLOW_TIMEOUT,
                connects_within: Duration::ZERO,
                budget: Arc::new(Mutex::new(Budget::new(SHARE, BURST))),
            }),
            elsewhere: OtherRuntimes::new(Budget {
                step_counts: COUNTS_ELSEWHERE,
                ..Budget::new(SHARE_ELSEWHERE, BURST_ELSEWHERE)
            }),
        }
    }
}

/// A connection for operators, and the time that its walks have spent.
pub(crate) struct OperatorConnection {
    pub(in crate::connection) open: tokio::sync::Mutex<Option<OpenConnection>>,
    /// How long one request may take.
    pub(in crate::connection) patience: Duration,
    /// How long connecting may take, if that is longer than usual.
    pub(in crate::connection) connects_within: Duration,
    budget: Arc<Mutex<Budget>>,
}

impl OperatorConnection {
    pub(in crate::connection) fn of_another_runtime(budget: Arc<Mutex<Budget>>) -> Self {
        Self {
            open: tokio::sync::Mutex::default(),
            patience: PATIENCE_ELSEWHERE,
            connects_within: SLOW_TIMEOUT,
            budget,
        }
    }

    pub(in crate::connection) fn budget<T>(&self, act: impl FnOnce(&mut Budget) -> T) -> T {
        act(&mut self.budget.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(in crate::connection) async fn close(&self, generation: u64) {
        let mut open = self.open.lock().await;
        if open.as_ref().is_some_and(|open| open.generation == generation) {
            *open = None;
        }
    }
}

/// A connection, and the generation of the link's own when it was made. A connection of an older
/// generation may lead to another server.
#[derive(Clone)]
pub(crate) struct OpenConnection {
    pub(in crate::connection) connection: MultiplexedConnection,
    pub(in crate::connection) generation: u64,
    /// Of the login that it began with.
    pub(in crate::connection) login: u64,
    /// The runtime whose threads read its answers.
    pub(in crate::connection) runtime: Option<Id>,
}

/// A leaky bucket of time.
pub(crate) struct Budget {
    share: f64,
    burst: Duration,
    /// What one step counts for at most.
    step_counts: Duration,
    spent: Duration,
    at: Instant,
}

impl Budget {
    fn new(share: f64, burst: Duration) -> Self {
        let step_counts = Duration::MAX;
        Self { share, burst, step_counts, spent: Duration::ZERO, at: Instant::now() }
    }

    fn leak(&mut self, now: Instant) {
        let leaked = now.duration_since(self.at).mul_f64(self.share);
        (self.spent, self.at) = (self.spent.saturating_sub(leaked), now);
    }

    /// How long to rest before the next step.
    pub(in crate::connection) fn rest(&mut self, now: Instant) -> Duration {
        self.leak(now);
        self.spent.saturating_sub(self.burst).div_f64(self.share)
    }

    pub(in crate::connection) fn spend(&mut self, now: Instant, took: Duration) {
        self.leak(now);
        self.spent += took.min(self.step_counts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn walks_take_at_most_their_share_of_the_time() {
        let mut budget = Budget::new(SHARE, BURST);
        let began = Instant::now();
        let mut spent = Duration::ZERO;
        while began.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(budget.rest(Instant::now())).await;
            let took = Duration::from_millis(20);
            tokio::time::sleep(took).await;
            budget.spend(Instant::now(), took);
            spent += took;
        }
        let share = spent.as_secs_f64() / began.elapsed().as_secs_f64();
        assert!((0.45..0.56).contains(&share), "{share}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_whose_answer_waited_for_busy_threads_counts_as_a_long_step_of_redis() {
        let elsewhere = OperatorConnections::default().elsewhere.connection();
        elsewhere.budget(|budget| budget.spend(Instant::now(), PATIENCE_ELSEWHERE));
        let rest = elsewhere.budget(|budget| budget.rest(Instant::now()));
        assert_eq!(rest, Duration::from_millis(150), "30 ms beyond the burst, at a fifth");
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_walk_after_a_rest_does_not_wait() {
        let mut budget = Budget::new(SHARE, BURST);
        budget.spend(Instant::now(), BURST);
        assert_eq!(budget.rest(Instant::now()), Duration::ZERO);
    }
}
