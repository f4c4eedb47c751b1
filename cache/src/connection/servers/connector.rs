//! Connects to the server that is to be used, wherever it is by now.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    RedisConnectionInfo, RedisError, RedisResult, cmd,
};

use super::address::{Encryption, RedisAddress, Server, Servers};
use super::login::{Credentials, Login};
use super::renewal::Renewal;
use super::sentinel::Watch;
use super::wrong_protocol::WrongProtocol;
use crate::connection::answer::ErrorReply;
use crate::connection::handshake::must_be_no_replica;
use crate::connection::link::in_time;
use crate::error::BuildError;

/// Connects to Redis. What it learns, it keeps: which Sentinel answered, which server has the slot.
pub(crate) struct Connector {
    pub(super) address: RedisAddress,
    pub(super) known: Mutex<KnownServers>,
    pub(super) renewal: Arc<Renewal>,
    pub(super) watch: Watch,
    wrong_protocol: WrongProtocol,
}

/// What was learned of several servers.
#[derive(Default)]
pub(super) struct KnownServers {
    /// The server that was told to be the one, or was it last.
    pub(super) preferred: Option<Server>,
    /// The server that commands go to.
    pub(super) used: Option<Server>,
    /// Servers to ask, beside those of the address. The first answered last.
    pub(super) others: Vec<Server>,
}

/// How a server is reached: with which login, encrypted or not.
#[derive(Clone, Copy)]
pub(super) struct ConnectOptions<'a> {
    pub(super) login: &'a Login,
    pub(super) encryption: Encryption,
    /// Sentinels have none but 0.
    pub(super) database: i64,
    pub(super) within: Duration,
}

impl Connector {
    /// # Errors
    /// Where the address makes no sense.
    pub(crate) fn of_url(url: &str) -> Result<Self, BuildError> {
        Self::new(RedisAddress::parse(url)?)
    }

    /// # Errors
    /// Where settings contradict each other.
    pub(crate) fn new(address: RedisAddress) -> Result<Self, BuildError> {
        address.check()?;
        Ok(Self {
            address,
            known: Mutex::default(),
            renewal: Arc::default(),
            watch: Watch::default(),
            wrong_protocol: WrongProtocol::default(),
        })
    }

    /// Which data it leads to, without user and password: the address, and the database where that is
    /// not the first.
    pub(crate) fn place(&self) -> String {
        match self.address.database {
            0 => self.address.to_string(),
            database => format!("{}, database {database}", self.address),
        }
    }

    /// A connection to the server of this key, without a response timeout. Each step of finding it
    /// may take so long.
    pub(crate) async fn connect(
        &self,
        key: &str,
        within: Duration,
    ) -> RedisResult<MultiplexedConnection> {
        let options = self.options(within);
        match &self.address.servers {
            Servers::One(server) => self.open(server, options).await,
            Servers::Socket(path) => {
                let info = ConnectionAddr::Unix(path.clone()).into_connection_info()?;
                let settings = in_time(within, self.settings(options)).await?;
                let client = Client::open(info.set_redis_settings(settings))?;
                open(&client, within).await.map_err(|error| self.said_plainly(error, options.login))
            }
            Servers::Client(client) => {
                open(client, within).await.map_err(|error| self.said_plainly(error, options.login))
            }
            Servers::Sentinel(sentinels) => {
                let master = self.master(sentinels, within).await?;
                let mut connection =
                    self.open(&master, options).await.map_err(|e| at(&master, &e))?;
                // Sentinel may still name the one that was it before.
                let hello = in_time(within, cmd("HELLO").query_async(&mut connection)).await;
                hello.as_ref().map_or(Ok(()), must_be_no_replica).map_err(|e| at(&master, &e))?;
                self.known().preferred = Some(master);
                Ok(connection)
            }
            Servers::Cluster(seeds) => {
                let (server, connection) = self.owner(seeds, key, options).await?;
                self.known().preferred = Some(server);
                Ok(connection)
            }
        }
    }

