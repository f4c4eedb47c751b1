//! What a new connection leads to: the server, its run, and the number of the bus from which its
//! entries count.

#[cfg(all(test, feature = "redis"))]
mod tests {
    use super::*;

    fn refusal(server: &str, version: &str) -> Option<String> {
        let (server, version) = (server.to_owned(), version.to_owned());
        let refused = must_be_recent(Some(&ServerKind { server, version })).err()?;
        Some(ErrorReply::read(&refused).message)
    }

    #[test]
    fn a_redis_below_7_is_refused_in_one_sentence() {
        let said = refusal("redis", "6.0.16").unwrap();
        assert_eq!(said, "Redis 6.0.16 is too old, 7.0 is needed");
        assert_eq!(refusal("redis", "7.0.15"), None);
        assert_eq!(refusal("redis", "255.255.255"), None);
        assert_eq!(refusal("valkey", "8.0.1"), None);
        assert_eq!(refusal("redis", "unknown"), None);
    }
}

use std::collections::HashMap;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult, cmd, from_redis_value_ref};
use strata_report::ServerKind;

use super::answer::{ErrorClass, ErrorReply};
use super::link::{CurrentConnection, Link, in_time};
#[cfg(not(feature = "redis"))]
use super::no_redis::Server;
use super::query::AnyReply;
#[cfg(feature = "redis")]
use super::servers::Server;
use crate::user_code::BoxFuture;

/// Older major versions lack `SET` with both `NX` and `GET`, which leases need.
const MIN_REDIS: u32 = 7;

/// A connection that may be used.
pub(crate) struct Handshake {
    pub(crate) connection: MultiplexedConnection,
    pub(crate) server: Option<ServerKind>,
    pub(crate) run_id: String,
    pub(crate) floor: u64,
    /// The server that it leads to, where that may change.
    pub(crate) at: Option<Server>,
    /// The version of the login that it began with, or an older one.
    pub(crate) login: u64,
}

impl Link {
    /// Connects, and determines which server answers.
    pub(crate) async fn handshake(&self) -> RedisResult<Handshake> {
        let login = self.login_version();
        let mut connection = self.connect_at_home(self.connect_timeout()).await?;
        let at = self.connector.connected_last();
        let within = self.connect_timeout();
        let _: String = in_time(within, cmd("PING").query_async(&mut connection)).await?;
        let server = in_time(within, async {
            let hello = hello(&mut connection).await;
            hello.as_ref().map_or(Ok(()), must_be_no_sentinel)?;
            server_kind(&mut connection, hello).await
        });
        let server = server.await?;
        self.state().server.clone_from(&server);
        must_be_recent(server.as_ref())?;
        let run_id = in_time(within, run_id(&mut connection)).await?;
        let begun = in_time(within, self.bus.begin(&mut connection, &run_id)).await;
        let floor = begun.map_err(|error| {
            self.connector.follow(&error);
            self.connector.explain_moved(error)
        })?;
        Ok(Handshake { connection, server, run_id, floor, at, login })
    }

    /// Replaces a connection that Redis has closed. Concurrent callers share one new connection.
    pub(crate) fn renew(&self, generation: u64) -> BoxFuture<'_, RedisResult<CurrentConnection>> {
        Box::pin(self.renew_now(generation))
    }

    async fn renew_now(&self, generation: u64) -> RedisResult<CurrentConnection> {
        let _one = self.renewing.lock().await;
        let present = {
            let state = self.state();
            (state.connection.clone(), state.generation)
        };
        if let (Some(connection), newer) = present
            && newer != generation
        {
            return Ok((connection, newer));
        }
        let handshake = self.handshake().await?;
        let mut state = self.state();
        if self.is_open() || state.generation != generation {
            let gone = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
            return Err(RedisError::from(gone));
        }
        self.floor.store(handshake.floor, std::sync::atomic::Ordering::Release);
        (state.server, state.run_id) = (handshake.server, handshake.run_id);
        state.connection = Some(handshake.connection.clone());
        state.login = handshake.login;
        state.generation += 1;
        self.connector.leads_to(handshake.at);
        self.look_at_login();
        Ok((handshake.connection, state.generation))
    }
}

