//! Stand-in for the `redis` crate if the feature `redis` is off. It has the same names and a client
//! that cannot be opened, so the code that talks to Redis compiles and never runs. L2, the bus and
//! the durable write-behind use it.

pub(crate) mod aio {
    /// Never exists.
    #[derive(Clone)]
    pub(crate) struct MultiplexedConnection(());
}

use redis::aio::MultiplexedConnection;

/// Opening a client is refused.
pub(crate) struct Client(());

/// Redis is not built in.
#[derive(Debug, thiserror::Error)]
#[error("the feature `redis` is off")]
pub struct RedisError;

pub(crate) type RedisResult<T> = Result<T, RedisError>;

pub(crate) trait FromRedisValue {}

impl<T> FromRedisValue for T {}

impl Client {
    pub(crate) fn open(_: String) -> RedisResult<Self> {
        Err(RedisError)
    }

    pub(crate) async fn get_multiplexed_async_connection_with_config(
        &self,
        _: &AsyncConnectionConfig,
    ) -> RedisResult<MultiplexedConnection> {
        Err(RedisError)
    }
}

impl From<std::io::Error> for RedisError {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

pub(crate) struct AsyncConnectionConfig;

impl AsyncConnectionConfig {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn set_connection_timeout(self, _: Option<std::time::Duration>) -> Self {
        self
    }

    pub(crate) fn set_response_timeout(self, _: Option<std::time::Duration>) -> Self {
        self
    }
}

/// One or several commands, which are never sent.
#[derive(Clone)]
pub(crate) struct Cmd;

pub(crate) fn cmd(_: &str) -> Cmd {
    Cmd
}

pub(crate) struct Pipeline;

pub(crate) fn pipe() -> Pipeline {
    Pipeline
}

pub(crate) fn from_redis_value_ref<T>(_: &()) -> RedisResult<T> {
    Err(RedisError)
}

impl Cmd {
    pub(crate) fn arg<T>(&mut self, _: T) -> &mut Self {
        self
    }

    pub(crate) async fn query_async<T>(&self, _: &mut MultiplexedConnection) -> RedisResult<T> {
        Err(RedisError)
    }
}

impl Pipeline {
    pub(crate) fn arg<T>(&mut self, _: T) -> &mut Self {
        self
    }

    pub(crate) fn cmd(&mut self, _: &str) -> &mut Self {
        self
    }

    pub(crate) fn get<T>(&mut self, _: T) -> &mut Self {
        self
    }

    pub(crate) fn ignore(&mut self) -> &mut Self {
        self
    }

    pub(crate) fn ignore_errors(&mut self) -> &mut Self {
        self
    }

    pub(crate) async fn query_async<T>(&self, _: &mut MultiplexedConnection) -> RedisResult<T> {
        Err(RedisError)
    }
}

pub(crate) struct Script;

pub(crate) struct ScriptInvocation<'a>(std::marker::PhantomData<&'a Script>);

impl Script {
    pub(crate) fn new(_: &str) -> Self {
        Self
    }

    /// There is no script and no hash.
    #[expect(clippy::unused_self, reason = "the script of `redis` knows its own")]
    pub(crate) fn get_hash(&self) -> &'static str {
        "none"
    }

    pub(crate) fn prepare_invoke(&self) -> ScriptInvocation<'_> {
        ScriptInvocation(std::marker::PhantomData)
    }
}

impl ScriptInvocation<'_> {
    pub(crate) fn key<T>(&mut self, _: T) -> &mut Self {
        self
    }

    pub(crate) fn arg<T>(&mut self, _: T) -> &mut Self {
        self
    }

    pub(crate) async fn invoke_async<T>(&self, _: &mut MultiplexedConnection) -> RedisResult<T> {
        Err(RedisError)
    }
}
