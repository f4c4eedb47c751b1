//! Commands that another server is to run: the slot of a cluster is elsewhere or on its way, or the
//! server is no master any more.

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult};
use tokio::time::{Instant, timeout_at};

use super::answer::{ErrorClass, ErrorReply};
use super::link::{CurrentConnection, Link, SLOW_TIMEOUT, in_time};
#[cfg(not(feature = "redis"))]
use super::no_redis::{Asking, Server};
use super::query::{Query, Reply};
#[cfg(feature = "redis")]
use super::servers::Asking;
#[cfg(feature = "redis")]
use super::servers::Server;
use crate::user_code::BoxFuture;

/// Where a server sends a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Redirect {
    /// Another server is the one to use by now. The command was not run.
    Elsewhere,
    /// The slot is being moved there: this command alone is for that server.
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "only Redis says so"))]
    Ask(Server),
}

/// A connection to the server that a slot is being moved to.
#[derive(Default)]
pub(crate) struct RedirectedConnection {
    open: tokio::sync::Mutex<Option<(Server, MultiplexedConnection)>>,
}

impl Link {
    /// Asks the server that the slot is being moved to.
    pub(super) async fn ask_at<T: Reply>(
        &self,
        server: &Server,
        query: &impl Query,
    ) -> RedisResult<T> {
        let asked = async {
            let mut connection = self.redirected(server).await?;
            query.ask(&mut Asking(&mut connection)).await
        };
        let answer = in_time(SLOW_TIMEOUT, asked).await;
        if let Err(error) = &answer
            && ErrorReply::read(error).verdict == ErrorClass::Lost
        {
            *self.redirected.open.lock().await = None;
        }
        answer
    }

    async fn redirected(&self, server: &Server) -> RedisResult<MultiplexedConnection> {
        let mut open = self.redirected.open.lock().await;
        match &*open {
            Some((to, connection)) if to == server => Ok(connection.clone()),
            _ => {
                let within = self.connect_timeout();
                let connecting: BoxFuture<'_, _> =
                    Box::pin(self.connect_to_at_home(server, within));
                let connection = connecting.await?;
                Ok(open.insert((server.clone(), connection)).1.clone())
            }
        }
    }

    /// A connection to the server that is the one to use now, by the end of the hard timeout. An
    /// error that says that there is none loses Redis.
    pub(super) async fn moved_on(
        &self,
        generation: u64,
        sent: Instant,
    ) -> RedisResult<CurrentConnection> {
        match timeout_at(sent + self.timeout, self.renew(generation)).await {
            Ok(renewed) => renewed,
            Err(_) => Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))),
        }
    }
}
