use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult};
use strata_report::{L2Report, ServerKind};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::answer::{Answer, Verdict};
use super::errors::Errors;
use super::failed::Failed;
#[cfg(feature = "holds")]
use super::holds::Holds;
use super::operator::Operator;
use super::pending::{Pending, Queue};
use super::query::{Query, Reply};
use super::step::Step;
use super::timeouts::Timeouts;
use crate::bus::Bus;
use crate::recorder::Counter;
use crate::tasks::log_safely;

/// Scans and replays may take this long a step; a reader never waits for them.
pub(super) const SLOW_TIMEOUT: Duration = Duration::from_secs(2);

/// A longer hard timeout counts as this one: it can be added to an instant.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// The pause before a command is tried again that Redis could not serve for the moment.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(2);

/// A node's way to Redis: one multiplexed connection, a hard timeout on every call, and a breaker.
///
/// Only the loss of Redis opens the breaker: no connection, no answer to a call nor to a ping on
/// another connection, several timeouts in a row, or an answer that says that Redis cannot serve.
/// From then on no read waits for Redis. Every other error is that call's own. One background task
/// probes Redis with growing, jittered pauses, replays the invalidations that could not reach it,
/// and closes the breaker. A cache whose invalidations wait does not read L2, so L2 is never
/// trusted with an entry that should be gone.
pub(crate) struct Link {
    client: Client,
    pub(super) timeout: Duration,
    pub(super) bus: Bus,
    pub(super) open: AtomicBool,
    /// Entries stamped before this number of the bus do not count.
    pub(super) floor: AtomicU64,
    state: Mutex<State>,
    /// How many invalidations wait, so that a read knows without a lock that none does.
    n_waiting: AtomicUsize,
    timeouts: Timeouts,
    pub(super) opened: Notify,
    pub(super) waiting: Notify,
    pub(super) renewing: tokio::sync::Mutex<()>,
    pub(super) operator: Operator,
    errors: Errors,
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
    pub(super) server: Option<ServerKind>,
    /// The run of Redis that the connection leads to; empty where Redis does not tell.
    pub(super) run_id: String,
}

#[derive(Default)]
pub(super) struct Counts {
    opened: Counter,
    errors: Counter,
    timeouts: Counter,
    pub(super) replayed: Counter,
}

/// A connection, and which one it is.
pub(super) type Way = (MultiplexedConnection, u64);

