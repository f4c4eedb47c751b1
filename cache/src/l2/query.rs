use std::future::Future;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, Pipeline, RedisResult, ScriptInvocation};

/// An answer that is yet to be read.
#[cfg(not(feature = "redis"))]
pub(super) type AnyReply = ();
#[cfg(feature = "redis")]
pub(super) use redis::Value as AnyReply;

/// What an answer is read as.
pub(crate) trait Reply: FromRedisValue + Send + Sync {}

impl<T: FromRedisValue + Send + Sync> Reply for T {}

/// What can be asked of Redis in one round trip: a command, several, or a script.
pub(crate) trait Query: Sync {
    /// Asks it.
    fn ask<T: Reply>(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> impl Future<Output = RedisResult<T>> + Send;
}

impl Query for Cmd {
    async fn ask<T: Reply>(&self, connection: &mut MultiplexedConnection) -> RedisResult<T> {
        self.query_async(connection).await
    }
}

impl Query for Pipeline {
    async fn ask<T: Reply>(&self, connection: &mut MultiplexedConnection) -> RedisResult<T> {
        self.query_async(connection).await
    }
}

impl Query for ScriptInvocation<'_> {
    async fn ask<T: Reply>(&self, connection: &mut MultiplexedConnection) -> RedisResult<T> {
        self.invoke_async(connection).await
    }
}
