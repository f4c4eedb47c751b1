//! Where Redis is, and how a node logs in there.

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use redis::{Client, ProtocolVersion};

use super::address_url;
use super::login::{Credentials, Login};
use crate::error::BuildError;

/// The address of Redis, with all that a node needs to log in there.
///
/// | form | what |
/// |---|---|
/// | `redis://user:password@host:6379/0` | one server |
/// | `rediss://…` | the same by TLS; needs the feature `tls` or `tls-ring` |
/// | `unix:///path`, `redis+unix:///path?db=0&user=…&pass=…` | one server, by its socket |
/// | `redis+sentinel://user:password@host:26379,host/master/0` | the server that the Sentinels call master, asked at each connect |
/// | `redis+cluster://user:password@host:6379,host` | a cluster, by any of its servers: the node stays with the one that has the slot of its namespace |
///
/// `rediss+sentinel` and `rediss+cluster` are the same by TLS. For a Sentinel,
/// `?sentinel_user=…&sentinel_password=…` log in to the Sentinels themselves, and
/// `sentinel_tls=yes` or `no` says whether they speak TLS where they differ from the servers.
/// `valkey` may stand for `redis` everywhere. Files are read anew at each connect.
///
/// ```
/// use strata_cache::RedisAddress;
///
/// let address = RedisAddress::parse("redis+sentinel://s1,s2,s3/main")?
///     .user("app")
///     .password_file("/run/secrets/redis");
/// # Ok::<_, strata_cache::BuildError>(())
/// ```
#[derive(Clone)]
pub struct RedisAddress {
    pub(in crate::connection) servers: Servers,
    pub(in crate::connection) encryption: Encryption,
    pub(in crate::connection) login: Login,
    pub(in crate::connection) files: TlsFiles,
    pub(in crate::connection) database: i64,
    pub(in crate::connection) protocol: ProtocolVersion,
}

/// Which servers there are, and which of them is the one to use.
#[derive(Clone)]
pub(in crate::connection) enum Servers {
    /// This one.
    One(Server),
    /// The one behind this socket.
    Socket(PathBuf),
    /// A client that was handed in connects by itself.
    Client(Client),
    /// The one that the Sentinels call so.
    Sentinel(Sentinels),
    /// The one that has the namespace's slot.
    Cluster(Vec<Server>),
}

/// Sentinels, and what they are asked.
#[derive(Clone)]
pub(in crate::connection) struct Sentinels {
    pub(in crate::connection) servers: Vec<Server>,
    pub(in crate::connection) master: String,
    pub(in crate::connection) login: Login,
    pub(in crate::connection) encryption: Encryption,
}

/// A server's host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::connection) enum Encryption {
    Plain,
    Tls,
}

/// Files in PEM for TLS.
#[derive(Clone, Debug, Default)]
pub(in crate::connection) struct TlsFiles {
    /// The authorities that are trusted.
    pub(in crate::connection) authorities: Option<PathBuf>,
    /// This node's certificate and its key.
    pub(in crate::connection) own: Option<(PathBuf, PathBuf)>,
}

