//! How the breaker closes, and how queued invalidations are sent.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult};

use super::queue::{InvalidationQueue, PendingInvalidation};
use crate::connection::answer::{ErrorClass, ErrorReply};
use crate::connection::link::Link;
use crate::connection::redirect::Redirect;
use crate::log::log_safely;

const FIRST_RETRY: Duration = Duration::from_millis(50);

const LAST_RETRY: Duration = Duration::from_secs(2);

impl Link {
    /// Closes the breaker each time Redis is back, and sends waiting invalidations, for ever.
    /// Beside that it keeps the login and the master, also while Redis refuses what waits.
    /// `replay` sends queued invalidations, which share a walk, on the given connection.
    pub(crate) async fn recover<Fut>(
        &self,
        replay: impl Fn(MultiplexedConnection, Vec<PendingInvalidation>) -> Fut,
    ) where
        Fut: Future<Output = RedisResult<()>>,
    {
        tokio::join!(self.send_for_ever(replay), self.keep_login_and_master());
    }

    async fn send_for_ever<Fut>(
        &self,
        replay: impl Fn(MultiplexedConnection, Vec<PendingInvalidation>) -> Fut,
    ) where
        Fut: Future<Output = RedisResult<()>>,
    {
        let mut pause = FIRST_RETRY;
        loop {
            let tried = match self.is_open() {
                true => self.probe(&replay).await,
                false => self.send_waiting(&replay).await,
            };
            if tried.is_ok() && !self.waits() {
                pause = FIRST_RETRY;
                tokio::select! {
                    () = self.opened.notified() => {}
                    () = self.waiting.notified() => {}
                }
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(pause.mul_f64(0.5 + rand::random::<f64>())) => {}
                () = self.opened.notified() => pause = FIRST_RETRY,
            }
            pause = (pause * 2).min(LAST_RETRY);
        }
    }

    async fn keep_login_and_master(&self) {
        loop {
            tokio::select! {
                () = self.renewal_is_due() => self.renew_login().await,
                () = self.master_has_moved() => self.go_to_the_master().await,
            }
        }
    }

    /// Leaves a server that is no master any more, though it answers. The bus follows.
    async fn go_to_the_master(&self) {
        if self.is_open() {
            // The probe asks for the master itself.
            return;
        }
        let generation = self.state().generation;
        if let Err(error) = self.renew(generation).await {
            self.note(&error);
        }
    }

    /// The single half-open probe: connect, notice another run of Redis, replay, close.
    pub(crate) async fn probe<Fut>(
        &self,
        replay: &impl Fn(MultiplexedConnection, Vec<PendingInvalidation>) -> Fut,
    ) -> Result<(), RedisError>
    where
        Fut: Future<Output = RedisResult<()>>,
    {
        let probed = async {
            let handshake = self.handshake().await?;
            self.floor.store(handshake.floor, Ordering::Release);
            let connection = handshake.connection.clone();
            {
                let mut state = self.state();
                state.generation += 1;
                (state.server, state.run_id) = (handshake.server, handshake.run_id);
                state.login = handshake.login;
                self.connector.leads_to(handshake.at);
            }
            let replayed = self.replay_all(connection, replay).await;
            self.state().replaying = None;
            replayed
        };
        let probed = probed.await;
        if let Err(error) = &probed {
            self.note(error);
        }
        probed
    }

    /// Sends invalidations that wait although Redis is there, because they were refused or not
    /// answered. A repeated refusal does not keep the others from being sent.
    async fn send_waiting<Fut>(
        &self,
        replay: &impl Fn(MultiplexedConnection, Vec<PendingInvalidation>) -> Fut,
    ) -> Result<(), RedisError>
    where
        Fut: Future<Output = RedisResult<()>>,
    {
        let (connection, generation) = {
            let state = self.state();
            let Some(connection) = state.connection.clone() else { return Ok(()) };
            (connection, state.generation)
        };
        let Err(error) = self.send_all(&connection, replay).await else { return Ok(()) };
        let answer = ErrorReply::read(&error);
        if answer.verdict == ErrorClass::Lost {
            self.lose(generation, &answer);
            return Err(error);
        }
        self.note(&error);
        if answer.code == "READONLY" || self.connector.follow(&error).is_some() {
            // The address may lead to the new master by now, or the slot is elsewhere.
            let _: RedisResult<_> = self.renew(generation).await;
        }
        Err(error)
    }

