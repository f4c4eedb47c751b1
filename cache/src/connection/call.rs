//! How one call waits for its answer, and what a missing answer means.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult};
use tokio::time::{Instant, timeout_at};

use super::answer::{CallError, ErrorClass, ErrorReply};
use super::link::{CurrentConnection, Link};
use super::query::{Query, Reply, Step};
use super::redirect::Redirect;
use crate::user_code::BoxFuture;

/// The pause before a command that Redis could not serve for the moment is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(2);

/// So often one call is sent to another server.
const MAX_REDIRECTS: usize = 3;

/// Why a call has no answer.
enum NoAnswer {
    Error(RedisError),
    /// Redis answers a ping, but not this call.
    Slow,
    /// Redis could not serve the call for the moment, at every attempt.
    Busy(RedisError),
    /// Redis answers nothing.
    Gone,
}

impl NoAnswer {
    /// For a call that ran out of time: whether Redis answered a ping, and its answer to the call.
    fn of(is_there: bool, busy: Option<RedisError>) -> Self {
        match (is_there, busy) {
            (false, _) => Self::Gone,
            (true, Some(error)) => Self::Busy(error),
            (true, None) => Self::Slow,
        }
    }
}

impl Link {
    /// Asks within the hard timeout. Does not ask while the breaker is open.
    pub(crate) async fn ask<T: Reply>(
        &self,
        step: Step,
        query: &impl Query,
    ) -> Result<T, CallError> {
        #[cfg(feature = "holds")]
        self.holds.before(step).await;
        let answer = self.ask_now(step, query).await;
        #[cfg(feature = "holds")]
        self.holds.after(step).await;
        answer
    }

    async fn ask_now<T: Reply>(&self, step: Step, query: &impl Query) -> Result<T, CallError> {
        let sent = Instant::now();
        let mut current = self.connection_for(step).ok_or(CallError::Away)?;
        let mut silence = match self.answer(&mut current.0, query, sent).await {
            Ok(answer) => return Ok(answer),
            Err(silence) => silence,
        };
        for _ in 0..MAX_REDIRECTS {
            let Some(redirect) = self.redirect(&silence, step) else { break };
            let going: BoxFuture<'_, Result<T, NoAnswer>> =
                Box::pin(self.go(redirect, (&mut current, sent), query));
            silence = match going.await {
                Ok(answer) => return Ok(answer),
                Err(silence) => silence,
            };
        }
        // Redis may have closed an idle connection, which costs only a retry. If there is no new
        // connection, a call that may not be repeated fails alone.
        if let NoAnswer::Error(error) = &silence
            && ErrorReply::read(error).is_disconnect()
            && let Ok(Ok(renewed)) = timeout_at(sent + self.timeout, self.renew(current.1)).await
            && step.may_repeat()
        {
            current = renewed;
            silence = match self.answer(&mut current.0, query, sent).await {
                Ok(answer) => return Ok(answer),
                Err(silence) => silence,
            };
        }
        Err(self.failed(silence, current.1, sent))
    }

    /// Where the server sends the command, if it may be run again.
    fn redirect(&self, silence: &NoAnswer, step: Step) -> Option<Redirect> {
        let NoAnswer::Error(error) = silence else { return None };
        let redirect = self.connector.follow(error)?;
        // Of several commands some may have been run.
        (error.code().is_some() || step.may_repeat()).then_some(redirect)
    }

    /// Asks another server, which is the one to use from now on, or for this command alone. Where
    /// there is none, Redis is lost.
    async fn go<T: Reply>(
        &self,
        redirect: Redirect,
        (current, sent): (&mut CurrentConnection, Instant),
        query: &impl Query,
    ) -> Result<T, NoAnswer> {
        match redirect {
            Redirect::Elsewhere => {
                *current = self.moved_on(current.1, sent).await.map_err(NoAnswer::Error)?;
                self.answer(&mut current.0, query, sent).await
            }
            Redirect::Ask(server) => {
                match timeout_at(sent + self.timeout, self.ask_at(&server, query)).await {
                    Ok(answer) => answer.map_err(|error| match ErrorReply::read(&error).verdict {
                        // The server that has the slot is there.
                        ErrorClass::Lost | ErrorClass::TryAgain => NoAnswer::Busy(error),
                        ErrorClass::Refused => NoAnswer::Error(error),
                    }),
                    Err(_) => Err(NoAnswer::Slow),
                }
            }
        }
    }

    /// The answer within the hard timeout from `sent` on. If none has arrived after half of it,
    /// Redis is pinged on another connection, to tell one slow command from a lost Redis.
    async fn answer<T: Reply>(
        &self,
        connection: &mut MultiplexedConnection,
        query: &impl Query,
        sent: Instant,
    ) -> Result<T, NoAnswer> {
        let (busy, half) = (Mutex::new(None), self.timeout / 2);
        let mut asking = pin!(ask_again(connection, query, &busy));
        let answer = match timeout_at(sent + half, &mut asking).await {
            Ok(answer) => answer,
            Err(_) => {
                let late = timeout_at(sent + self.timeout, asking);
                match or_ping(late, self.answers_ping(half)).await {
                    Ok(answer) => answer,
                    Err(is_there) => {
                        let busy = busy.lock().unwrap_or_else(PoisonError::into_inner).take();
                        return Err(NoAnswer::of(is_there, busy));
                    }
                }
            }
        };
        self.timeouts.answered();
        answer.map_err(NoAnswer::Error)
    }

    /// Counts a failure, and opens the breaker if Redis is lost.
    fn failed(&self, silence: NoAnswer, generation: u64, sent: Instant) -> CallError {
        let (answer, is_lost) = match silence {
            NoAnswer::Error(error) => {
                let answer = ErrorReply::read(&error);
                let is_lost = answer.verdict == ErrorClass::Lost;
                (answer, is_lost)
            }
            NoAnswer::Busy(error) => (ErrorReply::read(&error), false),
            NoAnswer::Slow => {
                let answer = ErrorReply::timed_out("no answer came in time, but one to a ping did");
                (answer, self.timeouts.is_one_too_many(sent))
            }
            NoAnswer::Gone => (ErrorReply::timed_out("no answer came, nor one to a ping"), true),
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
            ErrorClass::Lost => CallError::Away,
            ErrorClass::Refused | ErrorClass::TryAgain => CallError::Refused(answer),
        }
    }
}

/// The late answer or, if none arrives in time, whether Redis answered a ping meanwhile.
async fn or_ping<T, E>(
    late: impl Future<Output = Result<T, E>>,
    ping: impl Future<Output = bool>,
) -> Result<T, bool> {
    let (mut late, mut ping) = (pin!(late), pin!(ping));
    tokio::select! {
        biased;
        answer = &mut late => match answer {
            Ok(answer) => Ok(answer),
            Err(_) => Err(ping.await),
        },
        is_there = &mut ping => late.await.map_err(|_| is_there),
    }
}

/// Asks again while Redis cannot serve the command for the moment. The caller sets the time limit.
async fn ask_again<T: Reply>(
    connection: &mut MultiplexedConnection,
    query: &impl Query,
    busy: &Mutex<Option<RedisError>>,
) -> RedisResult<T> {
    let mut pause = TRY_AGAIN_AFTER;
    loop {
        match query.ask(connection).await {
            Err(error) if ErrorReply::read(&error).verdict == ErrorClass::TryAgain => {
                *busy.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            answer => return answer,
        }
    }
}
