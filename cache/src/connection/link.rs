//! The link itself: its state, its breaker and what it reports.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult};
use strata_report::{L2Report, ServerKind};
use tokio::sync::Notify;

use super::answer::ErrorReply;
use super::errors::{ErrorCounts, Timeouts};
use super::namespace::Bus;
use super::operator_budget::OperatorConnection;
use super::pending::{InvalidationQueue, PendingInvalidation};
use super::query::Step;
use crate::log::{LogLimit, log_safely};
use crate::recorder::Counter;

#[cfg(feature = "holds")]
use super::holds::Holds;

/// Scans and replays may take this long a step; a reader never waits for them.
pub(crate) const SLOW_TIMEOUT: Duration = Duration::from_secs(2);

/// A longer hard timeout counts as this one: it can be added to an instant.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// A node's link to Redis: one multiplexed connection, a hard timeout on every call, and a breaker.
///
/// Only the loss of Redis opens the breaker: no connection, no answer to a call nor to a ping on
/// another connection, several timeouts in a row, or an answer that says that Redis cannot serve.
/// From then on no read waits for Redis. Every other error is that call's own. One background task
/// probes Redis with growing, jittered pauses, replays the invalidations that could not reach it,
/// and closes the breaker. A cache whose invalidations wait does not read L2, so L2 is never
/// trusted with an entry that should be gone.
pub(crate) struct Link {
    client: Client,
    pub(crate) timeout: Duration,
    pub(crate) bus: Bus,
    pub(crate) open: AtomicBool,
    /// Entries stamped before this number of the bus do not count.
    pub(crate) floor: AtomicU64,
    state: Mutex<State>,
    /// How many invalidations wait, so that a read knows without a lock that none does.
    n_waiting: AtomicUsize,
    pub(crate) timeouts: Timeouts,
    pub(crate) opened: Notify,
    pub(crate) waiting: Notify,
    pub(crate) renewing: tokio::sync::Mutex<()>,
    pub(crate) operator: OperatorConnection,
    pub(crate) errors: ErrorCounts,
    opening_told: LogLimit,
    pub(crate) counts: LinkCounts,
    #[cfg(feature = "holds")]
    pub(crate) holds: Holds,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) connection: Option<MultiplexedConnection>,
    /// Set while queued invalidations are replayed. New invalidations are sent over it rather than
    /// queued as well: otherwise a node that keeps invalidating would keep L2 away for ever.
    pub(crate) replaying: Option<MultiplexedConnection>,
    pub(crate) queue: InvalidationQueue,
    /// Which connection calls are on; a late failure of an older one opens nothing.
    pub(crate) generation: u64,
    pub(crate) server: Option<ServerKind>,
    /// The run of Redis that the connection leads to; empty where Redis does not tell.
    pub(crate) run_id: String,
}

#[derive(Default)]
pub(crate) struct LinkCounts {
    opened: Counter,
    pub(crate) errors: Counter,
    pub(crate) timeouts: Counter,
    pub(crate) replayed: Counter,
}

/// A connection, and which one it is.
pub(crate) type CurrentConnection = (MultiplexedConnection, u64);

