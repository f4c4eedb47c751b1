//! The operator's connection, and the share of Redis's time that its walks may take.

use std::sync::Mutex;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tokio::time::Instant;

/// The share of its time that Redis may spend on walks for operators.
const SHARE: f64 = 0.5;

/// The time that may be spent at once after a rest.
const BURST: Duration = Duration::from_millis(250);

/// The operator's connection, and the time that its walks have spent.
#[derive(Default)]
pub(crate) struct OperatorConnection {
    pub(super) connection: tokio::sync::Mutex<Option<OpenConnection>>,
    pub(super) budget: Mutex<Budget>,
}

/// A connection, and the generation of the link's own when it was made. A connection of an older
/// generation may lead to another server.
#[derive(Clone)]
pub(crate) struct OpenConnection {
    pub(super) connection: MultiplexedConnection,
    pub(super) generation: u64,
    /// Of the login that it began with.
    pub(super) login: u64,
}

/// A leaky bucket of time.
pub(crate) struct Budget {
    spent: Duration,
    at: Instant,
}

impl Default for Budget {
    fn default() -> Self {
        Self { spent: Duration::ZERO, at: Instant::now() }
    }
}

impl Budget {
    fn leak(&mut self, now: Instant) {
        let leaked = now.duration_since(self.at).mul_f64(SHARE);
        (self.spent, self.at) = (self.spent.saturating_sub(leaked), now);
    }

    /// How long to rest before the next step.
    pub(super) fn rest(&mut self, now: Instant) -> Duration {
        self.leak(now);
        self.spent.saturating_sub(BURST).div_f64(SHARE)
    }

    pub(super) fn spend(&mut self, now: Instant, took: Duration) {
        self.leak(now);
        self.spent += took;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn walks_take_at_most_their_share_of_the_time() {
        let mut budget = Budget::default();
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
    async fn a_short_walk_after_a_rest_does_not_wait() {
        let mut budget = Budget::default();
        budget.spend(Instant::now(), BURST);
        assert_eq!(budget.rest(Instant::now()), Duration::ZERO);
    }
}
