//! Which server of a cluster has a key's slot.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult, Value, from_redis_value_ref, pipe};

use super::address::{Server, Servers};
use super::connector::{ConnectOptions, Connector, at};
use crate::connection::answer::{ErrorClass, ErrorReply};
use crate::connection::link::in_time;
use crate::connection::query::PipelineReplies;
use crate::connection::redirect::Redirect;

/// So often a search is sent on from one server to the next.
const MAX_HOPS: usize = 5;

/// So many servers are remembered.
const MAX_KNOWN: usize = 64;

/// What one server says of a key.
enum Owner {
    /// It has the key's slot.
    This(MultiplexedConnection),
    Other(Server),
}

impl Connector {
    /// A connection to the server that has the key's slot: the one that was it last, or else any
    /// other may know it.
    pub(in crate::connection) async fn owner(
        &self,
        seeds: &[Server],
        key: &str,
        options: ConnectOptions<'_>,
    ) -> RedisResult<(Server, MultiplexedConnection)> {
        let mut order: Vec<Server> = Vec::new();
        {
            let known = self.known();
            let servers = known.preferred.iter().chain(&known.others).chain(seeds);
            for server in servers {
                if !order.contains(server) {
                    order.push(server.clone());
                }
            }
        }
        let (mut failure, mut silent) = (None, Vec::new());
        for server in order {
            if silent.contains(&server) {
                continue;
            }
            match self.search(server, key, (options, &mut silent)).await {
                Ok(found) => return Ok(found),
                Err(error) => failure = Some(error),
            }
        }
        self.known().preferred = None;
        let none = || ErrorReply::refusal("CLUSTER", "no server is named".to_owned());
        Err(failure.unwrap_or_else(none))
    }

