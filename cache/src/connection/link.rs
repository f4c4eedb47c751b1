//! The link to Redis: its state, its breaker and its report.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult};
use strata_report::{L2Report, ServerKind};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::Connector;
use super::answer::ErrorReply;
use super::errors::{ErrorCounts, Timeouts};
use super::namespace::Bus;
use super::operators::OperatorConnections;
use super::pending::{InvalidationQueue, PendingInvalidation};
use super::query::Step;
use super::redirect::RedirectedConnection;
use crate::log::{LogLimit, log_safely};
use crate::recorder::Counter;
use crate::user_code::BoxFuture;

#[cfg(feature = "holds")]
use super::holds::Holds;

/// Each step of a scan or replay may take this long. Readers never wait for them.
pub(crate) const SLOW_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest hard timeout, which can still be added to an instant.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// A node's link to Redis: one multiplexed connection, a hard timeout on every call, and a breaker.
///
/// Only the loss of Redis opens the breaker: no connection, no answer to a call nor to a ping on
/// another connection, several timeouts in a row, or an answer that says that Redis cannot serve.
/// From then on no read waits for Redis. Every other error concerns only its own call. One
/// background task probes Redis with growing, jittered pauses, replays the invalidations that could
/// not reach it, and closes the breaker. A cache does not read L2 while its invalidations wait, so
/// it never uses an L2 entry that should have been removed.
pub(crate) struct Link {
    pub(crate) connector: Arc<Connector>,
    pub(crate) timeout: Duration,
    pub(crate) bus: Bus,
    pub(crate) open: AtomicBool,
    /// Entries stamped before this number of the bus do not count.
    pub(crate) floor: AtomicU64,
    state: Mutex<State>,
    /// How many invalidations wait. Without it, each read would take a lock to find out.
    n_waiting: AtomicUsize,
    pub(crate) timeouts: Timeouts,
    pub(crate) opened: Notify,
    pub(crate) waiting: Notify,
    pub(crate) renewing: tokio::sync::Mutex<()>,
    pub(crate) operators: OperatorConnections,
    /// The runtime that the node belongs to.
    pub(super) home: Option<Handle>,
    pub(crate) redirected: RedirectedConnection,
    pub(crate) errors: ErrorCounts,
    opening_told: LogLimit,
    pub(crate) counts: LinkCounts,
    #[cfg(feature = "holds")]
    pub(crate) holds: Holds,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) connection: Option<MultiplexedConnection>,
    /// Set while queued invalidations are replayed. New invalidations are then sent over it rather
    /// than queued. Otherwise a node that keeps invalidating would never read L2 again.
    pub(crate) replaying: Option<MultiplexedConnection>,
    pub(crate) queue: InvalidationQueue,
    /// The number of the current connection. A late failure of an older one does not open the
    /// breaker.
    pub(crate) generation: u64,
    pub(crate) server: Option<ServerKind>,
    /// The run of Redis that the connection leads to. Empty if Redis does not report one.
    pub(crate) run_id: String,
    /// The version of the login that counts on the current connection.
    pub(crate) login: u64,
}

#[derive(Default)]
pub(crate) struct LinkCounts {
    opened: Counter,
    pub(crate) errors: Counter,
    pub(crate) timeouts: Counter,
    pub(crate) replayed: Counter,
}

/// A connection and its generation.
pub(crate) type CurrentConnection = (MultiplexedConnection, u64);

impl Link {
    /// A link that has not reached Redis yet. Its breaker is open until [`Link::recover`] runs.
    pub(crate) fn new(connector: Connector, timeout: Duration, bus: Bus) -> Self {
        Self {
            connector: Arc::new(connector),
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
            operators: OperatorConnections::default(),
            home: Handle::try_current().ok(),
            redirected: RedirectedConnection::default(),
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

    /// The longest time that a reader waits for an answer.
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

    /// The connection for a step. `None` if the step may not be sent now.
    pub(crate) fn connection_for(&self, step: Step) -> Option<CurrentConnection> {
        if self.is_open() && !step.is_invalidation() {
            return None;
        }
        let state = self.state();
        let current = if self.is_open() { &state.replaying } else { &state.connection };
        Some((current.clone()?, state.generation))
    }

    /// Records an error for the report and the log.
    pub(crate) fn note(&self, error: &RedisError) {
        self.counts.errors.add(1);
        self.errors.note(&ErrorReply::read(error));
    }

    /// Queues an invalidation until Redis accepts it. Its cache does not read L2 until then.
    pub(crate) fn queue(&self, pending: PendingInvalidation) {
        self.with_queue(|queue| queue.push(pending));
        self.waiting.notify_one();
    }

    /// Whether invalidations of a cache wait. L2 may then hold entries that should have been
    /// removed.
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

    /// Whether the connection leads to another run of Redis than this one, as far as both are
    /// known. The connections for L2 and for the bus must reach the same server. After a failover
    /// by name, an older connection may lead to a server that other nodes no longer use.
    pub(crate) fn leads_elsewhere(&self, run_id: &str) -> bool {
        let state = self.state();
        let is_known = !run_id.is_empty() && !state.run_id.is_empty();
        is_known && !self.is_open() && state.run_id != run_id
    }

    /// Replaces the connection if a newer one leads to another run of Redis, or to a server whose
    /// entries count only from a later number.
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

    /// Opens the breaker if Redis turned out to be lost outside of a call.
    pub(crate) fn lose(&self, generation: u64, why: &ErrorReply) {
        self.errors.note(why);
        self.open_breaker(self.state(), generation, why);
    }

    /// A separate connection without a response timeout, for blocking commands. It leads to the
    /// server that the namespace is on now. Each step of finding it may take so long.
    pub(crate) fn connect(
        &self,
        within: Duration,
    ) -> BoxFuture<'_, RedisResult<MultiplexedConnection>> {
        // Boxed, since all calls hold it for the rare case that they need a new connection.
        Box::pin(self.connector.connect(self.bus.sequence(), within))
    }

    /// The longest time for connecting.
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

/// Limits the time of a command. A timeout is an I/O error like any other.
pub(crate) async fn in_time<T>(
    within: Duration,
    command: impl Future<Output = RedisResult<T>>,
) -> RedisResult<T> {
    match tokio::time::timeout(within, command).await {
        Ok(answer) => answer,
        Err(_) => Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))),
    }
}