impl RedisAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// [`BuildError::RedisUrl`], which never repeats the address.
    pub fn parse(url: &str) -> Result<Self, BuildError> {
        address_url::parse(url).map_err(BuildError::RedisUrl)
    }

    /// What a client that was built elsewhere connects to, with its own login and TLS. Neither
    /// Sentinels nor the slots of a cluster are followed.
    pub fn of_client(client: Client) -> Self {
        Self::of(Servers::Client(client), Encryption::Plain)
    }

    /// Trusts the authorities in this file of certificates (PEM), and no others. Without it, those
    /// that browsers trust.
    #[must_use]
    pub fn ca_file(mut self, path: impl AsRef<Path>) -> Self {
        self.files.authorities = Some(path.as_ref().to_owned());
        self
    }

    /// The certificate and the key (PEM) by which the node shows who it is.
    #[must_use]
    pub fn client_certificate(
        mut self,
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Self {
        self.files.own = Some((certificate.as_ref().to_owned(), key.as_ref().to_owned()));
        self
    }

    /// The user, in place of the one in the address.
    #[must_use]
    pub fn user(mut self, user: &str) -> Self {
        self.login = self.login.with_user(user);
        self
    }

    /// A file that holds the password, in place of the one in the address. It is read at each
    /// connect. White space at its end does not count.
    #[must_use]
    pub fn password_file(mut self, path: impl AsRef<Path>) -> Self {
        self.login = self.login.with_file(path.as_ref());
        self
    }

    /// Asks this function for user and password, in place of those in the address: as connections
    /// begin, at most every 2 s, or before what it last gave ends, where it says when that is
    /// ([`Credentials::renew_after`]). Connections that are open log in anew then. It may fail,
    /// panic, and take up to 30 s: the node goes on with what it has, or without Redis, and asks
    /// again. It runs in a task of its own, once at a time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use strata_cache::{Credentials, RedisAddress};
    ///
    /// # async fn token() -> Result<String, std::io::Error> { Ok(String::new()) }
    /// let address = RedisAddress::parse("rediss://cache.example")?.credentials(|| async {
    ///     let token = token().await?;
    ///     let lasts = Duration::from_secs(3_600);
    ///     Ok::<_, std::io::Error>(Credentials::new("app", &token).renew_after(lasts))
    /// });
    /// # Ok::<_, strata_cache::BuildError>(())
    /// ```
    #[must_use]
    pub fn credentials<F, Fut, E>(mut self, provider: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Credentials, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.login = Login::by(provider);
        self
    }

    /// Logs in as one does at another address, in place of what this one says: for a proxy before
    /// that one.
    #[must_use]
    pub fn login_of(mut self, other: &Self) -> Self {
        self.login = other.login.clone();
        self
    }

    /// The user of the Sentinels, in place of the one in the address. Of no meaning without any.
    #[must_use]
    pub fn sentinel_user(mut self, user: &str) -> Self {
        if let Servers::Sentinel(sentinels) = &mut self.servers {
            sentinels.login = sentinels.login.clone().with_user(user);
        }
        self
    }

    /// A file that holds the password of the Sentinels. Of no meaning without any.
    #[must_use]
    pub fn sentinel_password_file(mut self, path: impl AsRef<Path>) -> Self {
        if let Servers::Sentinel(sentinels) = &mut self.servers {
            sentinels.login = sentinels.login.clone().with_file(path.as_ref());
        }
        self
    }

    pub(in crate::connection) fn of(servers: Servers, encryption: Encryption) -> Self {
        Self {
            servers,
            encryption,
            login: Login::default(),
            files: TlsFiles::default(),
            database: 0,
            protocol: ProtocolVersion::default(),
        }
    }

    /// Whether connections to Redis, or to its Sentinels, are encrypted. A client that was handed in
    /// is not asked.
    pub fn is_encrypted(&self) -> bool {
        let of_sentinels = match &self.servers {
            Servers::Sentinel(sentinels) => sentinels.encryption,
            _ => Encryption::Plain,
        };
        [self.encryption, of_sentinels].contains(&Encryption::Tls)
    }

    /// Refuses files of certificates that nothing would use.
    pub(crate) fn check(&self) -> Result<(), BuildError> {
        let has_files = self.files.authorities.is_some() || self.files.own.is_some();
        if has_files && !self.is_encrypted() {
            let (setting, value) = ("ca_file or client_certificate", self.to_string());
            let allowed = "given with an address that begins with rediss";
            return Err(BuildError::BadSetting { setting, value, allowed });
        }
        Ok(())
    }
}

impl FromStr for RedisAddress {
    type Err = BuildError;

    fn from_str(url: &str) -> Result<Self, BuildError> {
        Self::parse(url)
    }
}

impl From<Client> for RedisAddress {
    fn from(client: Client) -> Self {
        Self::of_client(client)
    }
}

/// Hosts and ports, without user and password.
impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redis = if self.encryption == Encryption::Tls { "rediss" } else { "redis" };
        let list = |servers: &[Server]| {
            servers.iter().map(Server::to_string).collect::<Vec<_>>().join(",")
        };
        match &self.servers {
            Servers::One(server) => write!(f, "{redis}://{server}"),
            Servers::Socket(path) => write!(f, "unix://{}", path.display()),
            Servers::Client(client) => write!(f, "{}", client.get_connection_info().addr()),
            Servers::Sentinel(sentinels) => {
                let (hosts, master) = (list(&sentinels.servers), &sentinels.master);
                write!(f, "{redis}+sentinel://{hosts}/{master}")
            }
            Servers::Cluster(servers) => write!(f, "{redis}+cluster://{}", list(servers)),
        }
    }
}

/// Without user and password.
impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisAddress({self})")
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl Server {
    /// Reads `host:port` as servers name each other, with IPv6 bare or in brackets.
    pub(crate) fn read(text: &str) -> Option<Self> {
        // A cluster's server may add its bus port and its name behind.
        let text = text.split(['@', ',']).next()?;
        let (host, port) = text.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some(Self { host: host.to_owned(), port: port.parse().ok()? })
    }
}