    /// Begins with this server and goes where it is sent, but not to servers that were silent.
    async fn search(
        &self,
        begin: Server,
        key: &str,
        (options, silent): (ConnectOptions<'_>, &mut Vec<Server>),
    ) -> RedisResult<(Server, MultiplexedConnection)> {
        let mut server = begin;
        for _ in 0..MAX_HOPS {
            if silent.contains(&server) {
                let said = format!("{server} has the slot and does not answer");
                return Err(ErrorReply::refusal("CLUSTER", said));
            }
            match self.ask_for_owner(&server, key, options).await {
                Ok(Owner::This(connection)) => return Ok((server, connection)),
                Ok(Owner::Other(other)) => server = other,
                Err(error) => {
                    let error = at(&server, &error);
                    silent.push(server);
                    return Err(error);
                }
            }
        }
        let said = "the servers of the cluster send each other's clients in a circle";
        Err(ErrorReply::refusal("CLUSTER", said.to_owned()))
    }

    async fn ask_for_owner(
        &self,
        server: &Server,
        key: &str,
        options: ConnectOptions<'_>,
    ) -> RedisResult<Owner> {
        let mut connection = self.open(server, options).await?;
        let mut ask = pipe();
        ask.cmd("CLUSTER").arg("SLOTS").cmd("GET").arg(key);
        let asking = PipelineReplies::to(&mut ask, &mut connection);
        let mut replies = in_time(options.within, asking).await?;
        match replies.next::<Vec<Vec<Value>>>() {
            Ok(slots) => self.learn(&slots, &server.host),
            Err(error) if is_no_cluster(&error) => {
                let said = "the server is no cluster: give a redis:// address".to_owned();
                return Err(ErrorReply::refusal("CLUSTER", said));
            }
            // An ACL may keep it to itself.
            Err(_) => {}
        }
        match replies.next::<Value>() {
            Ok(_) => Ok(Owner::This(connection)),
            Err(error) => match Moved::read(&error, &server.host) {
                Some(Moved::To(other)) => Ok(Owner::Other(other)),
                // It still has the slot.
                Some(Moved::Ask(_)) => Ok(Owner::This(connection)),
                None if ErrorReply::read(&error).verdict == ErrorClass::Lost => Err(error),
                None => Ok(Owner::This(connection)),
            },
        }
    }

    /// Remembers the servers of the cluster, since those of the address may go.
    fn learn(&self, slots: &[Vec<Value>], asked: &str) {
        let mut servers = Vec::new();
        for server in slots.iter().flat_map(|slots| slots.iter().skip(2)) {
            let Ok(parts) = from_redis_value_ref::<Vec<Value>>(server) else { continue };
            let host = parts.first().map(from_redis_value_ref::<Option<String>>);
            let port = parts.get(1).map(from_redis_value_ref::<u16>);
            let (Some(Ok(host)), Some(Ok(port))) = (host, port) else { continue };
            let server = Server { host: host_or(host.unwrap_or_default(), asked), port };
            if servers.len() < MAX_KNOWN && !servers.contains(&server) {
                servers.push(server);
            }
        }
        if !servers.is_empty() {
            self.known().others = servers;
        }
    }

    /// What to do about an error of a server that is not the one to use any more. The next connect
    /// begins where it says.
    pub(crate) fn follow(&self, error: &RedisError) -> Option<Redirect> {
        let is_replica = || ErrorReply::read(error).code == "READONLY";
        match &self.address.servers {
            Servers::Cluster(_) => {
                let asked = self.known().preferred.as_ref().map(|server| server.host.clone());
                match Moved::read(error, &asked.unwrap_or_default()) {
                    Some(Moved::To(server)) => {
                        self.known().preferred = Some(server);
                        Some(Redirect::Elsewhere)
                    }
                    Some(Moved::Ask(server)) => Some(Redirect::Ask(server)),
                    None => is_replica().then_some(Redirect::Elsewhere),
                }
            }
            Servers::Sentinel(_) => is_replica().then_some(Redirect::Elsewhere),
            Servers::One(_) | Servers::Socket(_) | Servers::Client(_) => None,
        }
    }

    /// A connection to one server of the cluster, whatever its slots.
    pub(crate) async fn connect_to(
        &self,
        server: &Server,
        within: Duration,
    ) -> RedisResult<MultiplexedConnection> {
        self.open(server, self.options(within)).await
    }

    /// A connection for a key that is not of the namespace.
    #[cfg(feature = "fleet")]
    pub(crate) async fn connect_beside(
        &self,
        key: &str,
        within: Duration,
    ) -> RedisResult<MultiplexedConnection> {
        match &self.address.servers {
            Servers::Cluster(seeds) => Ok(self.owner(seeds, key, self.options(within)).await?.1),
            _ => self.connect(key, within).await,
        }
    }

    /// A server that is one of a cluster, where the address names it alone: what to do about it.
    pub(in crate::connection) fn explain_moved(&self, error: RedisError) -> RedisError {
        let reply = ErrorReply::read(&error);
        match reply.code.as_ref() {
            "MOVED" | "ASK" if !self.is_cluster() => {
                let said = format!(
                    "the server is one of a cluster, and {}: give a redis+cluster:// address",
                    reply.message
                );
                ErrorReply::refusal("CLUSTER", said)
            }
            _ => error,
        }
    }

    /// Whether another server may become the one to use, and errors say so.
    pub(crate) fn may_move(&self) -> bool {
        matches!(self.address.servers, Servers::Cluster(_) | Servers::Sentinel(_))
    }

    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self.address.servers, Servers::Cluster(_))
    }
}

/// What a reply says of where a slot is.
enum Moved {
    To(Server),
    Ask(Server),
}

impl Moved {
    /// `asked` is the host of the server that answered, which may stand for its own.
    fn read(error: &RedisError, asked: &str) -> Option<Self> {
        let errors = error.clone().into_server_errors()?;
        errors.iter().find_map(|(_, error)| {
            let make = match error.code() {
                "MOVED" => Self::To,
                "ASK" => Self::Ask,
                _ => return None,
            };
            let (_, server) = error.details()?.split_once(' ')?;
            let server = Server::read(server)?;
            Some(make(Server { host: host_or(server.host, asked), port: server.port }))
        })
    }
}

/// A server that does not know its own name is where it was asked.
fn host_or(host: String, asked: &str) -> String {
    if host.is_empty() || host == "?" { asked.to_owned() } else { host }
}

fn is_no_cluster(error: &RedisError) -> bool {
    ErrorReply::read(error).message.contains("cluster support disabled")
}
