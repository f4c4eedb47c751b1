use std::future::Future;
use std::io;

use redis::aio::MultiplexedConnection;
use redis::{
    Cmd, FromRedisValue, Pipeline, RedisError, RedisResult, ScriptInvocation, from_redis_value_ref,
};

/// An answer that is yet to be read.
#[cfg(not(feature = "redis"))]
pub(super) type AnyReply = ();
#[cfg(feature = "redis")]
pub(super) use redis::Value as AnyReply;

/// What an answer is read as.
pub(crate) trait Reply: FromRedisValue + Send + Sync {}

impl<T: FromRedisValue + Send + Sync> Reply for T {}

/// The answers to a pipeline whose commands spoil none of the others, in turn.
pub(crate) struct Answers(std::vec::IntoIter<RedisResult<AnyReply>>);

impl Answers {
    pub(crate) async fn to(
        pipeline: &mut Pipeline,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<Self> {
        let answers: Vec<_> = pipeline.ignore_errors().query_async(connection).await?;
        Ok(Self(answers.into_iter()))
    }

    /// The next one.
    pub(crate) fn next<T: FromRedisValue>(&mut self) -> RedisResult<T> {
        let missing = || RedisError::from(io::Error::from(io::ErrorKind::UnexpectedEof));
        Ok(from_redis_value_ref(&self.0.next().ok_or_else(missing)??)?)
    }
}

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
