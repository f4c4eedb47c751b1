use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult};
use strata_report::L2Report;
use tokio::sync::Notify;

#[cfg(feature = "holds")]
use super::holds::Holds;
use super::pending::{Pending, Queue};
use super::step::Step;
use crate::bus::Bus;
use crate::recorder::Counter;

/// Scans and replays may take this long a step; a reader never waits for them.
pub(super) const SLOW_TIMEOUT: Duration = Duration::from_secs(2);

/// L2 did not answer. Readers go on to the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Away;

/// A node's way to Redis: one multiplexed connection, a hard timeout on every call, and a breaker.
///
/// The first failure opens the breaker: from then on no read waits for Redis. One background task
/// probes it with growing, jittered pauses, replays the invalidations that could not reach it,
/// and only then closes the breaker, so L2 is never trusted with an entry that should be gone.
pub(crate) struct Link {
    client: Client,
    pub(super) timeout: Duration,
    pub(super) bus: Bus,
    pub(super) open: AtomicBool,
    /// Entries stamped before this number of the bus do not count.
    pub(super) floor: AtomicU64,
    state: Mutex<State>,
    pub(super) opened: Notify,
    pub(super) counts: Counts,
    #[cfg(feature = "holds")]
    pub(crate) holds: Holds,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) connection: Option<MultiplexedConnection>,
    /// While what waited is replayed: new invalidations take this way rather than to wait as well,
    /// or whoever goes on invalidating would keep L2 away for ever.
    pub(super) replaying: Option<MultiplexedConnection>,
    pub(super) queue: Queue,
    /// Which connection calls are on; a late failure of an older one opens nothing.
    pub(super) generation: u64,
}

#[derive(Default)]
pub(super) struct Counts {
    opened: Counter,
    errors: Counter,
    timeouts: Counter,
    pub(super) replayed: Counter,
}

impl Link {
    /// A link that has not reached Redis yet: its breaker is open until [`Link::recover`] runs.
    pub(crate) fn new(client: Client, timeout: Duration, bus: Bus) -> Self {
        Self {
            client,
            timeout,
            bus,
            open: AtomicBool::new(true),
            floor: AtomicU64::new(0),
            state: Mutex::default(),
            opened: Notify::new(),
            counts: Counts::default(),
            #[cfg(feature = "holds")]
            holds: Holds::default(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// How long a reader waits for an answer at most.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Whether two calls, for entries and for their tags, would be made and end within this time.
    pub(crate) fn answers_within(&self, time: Duration) -> bool {
        !self.is_open() && self.timeout.saturating_mul(2) <= time
    }

    /// Entries stamped before this number of the bus may come from an older run of Redis.
    pub(crate) fn floor(&self) -> u64 {
        self.floor.load(Ordering::Acquire)
    }

    /// Runs one call within the hard timeout, or not at all while the breaker is open.
    pub(crate) async fn call<T, Fut>(
        &self,
        step: Step,
        call: impl FnOnce(MultiplexedConnection) -> Fut,
    ) -> Result<T, Away>
    where
        Fut: Future<Output = RedisResult<T>>,
    {
        self.call_within(self.timeout, step, call).await
    }

    /// As [`Link::call`], for background work that may take longer.
    pub(super) async fn call_slow<T, Fut>(
        &self,
        step: Step,
        call: impl FnOnce(MultiplexedConnection) -> Fut,
    ) -> Result<T, Away>
    where
        Fut: Future<Output = RedisResult<T>>,
    {
        self.call_within(SLOW_TIMEOUT, step, call).await
    }

    async fn call_within<T, Fut>(
        &self,
        timeout: Duration,
        step: Step,
        call: impl FnOnce(MultiplexedConnection) -> Fut,
    ) -> Result<T, Away>
    where
        Fut: Future<Output = RedisResult<T>>,
    {
        #[cfg(feature = "holds")]
        self.holds.before(step).await;
        let answer = self.call_now(timeout, step, call).await;
        #[cfg(feature = "holds")]
        self.holds.after(step).await;
        answer
    }

    async fn call_now<T, Fut>(
        &self,
        timeout: Duration,
        step: Step,
        call: impl FnOnce(MultiplexedConnection) -> Fut,
    ) -> Result<T, Away>
    where
        Fut: Future<Output = RedisResult<T>>,
    {
        if self.is_open() && !step.is_invalidation() {
            return Err(Away);
        }
        let (connection, generation) = {
            let state = self.state();
            let way = match self.is_open() {
                false => &state.connection,
                true if step.is_invalidation() => &state.replaying,
                true => return Err(Away),
            };
            (way.clone().ok_or(Away)?, state.generation)
        };
        match tokio::time::timeout(timeout, call(connection)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => {
                self.note(&error);
                if is_harmless(&error) {
                    return Err(Away);
                }
            }
            Err(_) => {
                self.counts.timeouts.add(1);
                tracing::debug!(?step, "L2 call timed out");
            }
        }
        let mut state = self.state();
        if generation == state.generation {
            state.replaying = None;
        }
        self.open_breaker(&mut state, generation);
        Err(Away)
    }

    /// Takes note of an error, for the report and the log.
    pub(crate) fn note(&self, error: &RedisError) {
        self.counts.errors.add(1);
        tracing::debug!(%error, "Redis");
    }

    /// Keeps an invalidation until L2 is back, and distrusts L2 until then.
    pub(crate) fn queue(&self, pending: Pending) {
        let mut state = self.state();
        state.queue.push(pending);
        let generation = state.generation;
        self.open_breaker(&mut state, generation);
    }

    fn open_breaker(&self, state: &mut State, generation: u64) {
        if generation != state.generation || self.open.swap(true, Ordering::AcqRel) {
            return;
        }
        state.connection = None;
        self.counts.opened.add(1);
        tracing::warn!("L2 is away: reads go on without it");
        self.opened.notify_one();
    }

    /// A connection of the caller's own, without a response timeout, for blocking commands.
    pub(crate) async fn connect(&self, within: Duration) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(within))
            .set_response_timeout(None);
        in_time(within, self.client.get_multiplexed_async_connection_with_config(&config)).await
    }

    pub(crate) fn report(&self) -> L2Report {
        let state = self.state();
        L2Report {
            configured: true,
            breaker_open: self.is_open(),
            breaker_opened: self.counts.opened.get(),
            errors: self.counts.errors.get(),
            timeouts: self.counts.timeouts.get(),
            queued_invalidations: state.queue.len() as u64,
            replayed_invalidations: self.counts.replayed.get(),
            queue_overflows: state.queue.overflows(),
            ..L2Report::default()
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A command within a time; running out of it is an I/O error like any other.
pub(crate) async fn in_time<T>(
    within: Duration,
    command: impl Future<Output = RedisResult<T>>,
) -> RedisResult<T> {
    match tokio::time::timeout(within, command).await {
        Ok(answer) => answer,
        Err(_) => Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))),
    }
}

/// Redis answered, but not to this one: memory is full, or a key holds something else.
fn is_harmless(error: &RedisError) -> bool {
    matches!(error.code(), Some("OOM" | "WRONGTYPE" | "NOSCRIPT"))
}
