//! Connections that all readers use are read on the runtime that the node belongs to, whoever needs
//! them first. Another runtime may be slow, or end.

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use tokio::runtime::{Handle, Id};
use tokio_util::task::AbortOnDropHandle;

use super::link::Link;
#[cfg(not(feature = "redis"))]
use super::no_redis::Server;
#[cfg(feature = "redis")]
use super::servers::Server;

impl Link {
    /// As [`connect`](Self::connect), for a connection that all use.
    pub(super) async fn connect_at_home(
        &self,
        within: Duration,
    ) -> RedisResult<MultiplexedConnection> {
        let (connector, key) = (Arc::clone(&self.connector), self.bus.sequence().to_owned());
        let opened = self.at_home(async move { connector.connect(&key, within).await }).await;
        match opened {
            Some(opened) => opened,
            None => self.connect(within).await,
        }
    }

    /// The same, to this server.
    pub(super) async fn connect_to_at_home(
        &self,
        server: &Server,
        within: Duration,
    ) -> RedisResult<MultiplexedConnection> {
        let (connector, to) = (Arc::clone(&self.connector), server.clone());
        match self.at_home(async move { connector.connect_to(&to, within).await }).await {
            Some(opened) => opened,
            None => self.connector.connect_to(server, within).await,
        }
    }

    /// Does the work on the runtime that the node belongs to. `None` if that is this one, or is gone.
    async fn at_home<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let home = self.home.as_ref().filter(|home| runtime() != Some(home.id()))?;
        match AbortOnDropHandle::new(home.spawn(work)).await {
            Ok(done) => Some(done),
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(_) => None,
        }
    }
}

/// The runtime that this runs on.
pub(super) fn runtime() -> Option<Id> {
    Handle::try_current().ok().map(|runtime| runtime.id())
}