    /// A connection to this server.
    pub(super) async fn open(
        &self,
        server: &Server,
        options: ConnectOptions<'_>,
    ) -> RedisResult<MultiplexedConnection> {
        let (host, port) = (server.host.clone(), server.port);
        let opened = async {
            let settings = self.settings(options).await?;
            match options.encryption {
                Encryption::Plain => {
                    let info = ConnectionAddr::Tcp(host, port).into_connection_info()?;
                    let client = Client::open(info.set_redis_settings(settings))?;
                    open(&client, options.within).await
                }
                Encryption::Tls => {
                    let addr =
                        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None };
                    let info = addr.into_connection_info()?.set_redis_settings(settings);
                    open(&self.tls_client(info).await?, options.within).await
                }
            }
        };
        let error = match in_time(options.within, opened).await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        #[cfg(feature = "tls")]
        if let Some(explained) = super::tls::explain(&error, &server.host) {
            return Err(explained);
        }
        match self.wrong_protocol.explain(&error, server, options.encryption).await {
            Some(explained) => Err(explained),
            None => Err(self.said_plainly(error, options.login)),
        }
    }

    #[cfg(feature = "tls")]
    async fn tls_client(&self, info: ConnectionInfo) -> RedisResult<Client> {
        super::tls::must_have_a_provider()?;
        let certificates = super::tls::certificates(&self.address.files).await?;
        let client = Client::build_with_tls(info, certificates);
        client.map_err(|error| ErrorReply::refusal("TLS", error.to_string()))
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_async, reason = "with TLS it reads files")]
    async fn tls_client(&self, _: ConnectionInfo) -> RedisResult<Client> {
        Err(ErrorReply::refusal("TLS", "TLS is not built in".to_owned()))
    }

    /// What to say as a connection begins.
    async fn settings(&self, options: ConnectOptions<'_>) -> RedisResult<RedisConnectionInfo> {
        let Credentials { user, password, .. } = match options.login.is_renewed() {
            true => self.renewal.credentials(options.login).await?,
            false => options.login.now().await?,
        };
        let settings = RedisConnectionInfo::default().set_protocol(self.address.protocol);
        let mut settings = settings.set_db(options.database);
        if let Some(user) = user {
            settings = settings.set_username(user);
        }
        Ok(match password {
            Some(password) => settings.set_password(password),
            None => settings,
        })
    }

    /// How the servers of Redis themselves are reached.
    pub(super) fn options(&self, within: Duration) -> ConnectOptions<'_> {
        let RedisAddress { login, encryption, database, .. } = &self.address;
        ConnectOptions { login, encryption: *encryption, database: *database, within }
    }

    /// redis-rs does not say what Redis said of this login.
    fn said_plainly(&self, error: RedisError, login: &Login) -> RedisError {
        match error.kind() {
            redis::ErrorKind::AuthenticationFailed => {
                if login.is_renewed() {
                    self.renewal.forget();
                }
                let said = "authentication failed: Redis refuses the user or the password";
                ErrorReply::refusal("WRONGPASS", said.to_owned())
            }
            _ => error,
        }
    }

    /// The server that a connection was made to last, where that may change.
    pub(crate) fn connected_last(&self) -> Option<Server> {
        self.known().preferred.clone()
    }

    /// The connection that commands use leads to this server now, whatever others do.
    pub(crate) fn leads_to(&self, server: Option<Server>) {
        self.known().used = server;
    }

    pub(super) fn known(&self) -> MutexGuard<'_, KnownServers> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn open(client: &Client, within: Duration) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(within))
        .set_response_timeout(None);
    in_time(within, client.get_multiplexed_async_connection_with_config(&config)).await
}

/// With the server that it is about, where there are several.
pub(super) fn at(server: &Server, error: &RedisError) -> RedisError {
    let reply = ErrorReply::read(error);
    ErrorReply::refusal(&reply.code, format!("{server}: {}", reply.message))
}