/// The server's description of itself, by field name.
pub(crate) type HelloReply = HashMap<String, AnyReply>;

/// Asks which server answers. HELLO is allowed unless the ACL forbids it by name. INFO may be
/// forbidden together with other commands.
async fn hello(connection: &mut MultiplexedConnection) -> RedisResult<HelloReply> {
    cmd("HELLO").query_async(connection).await
}

/// The server's name and version. `None` if it does not report them.
async fn server_kind(
    connection: &mut MultiplexedConnection,
    hello: RedisResult<HelloReply>,
) -> RedisResult<Option<ServerKind>> {
    let fields = match hello {
        Ok(fields) => fields,
        Err(error) => return old_kind(connection, error).await,
    };
    let kind = text(&fields, "server").zip(text(&fields, "version"));
    Ok(kind.map(|(server, version)| ServerKind { server, version }))
}

/// The name and version of a server that does not know HELLO, or hides it.
async fn old_kind(
    connection: &mut MultiplexedConnection,
    error: RedisError,
) -> RedisResult<Option<ServerKind>> {
    if ErrorReply::read(&error).verdict == ErrorClass::Lost {
        return Err(error);
    }
    let info = info(connection).await?;
    let version = field(&info, "redis_version:").map(str::to_owned);
    Ok(version.map(|version| ServerKind { server: "redis".to_owned(), version }))
}

/// The id of the server's run. Empty if it does not report one.
pub(crate) async fn run_id(connection: &mut MultiplexedConnection) -> RedisResult<String> {
    let info = info(connection).await?;
    Ok(field(&info, "run_id:").unwrap_or_default().to_owned())
}

/// The section `server` of INFO. Empty if INFO is forbidden or unknown.
async fn info(connection: &mut MultiplexedConnection) -> RedisResult<String> {
    match cmd("INFO").arg("server").query_async(connection).await {
        Err(error) if ErrorReply::read(&error).verdict == ErrorClass::Refused => Ok(String::new()),
        answer => answer,
    }
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// Refuses a server that accepts no invalidations, because it is too old or a replica.
pub(crate) async fn must_take_invalidations(
    connection: &mut MultiplexedConnection,
) -> RedisResult<()> {
    let hello = hello(connection).await;
    let replica = hello.as_ref().map_or(Ok(()), must_be_no_replica);
    must_be_recent(server_kind(connection, hello).await?.as_ref())?;
    replica
}

/// Refuses a replica: its data may be late, and it accepts no invalidations. A server that does not
/// report its role is accepted.
pub(crate) fn must_be_no_replica(hello: &HelloReply) -> RedisResult<()> {
    match text(hello, "role") {
        Some(role) if role != "master" => {
            Err(ErrorReply::refusal("READONLY", "the server is a replica".to_owned()))
        }
        _ => Ok(()),
    }
}

/// Refuses a Sentinel, which only knows where Redis is.
pub(crate) fn must_be_no_sentinel(hello: &HelloReply) -> RedisResult<()> {
    match text(hello, "mode") {
        Some(mode) if mode == "sentinel" => {
            let said = "the server is a Sentinel: give the address as redis+sentinel://host/master";
            Err(ErrorReply::refusal("SENTINEL", said.to_owned()))
        }
        _ => Ok(()),
    }
}

fn text(fields: &HelloReply, name: &str) -> Option<String> {
    fields.get(name).and_then(|value| from_redis_value_ref(value).ok())
}

/// Refuses a Redis that lacks what leases need. A server that does not tell is taken as it is.
pub(crate) fn must_be_recent(server: Option<&ServerKind>) -> RedisResult<()> {
    let Some(server) = server else { return Ok(()) };
    let major = server.version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if server.server == "redis" && major < MIN_REDIS => {
            let said = format!("Redis {} is too old, {MIN_REDIS}.0 is needed", server.version);
            Err(ErrorReply::refusal("TOOOLD", said))
        }
        _ => Ok(()),
    }
}