/// Why there is no answer.
enum Silence {
    Error(RedisError),
    /// Redis answers a ping, but not this call.
    Slow,
    /// Redis cannot serve it for the moment, each time that it is asked.
    Busy(RedisError),
    /// Redis answers nothing.
    Gone,
}

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
            operator: Operator::default(),
            errors: Errors::default(),
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

    /// Asks within the hard timeout, or not at all while the breaker is open.
    pub(crate) async fn ask<T: Reply>(&self, step: Step, query: &impl Query) -> Result<T, Failed> {
        #[cfg(feature = "holds")]
        self.holds.before(step).await;
        let answer = self.ask_now(step, query).await;
        #[cfg(feature = "holds")]
        self.holds.after(step).await;
        answer
    }

    async fn ask_now<T: Reply>(&self, step: Step, query: &impl Query) -> Result<T, Failed> {
        let sent = Instant::now();
        let mut way = self.way(step).ok_or(Failed::Away)?;
        let mut silence = match self.answer(&mut way.0, query, sent).await {
            Ok(answer) => return Ok(answer),
            Err(silence) => silence,
        };
        // Redis may have closed a connection that was idle: that costs nobody more than a retry.
        // Without it, what may not be made twice fails alone.
        if let Silence::Error(error) = &silence
            && Answer::read(error).is_disconnect()
            && let Ok(Ok(renewed)) = timeout_at(sent + self.timeout, self.renew(way.1)).await
            && step.may_repeat()
        {
            way = renewed;
            silence = match self.answer(&mut way.0, query, sent).await {
                Ok(answer) => return Ok(answer),
                Err(silence) => silence,
            };
        }
        Err(self.failed(silence, way.1, sent))
    }

    /// The connection for a step, where it may be asked.
    pub(super) fn way(&self, step: Step) -> Option<Way> {
        if self.is_open() && !step.is_invalidation() {
            return None;
        }
        let state = self.state();
        let way = if self.is_open() { &state.replaying } else { &state.connection };
        Some((way.clone()?, state.generation))
    }

    /// The answer within the hard timeout from `sent` on. Where none has come by half of that,
    /// Redis is pinged on another connection: so one slow command is told from a Redis that is gone.
    async fn answer<T: Reply>(
        &self,
        connection: &mut MultiplexedConnection,
        query: &impl Query,
        sent: Instant,
    ) -> Result<T, Silence> {
        let busy = Mutex::new(None);
        let mut asking = pin!(ask_again(connection, query, &busy));
        let half = self.timeout / 2;
        let answer = match timeout_at(sent + half, &mut asking).await {
            Ok(answer) => Some(answer),
            Err(_) => {
                let mut pinging = pin!(self.answers_ping(half));
                let mut pinged = None;
                let deadline = sent + self.timeout;
                let answer = loop {
                    tokio::select! {
                        biased;
                        answer = &mut asking => break Some(answer),
                        is_there = &mut pinging, if pinged.is_none() => pinged = Some(is_there),
                        () = tokio::time::sleep_until(deadline) => break None,
                    }
                };
                if answer.is_none() {
                    let is_there = match pinged {
                        Some(is_there) => is_there,
                        None => pinging.await,
                    };
                    let busy = busy.lock().unwrap_or_else(PoisonError::into_inner).take();
                    return Err(match (is_there, busy) {
                        (false, _) => Silence::Gone,
                        (true, Some(error)) => Silence::Busy(error),
                        (true, None) => Silence::Slow,
                    });
                }
                answer
            }
        };
        self.timeouts.answered();
        answer.map_or(Err(Silence::Slow), |answer| answer.map_err(Silence::Error))
    }

    /// Counts a failure, and opens the breaker where Redis is lost.
    fn failed(&self, silence: Silence, generation: u64, sent: Instant) -> Failed {
        let (answer, is_lost) = match silence {
            Silence::Error(error) => {
                let answer = Answer::read(&error);
                let is_lost = answer.verdict == Verdict::Lost;
                (answer, is_lost)
            }
            Silence::Busy(error) => (Answer::read(&error), false),
            Silence::Slow => {
                let answer = Answer::timed_out("no answer came in time, but one to a ping did");
                (answer, self.timeouts.is_one_too_many(sent))
            }
            Silence::Gone => (Answer::timed_out("no answer came, nor one to a ping"), true),
        };
        let is_timeout = answer.code == "TIMEOUT";
        if is_timeout { &self.counts.timeouts } else { &self.counts.errors }.add(1);
        self.errors.note(&answer);
        if is_lost {
            let mut state = self.state();
            if generation == state.generation {
                state.replaying = None;
            }
            self.open_breaker(state, generation, &answer);
        }
        match answer.verdict {
            Verdict::Lost => Failed::Away,
            Verdict::Refused | Verdict::TryAgain => Failed::Refused(answer),
        }
    }

    /// Takes note of an error, for the report and the log.
    pub(crate) fn note(&self, error: &RedisError) {
        self.counts.errors.add(1);
        self.errors.note(&Answer::read(error));
    }

    /// Keeps an invalidation until Redis takes it. Its cache does not read L2 until then.
    pub(crate) fn queue(&self, pending: Pending) {
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

    pub(super) fn with_queue<T>(&self, act: impl FnOnce(&mut Queue) -> T) -> T {
        let mut state = self.state();
        let done = act(&mut state.queue);
        self.n_waiting.store(state.queue.unsettled(), Ordering::Release);
        done
    }

    fn open_breaker(&self, mut state: MutexGuard<'_, State>, generation: u64, why: &Answer) {
        if generation != state.generation || self.open.swap(true, Ordering::AcqRel) {
            return;
        }
        state.connection = None;
        drop(state);
        self.timeouts.answered();
        self.counts.opened.add(1);
        self.opened.notify_one();
        let (code, message) = (&*why.code, &*why.message);
        log_safely(|| tracing::warn!(code, message, "L2 is away: reads go on without it"));
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
            let (generation, why) = (state.generation, Answer::two_servers());
            self.open_breaker(state, generation, &why);
            self.errors.note(&why);
        }
    }

    /// Opens the breaker where Redis turned out to be lost beside a call.
    pub(super) fn lose(&self, generation: u64, why: &Answer) {
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
    pub(super) fn connect_timeout(&self) -> Duration {
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
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks again while Redis cannot serve the command for the moment; whoever waits sets the end.
async fn ask_again<T: Reply>(
    connection: &mut MultiplexedConnection,
    query: &impl Query,
    busy: &Mutex<Option<RedisError>>,
) -> RedisResult<T> {
    let mut pause = TRY_AGAIN_AFTER;
    loop {
        match query.ask(connection).await {
            Err(error) if Answer::read(&error).verdict == Verdict::TryAgain => {
                *busy.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            answer => return answer,
        }
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
