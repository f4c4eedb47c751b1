//! What an operator asks goes over a connection of its own: it can neither open the breaker nor
//! delay a read.

use std::future::Future;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult, cmd};
use tokio::time::Instant;

use super::answer::{CallError, ErrorClass, ErrorReply};
use super::handshake::run_id;
use super::link::{Link, SLOW_TIMEOUT, in_time};
use super::query::{Query, Reply, Step};

/// The time of each second that Redis may spend on walks for operators.
const SHARE: f64 = 0.5;

/// What may be spent at once after a rest.
const BURST: Duration = Duration::from_millis(250);

/// The operator's connection, and the time that its walks have spent.
#[derive(Default)]
pub(crate) struct OperatorConnection {
    connection: tokio::sync::Mutex<Option<OpenConnection>>,
    budget: Mutex<Budget>,
}

/// A connection, and the generation of the link's own when it was made: what was made before
/// that one may lead to another server.
#[derive(Clone)]
struct OpenConnection {
    connection: MultiplexedConnection,
    generation: u64,
}

/// A leaky bucket of time.
struct Budget {
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
    fn rest(&mut self, now: Instant) -> Duration {
        self.leak(now);
        self.spent.saturating_sub(BURST).div_f64(SHARE)
    }

    fn spend(&mut self, now: Instant, took: Duration) {
        self.leak(now);
        self.spent += took;
    }
}

impl Link {
    /// Asks for an operator, within a deadline of its own. Not while Redis is lost.
    pub(crate) async fn inspect<T: Reply>(&self, query: &impl Query) -> Result<T, CallError> {
        let asking = |mut connection| async move { query.ask(&mut connection).await };
        self.operate(Step::Inspect, asking).await
    }

    /// As [`inspect`](Self::inspect), for one step of a walk: rests first where walks have taken
    /// their share of Redis's time.
    pub(crate) async fn walk_step<T: Reply>(&self, query: &impl Query) -> Result<T, CallError> {
        let rest = self.budget(|budget| budget.rest(Instant::now()));
        if !rest.is_zero() {
            tokio::time::sleep(rest).await;
        }
        let began = Instant::now();
        let answer = self.inspect(query).await;
        self.budget(|budget| budget.spend(Instant::now(), began.elapsed()));
        answer
    }

    /// Several commands in a row on the operator's connection, within one deadline.
    pub(crate) async fn operate<T, Fut>(
        &self,
        step: Step,
        work: impl FnOnce(MultiplexedConnection) -> Fut,
    ) -> Result<T, CallError>
    where
        Fut: Future<Output = RedisResult<T>>,
    {
        #[cfg(feature = "holds")]
        self.holds.before(step).await;
        let answer = self.operate_now(step, work).await;
        #[cfg(feature = "holds")]
        self.holds.after(step).await;
        answer
    }

    async fn operate_now<T, Fut>(
        &self,
        step: Step,
        work: impl FnOnce(MultiplexedConnection) -> Fut,
    ) -> Result<T, CallError>
    where
        Fut: Future<Output = RedisResult<T>>,
    {
        // While what waited is replayed, invalidations take the same way, as all do.
        if let Some((connection, _)) = self.connection_for(step).filter(|_| self.is_open()) {
            let answer = in_time(SLOW_TIMEOUT, work(connection)).await;
            return answer.map_err(|error| CallError::of(&error));
        }
        if self.is_open() {
            return Err(CallError::Away);
        }
        let open = self.operator_connection().await.map_err(|error| CallError::of(&error))?;
        let answer = in_time(SLOW_TIMEOUT, work(open.connection)).await;
        let failed = answer.as_ref().err().map(CallError::of);
        if failed == Some(CallError::Away) {
            self.drop_operator_connection(open.generation).await;
        }
        answer.map_err(|error| CallError::of(&error))
    }

    /// Whether Redis answers anything at all within this time, on another connection than the one
    /// whose answer is late.
    pub(crate) async fn answers_ping(&self, within: Duration) -> bool {
        let pinging = async {
            // One that Redis had closed while it was idle says nothing.
            self.ping().await || self.ping().await
        };
        tokio::time::timeout(within, pinging).await.unwrap_or(false)
    }

    async fn ping(&self) -> bool {
        let open = self.operator.connection.lock().await.clone();
        let generation = open.as_ref().map(|open| open.generation);
        let connection = match open {
            Some(open) => Ok(open.connection),
            // Nothing else is asked of it: its answer may be awaited for a short time only.
            None => self.connect(self.connect_timeout()).await,
        };
        let pinged = match connection {
            Ok(mut connection) => cmd("PING").query_async::<String>(&mut connection).await,
            Err(error) => Err(error),
        };
        // Any answer is one.
        let is_lost = |error: RedisError| ErrorReply::read(&error).verdict == ErrorClass::Lost;
        let answers = !pinged.err().is_some_and(is_lost);
        if let Some(generation) = generation.filter(|_| !answers) {
            self.drop_operator_connection(generation).await;
        }
        answers
    }

    async fn operator_connection(&self) -> RedisResult<OpenConnection> {
        let mut open = self.operator.connection.lock().await;
        let generation = self.state().generation;
        match &*open {
            Some(open) if open.generation == generation => Ok(open.clone()),
            _ => {
                let within = self.connect_timeout();
                let mut connection = self.connect(within).await?;
                let _: String = in_time(within, cmd("PING").query_async(&mut connection)).await?;
                let here = in_time(within, run_id(&mut connection)).await?;
                if self.leads_elsewhere(&here) {
                    self.lose_the_other_server(&here, 0);
                    return Err(io::Error::from(io::ErrorKind::ConnectionAborted).into());
                }
                Ok(open.insert(OpenConnection { connection, generation }).clone())
            }
        }
    }

    async fn drop_operator_connection(&self, generation: u64) {
        let mut open = self.operator.connection.lock().await;
        if open.as_ref().is_some_and(|open| open.generation == generation) {
            *open = None;
        }
    }

    fn budget<T>(&self, act: impl FnOnce(&mut Budget) -> T) -> T {
        act(&mut self.operator.budget.lock().unwrap_or_else(PoisonError::into_inner))
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