    /// Sends each waiting invalidation once. Returns the last refusal. Stops if Redis is lost.
    async fn send_all<Fut>(
        &self,
        connection: &MultiplexedConnection,
        replay: &impl Fn(MultiplexedConnection, Vec<PendingInvalidation>) -> Fut,
    ) -> Result<(), RedisError>
    where
        Fut: Future<Output = RedisResult<()>>,
    {
        let mut refused = Ok(());
        for _ in 0..self.with_queue(|queue| queue.unsettled()) {
            match self.send_next(connection.clone(), replay).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if ErrorReply::read(&error).verdict == ErrorClass::Lost => {
                    return Err(error);
                }
                Err(error) => refused = Err(error),
            }
        }
        refused
    }

    /// Sends the oldest waiting invalidation, and those that share a walk with it. Returns whether
    /// there was one.
    async fn send_next<Fut>(
        &self,
        connection: MultiplexedConnection,
        replay: &impl Fn(MultiplexedConnection, Vec<PendingInvalidation>) -> Fut,
    ) -> Result<bool, RedisError>
    where
        Fut: Future<Output = RedisResult<()>>,
    {
        // Taken out of the queue first, since the same invalidation may be queued again while this
        // one runs.
        let next = self.with_queue(InvalidationQueue::pop);
        if next.is_empty() {
            return Ok(false);
        }
        let n_sent = next.len() as u64;
        // If this ends early, even by a panic, no popped invalidation is lost.
        let unsent = PutBack { link: self };
        if let Err(error) = replay(connection, next).await {
            if ErrorReply::read(&error).verdict != ErrorClass::Lost {
                std::mem::forget(unsent);
                self.with_queue(InvalidationQueue::put_last);
            }
            return Err(error);
        }
        std::mem::forget(unsent);
        self.with_queue(InvalidationQueue::settle);
        self.counts.replayed.add(n_sent);
        Ok(true)
    }

    /// Sends waiting invalidations, and then trusts L2. Those that Redis refuses continue to wait.
    /// Their cache does not read L2; the others do.
    async fn replay_all<Fut>(
        &self,
        connection: MultiplexedConnection,
        replay: &impl Fn(MultiplexedConnection, Vec<PendingInvalidation>) -> Fut,
    ) -> Result<(), RedisError>
    where
        Fut: Future<Output = RedisResult<()>>,
    {
        loop {
            self.state().replaying = Some(connection.clone());
            let refused = match self.send_all(&connection, replay).await {
                Ok(()) => None,
                Err(error) if ErrorReply::read(&error).verdict == ErrorClass::Lost => {
                    return Err(error);
                }
                // Another server is to be asked.
                Err(error) if self.connector.follow(&error) == Some(Redirect::Elsewhere) => {
                    return Err(error);
                }
                Err(error) => Some(error),
            };
            let waiting = if refused.is_some() { Leftover::Stays } else { Leftover::IsSent };
            if self.close(&connection, waiting) {
                return refused.map_or(Ok(()), Err);
            }
        }
    }

    /// Closes the breaker, unless an invalidation was queued meanwhile that may succeed at once.
    fn close(&self, connection: &MultiplexedConnection, waiting: Leftover) -> bool {
        {
            let mut state = self.state();
            if waiting == Leftover::IsSent && state.queue.unsettled() > 0 {
                return false;
            }
            state.connection = Some(connection.clone());
            state.generation += 1;
            self.open.store(false, Ordering::Release);
        }
        self.look_at_login();
        log_safely(|| tracing::info!("L2 is trusted"));
        true
    }
}

/// What happens to waiting invalidations when the breaker closes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leftover {
    IsSent,
    Stays,
}

struct PutBack<'a> {
    link: &'a Link,
}

impl Drop for PutBack<'_> {
    fn drop(&mut self) {
        self.link.with_queue(InvalidationQueue::put_back);
    }
}
