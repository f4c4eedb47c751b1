//! Operators' requests use connections of their own, so they can neither open the breaker nor delay
//! a read.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisError, RedisResult, cmd};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::budget::{OpenConnection, OperatorConnection};
use crate::connection::answer::{CallError, ErrorClass, ErrorReply};
use crate::connection::handshake::run_id;
use crate::connection::home::runtime;
use crate::connection::link::{Link, SLOW_TIMEOUT, in_time};
use crate::connection::query::{AnyReply, Query, Reply, Step};
use crate::connection::redirect::Redirect;

/// The next cursor of a SCAN, and the keys of this step.
pub(crate) type ScanStep = (u64, Vec<Vec<u8>>);

impl Link {
    /// Asks for an operator, within a separate deadline. Not while Redis is lost.
    pub(crate) async fn inspect<T: Reply>(&self, query: &impl Query) -> Result<T, CallError> {
        let asking = |mut connection| async move {
            let asked = query.ask(&mut connection).await;
            match asked.as_ref().err().and_then(|error| self.connector.follow(error)) {
                Some(Redirect::Ask(server)) => self.ask_at(&server, query).await,
                Some(Redirect::Elsewhere) | None => asked,
            }
        };
        match self.operate(Step::Inspect, asking).await {
            Err(error) if error.is_moved() && self.connector.may_move() => {
                self.operate(Step::Inspect, asking).await
            }
            answer => answer,
        }
    }

    /// As [`inspect`](Self::inspect), for one step of a walk. Rests first if walks have used up
    /// their share of Redis's time.
    pub(crate) async fn walk_step<T: Reply>(&self, query: &impl Query) -> Result<T, CallError> {
        self.rest().await;
        let began = Instant::now();
        let answer = self.inspect(query).await;
        self.operator().budget(|budget| budget.spend(Instant::now(), began.elapsed()));
        answer
    }

    /// As [`walk_step`](Self::walk_step), for a SCAN from this cursor. Where the keys have moved to
    /// another server, the walk begins again there.
    pub(crate) async fn walk_on(
        &self,
        cursor: u64,
        scan: impl Fn(u64) -> Cmd,
    ) -> Result<ScanStep, CallError> {
        self.rest().await;
        let began = Instant::now();
        let scanning = |cursor| {
            let scan = scan(cursor);
            move |mut connection| async move { self.scan(&mut connection, &scan).await }
        };
        let mut answer = self.operate(Step::Inspect, scanning(cursor)).await;
        if answer.as_ref().err().is_some_and(|error| error.is_moved() && self.connector.may_move())
        {
            answer = self.operate(Step::Inspect, scanning(0)).await;
        }
        self.operator().budget(|budget| budget.spend(Instant::now(), began.elapsed()));
        answer
    }

    async fn rest(&self) {
        let rest = self.operator().budget(|budget| budget.rest(Instant::now()));
        if !rest.is_zero() {
            tokio::time::sleep(rest).await;
        }
    }

    /// One SCAN. In a cluster it also makes sure that the server still has the keys: SCAN itself
    /// would find none, and not say so.
    pub(crate) async fn scan(
        &self,
        connection: &mut MultiplexedConnection,
        scan: &Cmd,
    ) -> RedisResult<ScanStep> {
        let found = scan.query_async(connection).await?;
        if self.connector.is_cluster() {
            let mut own = cmd("GET");
            own.arg(self.bus.sequence());
            let owns: RedisResult<AnyReply> = own.query_async(connection).await;
            if let Err(error) = owns
                && self.connector.follow(&error) == Some(Redirect::Elsewhere)
            {
                return Err(error);
            }
        }
        Ok(found)
    }

    /// Asks about a key that is not of the namespace, for which no read waits. In a cluster another
    /// server may have it.
    #[cfg(feature = "fleet")]
    pub(crate) async fn ask_beside<T: Reply>(
        &self,
        key: &str,
        query: &impl Query,
    ) -> Result<T, CallError> {
        if !self.connector.is_cluster() {
            return self.inspect(query).await;
        }
        if self.is_open() {
            return Err(CallError::Away);
        }
        let asking = async {
            let within = self.connect_timeout();
            let connecting: crate::user_code::BoxFuture<'_, _> =
                Box::pin(self.connector.connect_beside(key, within));
            let mut connection = connecting.await?;
            query.ask(&mut connection).await
        };
        in_time(SLOW_TIMEOUT, asking).await.map_err(|error| CallError::of(&error))
    }