impl Link {
    /// A link that has not reached Redis yet: its breaker is open until [`Link::recover`] runs.
    pub(crate) fn new(client: Client, timeout: Duration, bus: Bus) -> Self {
        Self {
            client,
            timeout: timeout.min(LONGEST_TIMEOUT),
            bus,
            open: AtomicBool::new(true),
            floor: AtomicU64::new(0),
            state: Mutex::default(),
            n_waiting: AtomicUsize::new(0),
            timeouts: Timeouts::default(),
            opened: Notify::new(),
            waiting: Notify::new(),
            renewing: tokio::sync::Mutex::default(),
            operator: OperatorConnection::default(),
            errors: ErrorCounts::default(),
            opening_told: LogLimit::new(),
            counts: LinkCounts::default(),
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

    /// The connection for a step, where it may be asked.
    pub(crate) fn connection_for(&self, step: Step) -> Option<CurrentConnection> {
        if self.is_open() && !step.is_invalidation() {
            return None;
        }
        let state = self.state();
        let current = if self.is_open() { &state.replaying } else { &state.connection };
        Some((current.clone()?, state.generation))
    }

    /// Takes note of an error, for the report and the log.
    pub(crate) fn note(&self, error: &RedisError) {
        self.counts.errors.add(1);
        self.errors.note(&ErrorReply::read(error));
    }

    /// Keeps an invalidation until Redis takes it. Its cache does not read L2 until then.
    pub(crate) fn queue(&self, pending: PendingInvalidation) {
        self.with_queue(|queue| queue.push(pending));
        self.waiting.notify_one();
    }

    /// Whether invalidations of a cache wait: what L2 holds of it may be what should be gone.
    pub(crate) fn waits_for(&self, cache: &str) -> bool {
        self.n_waiting.load(Ordering::Acquire) > 0 && self.state().queue.has_any_of(cache)
    }

    /// Whether any invalidation waits.
    pub(crate) fn waits(&self) -> bool {
        self.n_waiting.load(Ordering::Acquire) > 0
    }

    pub(crate) fn with_queue<T>(&self, act: impl FnOnce(&mut InvalidationQueue) -> T) -> T {
        let mut state = self.state();
        let done = act(&mut state.queue);
        self.n_waiting.store(state.queue.unsettled(), Ordering::Release);
        done
    }

    pub(crate) fn open_breaker(
        &self,
        mut state: MutexGuard<'_, State>,
        generation: u64,
        why: &ErrorReply,
    ) {
        if generation != state.generation || self.open.swap(true, Ordering::AcqRel) {
            return;
        }
        state.connection = None;
        drop(state);
        self.timeouts.answered();
        self.counts.opened.add(1);
        self.opened.notify_one();
        let (code, message) = (&*why.code, &*why.message);
        if let Some(times) = self.opening_told.due() {
            log_safely(|| {
                tracing::warn!(code, message, times, "L2 is away: reads go on without it");
            });
        }
    }

    /// Whether the connection leads to another run of Redis than this one, as far as both tell. What
    /// is invalidated over one connection must be what is read over the other, and what the bus
    /// tells of: after a failover by name an older connection may lead to a server that nobody else
    /// asks any more.
    pub(crate) fn leads_elsewhere(&self, run_id: &str) -> bool {
        let state = self.state();
        let is_known = !run_id.is_empty() && !state.run_id.is_empty();
        is_known && !self.is_open() && state.run_id != run_id
    }

    /// Makes the connection anew where a newer one leads to another run of Redis, or to one whose
    /// entries count from a later number on.
    pub(crate) fn lose_the_other_server(&self, run_id: &str, floor: u64) {
        let state = self.state();
        let is_known = !run_id.is_empty() && !state.run_id.is_empty();
        let is_other = is_known && state.run_id != run_id || floor > self.floor();
        if is_other && !self.is_open() {
            let (generation, why) = (state.generation, ErrorReply::two_servers());
            self.open_breaker(state, generation, &why);
            self.errors.note(&why);
        }
    }

    /// Opens the breaker where Redis turned out to be lost beside a call.
    pub(crate) fn lose(&self, generation: u64, why: &ErrorReply) {
        self.errors.note(why);
        self.open_breaker(self.state(), generation, why);
    }

    /// A connection of the caller's own, without a response timeout, for blocking commands.
    pub(crate) async fn connect(&self, within: Duration) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(within))
            .set_response_timeout(None);
        in_time(within, self.client.get_multiplexed_async_connection_with_config(&config)).await
    }

    /// How long a connection may take.
    pub(crate) fn connect_timeout(&self) -> Duration {
        self.timeout.max(Duration::from_millis(250))
    }

    pub(crate) fn report(&self) -> L2Report {
        let is_away = self.is_open();
        let last_error = self.errors.last(is_away);
        let state = self.state();
        L2Report {
            configured: true,
            breaker_open: is_away,
            breaker_opened: self.counts.opened.get(),
            errors: self.counts.errors.get(),
            timeouts: self.counts.timeouts.get(),
            queued_invalidations: state.queue.unsettled() as u64,
            replayed_invalidations: self.counts.replayed.get(),
            queue_overflows: state.queue.overflows(),
            errors_by_code: self.errors.by_code(),
            last_error,
            server: state.server.clone(),
            ..L2Report::default()
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
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
