//! What can be asked of Redis in one round trip, and the names of those round trips.

use std::future::Future;
use std::io;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{
    Cmd, FromRedisValue, Pipeline, RedisError, RedisResult, ScriptInvocation, from_redis_value_ref,
};

#[cfg(feature = "redis")]
pub(crate) use redis::Value as AnyReply;

/// An answer that has not been parsed yet.
#[cfg(not(feature = "redis"))]
pub(crate) type AnyReply = ();

/// A type that an answer can be parsed as.
pub(crate) trait Reply: FromRedisValue + Send + Sync {}

impl<T: FromRedisValue + Send + Sync> Reply for T {}

/// The answers to a pipeline, in order. An error of one command does not affect the others.
pub(crate) struct PipelineReplies(std::vec::IntoIter<RedisResult<AnyReply>>);

impl PipelineReplies {
    pub(crate) async fn to(
        pipeline: &mut Pipeline,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<Self> {
        let answers: Vec<_> = pipeline.ignore_errors().query_async(connection).await?;
        Ok(Self(answers.into_iter()))
    }

    /// The next answer.
    pub(crate) fn next<T: FromRedisValue>(&mut self) -> RedisResult<T> {
        let missing = || RedisError::from(io::Error::from(io::ErrorKind::UnexpectedEof));
        Ok(from_redis_value_ref(&self.0.next().ok_or_else(missing)??)?)
    }
}

/// What can be asked of Redis in one round trip: a command, several, or a script.
pub(crate) trait Query: Sync {
    /// Sends it and parses the answer.
    fn ask<T: Reply>(
        &self,
        connection: &mut (impl ConnectionLike + Send),
    ) -> impl Future<Output = RedisResult<T>> + Send;
}

impl Query for Cmd {
    async fn ask<T: Reply>(&self, connection: &mut (impl ConnectionLike + Send)) -> RedisResult<T> {
        self.query_async(connection).await
    }
}

impl Query for Pipeline {
    async fn ask<T: Reply>(&self, connection: &mut (impl ConnectionLike + Send)) -> RedisResult<T> {
        self.query_async(connection).await
    }
}

impl Query for ScriptInvocation<'_> {
    async fn ask<T: Reply>(&self, connection: &mut (impl ConnectionLike + Send)) -> RedisResult<T> {
        self.invoke_async(connection).await
    }
}

/// One round trip to Redis, as logs and tests name it.
#[cfg_attr(not(feature = "holds"), expect(unreachable_pub, reason = "public for tests alone"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Reads entries.
    Get,
    /// Asks when tags were invalidated.
    Tags,
    /// Takes the leases of a load.
    Acquire,
    /// Checks whether other nodes still hold the leases that are waited for.
    WaitForLeases,
    /// Keeps leases while a load runs.
    Renew,
    /// Replaces an unusable entry by a lease.
    Claim,
    /// Writes loaded entries.
    Commit,
    /// Gives leases back.
    Release,
    /// Takes the lease of a write.
    Seize,
    /// Writes the entry of a write.
    Replace,
    /// Removes keys and announces it.
    Remove,
    /// Marks a key as stale and announces it.
    MarkStale,
    /// Invalidates a tag and announces it.
    InvalidateTag,
    /// Removes some of the entries that match a pattern.
    RemoveSome,
    /// Announces that matching entries are gone.
    Announce,
    /// Shows that invalidations can be written.
    Prove,
    /// Looks at keys or at Redis itself.
    Inspect,
    /// Serves a write-behind.
    WriteBehind,
    /// Serves a hash, a list or a counter.
    Structure,
    /// Shows the node to consoles elsewhere, or answers them.
    #[cfg(feature = "fleet")]
    Fleet,
}

impl Step {
    /// Whether a call may be repeated. If its first answer was lost, the call may already have
    /// taken effect.
    pub(crate) fn may_repeat(self) -> bool {
        matches!(self, Self::Get | Self::Tags | Self::Prove | Self::WaitForLeases)
            || self.is_invalidation()
    }

    /// Whether it removes something that may no longer be read.
    pub(crate) fn is_invalidation(self) -> bool {
        matches!(
            self,
            Self::Remove
                | Self::MarkStale
                | Self::InvalidateTag
                | Self::RemoveSome
                | Self::Announce
        )
    }
}