    /// Runs several commands in a row on the operator's connection, within one deadline.
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
        // During a replay, this invalidation uses the replay's connection, as all do.
        if let Some((connection, _)) = self.connection_for(step).filter(|_| self.is_open()) {
            let answer = in_time(SLOW_TIMEOUT, work(connection)).await;
            return answer.map_err(|error| CallError::of(&error));
        }
        if self.is_open() {
            return Err(CallError::Away);
        }
        let operator = self.operator();
        let open = self.opened(&operator).await.map_err(|error| CallError::of(&error))?;
        let answer = in_time(operator.patience, work(open.connection)).await;
        let failed = answer.as_ref().err().map(CallError::of);
        if failed == Some(CallError::Away) {
            operator.close(open.generation).await;
        }
        if let Err(error) = &answer
            && self.connector.follow(error) == Some(Redirect::Elsewhere)
        {
            // All connections go there. Where it fails, the next call of a reader finds out.
            let _: RedisResult<_> = in_time(SLOW_TIMEOUT, self.renew(open.generation)).await;
        }
        answer.map_err(|error| CallError::of(&error))
    }

    /// Whether Redis answers anything within this time, on another connection than the one whose
    /// answer is late.
    pub(crate) async fn answers_ping(&self, within: Duration) -> bool {
        let pinging = async {
            // A connection that Redis had closed while it was idle proves nothing, so this tries
            // twice.
            self.ping().await || self.ping().await
        };
        tokio::time::timeout(within, pinging).await.unwrap_or(false)
    }

    async fn ping(&self) -> bool {
        let open = self.operators.here.open.lock().await.clone();
        let generation = open.as_ref().map(|open| open.generation);
        let connection = match open {
            Some(open) => Ok(open.connection),
            // This connection serves only the ping, so a short response timeout is safe.
            None => self.connect(self.connect_timeout()).await,
        };
        let pinged = match connection {
            Ok(mut connection) => cmd("PING").query_async::<String>(&mut connection).await,
            Err(error) => Err(error),
        };
        // An error reply is an answer too.
        let is_lost = |error: RedisError| ErrorReply::read(&error).verdict == ErrorClass::Lost;
        let answers = !pinged.err().is_some_and(is_lost);
        if let Some(generation) = generation.filter(|_| !answers) {
            self.operators.here.close(generation).await;
        }
        answers
    }

    /// The connection for whoever asks now.
    fn operator(&self) -> Arc<OperatorConnection> {
        match runtime() == self.home.as_ref().map(Handle::id) {
            true => Arc::clone(&self.operators.here),
            false => self.operators.elsewhere.connection(),
        }
    }

    async fn opened(&self, operator: &OperatorConnection) -> RedisResult<OpenConnection> {
        let mut open = operator.open.lock().await;
        let (generation, login) = (self.state().generation, self.login_version());
        let runtime = runtime();
        let is_current = |open: &OpenConnection| {
            (open.generation, open.login, open.runtime) == (generation, login, runtime)
        };
        match &*open {
            Some(open) if is_current(open) => Ok(open.clone()),
            _ => {
                // Threads of the runtime that opens a connection read its answers.
                let within = self.connect_timeout().max(operator.connects_within);
                let mut connection = self.connect(within).await?;
                let _: String = in_time(within, cmd("PING").query_async(&mut connection)).await?;
                let here = in_time(within, run_id(&mut connection)).await?;
                if self.leads_elsewhere(&here) {
                    self.lose_the_other_server(&here, 0);
                    return Err(io::Error::from(io::ErrorKind::ConnectionAborted).into());
                }
                Ok(open.insert(OpenConnection { connection, generation, login, runtime }).clone())
            }
        }
    }
}
