//! Stand-in for the `redis` crate if the feature `redis` is off. It has the same names and a client
//! that cannot be opened, so the code that talks to Redis compiles and never runs. L2, the bus and
//! the durable write-behind use it.

pub(crate) mod aio {
    /// Never exists.
    #[derive(Clone)]
    pub(crate) struct MultiplexedConnection(());

    /// What commands can be sent on.
    pub(crate) trait ConnectionLike {}

    impl ConnectionLike for MultiplexedConnection {}
}

/// Connecting is refused, and nothing is renewed.
pub(crate) mod connector {
    use std::time::Duration;

    use super::super::link::Link;
    use super::super::redirect::Redirect;
    use super::aio::MultiplexedConnection;
    use super::{RedisError, RedisResult, Server};
    use crate::error::BuildError;

    pub(crate) struct Connector(());

    impl Connector {
        pub(crate) fn of_url(_: &str) -> Result<Self, BuildError> {
            Err(BuildError::RedisUrl(RedisError))
        }

        pub(crate) fn place(&self) -> String {
            String::new()
        }

        pub(crate) async fn connect(
            &self,
            _: &str,
            _: Duration,
        ) -> RedisResult<MultiplexedConnection> {
            Err(RedisError)
        }

        pub(crate) async fn connect_to(
            &self,
            _: &Server,
            within: Duration,
        ) -> RedisResult<MultiplexedConnection> {
            self.connect("", within).await
        }

        pub(crate) fn follow(&self, _: &RedisError) -> Option<Redirect> {
            None
        }

        pub(crate) fn explain_moved(&self, error: RedisError) -> RedisError {
            error
        }

        pub(crate) fn connected_last(&self) -> Option<Server> {
            None
        }

        pub(crate) fn leads_to(&self, _: Option<Server>) {}

        pub(crate) fn may_move(&self) -> bool {
            false
        }

        pub(crate) fn is_cluster(&self) -> bool {
            false
        }
    }

    impl Link {
        pub(crate) async fn renewal_is_due(&self) {
            std::future::pending().await
        }

        pub(crate) async fn master_has_moved(&self) {
            std::future::pending().await
        }

        pub(crate) async fn renew_login(&self) {}

        pub(crate) fn look_at_login(&self) {}

        pub(crate) fn login_version(&self) -> u64 {
            0
        }

        pub(crate) async fn log_in(&self, _: &mut MultiplexedConnection) -> RedisResult<()> {
            Err(RedisError)
        }
    }
}

/// Never named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server(());

#[expect(dead_code, reason = "nothing is sent")]
pub(crate) struct Asking<'a>(pub(crate) &'a mut MultiplexedConnection);

impl aio::ConnectionLike for Asking<'_> {}

use redis::aio::MultiplexedConnection;

/// Redis is not built in.
#[derive(Debug, thiserror::Error)]
#[error("the feature `redis` is off")]
pub struct RedisError;

impl RedisError {
    pub(crate) fn code(&self) -> Option<&str> {
        None
    }
}

pub(crate) type RedisResult<T> = Result<T, RedisError>;

pub(crate) trait FromRedisValue {}

impl<T> FromRedisValue for T {}

impl From<std::io::Error> for RedisError {
    fn from(_: std::io::Error) -> Self {
        Self
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

    pub(crate) async fn query_async<T>(&self, _: &mut impl aio::ConnectionLike) -> RedisResult<T> {
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

    pub(crate) async fn query_async<T>(&self, _: &mut impl aio::ConnectionLike) -> RedisResult<T> {
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

    pub(crate) async fn invoke_async<T>(&self, _: &mut impl aio::ConnectionLike) -> RedisResult<T> {
        Err(RedisError)
    }
}
