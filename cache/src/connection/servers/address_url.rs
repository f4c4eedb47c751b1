//! Reads the forms of an address.

use redis::{
    ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisConnectionInfo, RedisError, RedisResult,
};

use super::address::{Encryption, RedisAddress, Sentinels, Server, Servers};
use super::login::Login;

const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// It names none, since that may be a part of a password.
const UNKNOWN_PARAMETER: &str = "a parameter behind the ? is not known: there are protocol, and for \
                                 a Sentinel sentinel_user, sentinel_password and sentinel_tls. A ? \
                                 or & in a password is written %3F or %26";

/// Nobody lists more.
const MAX_HOSTS: usize = 100;

/// Reads an address. An error never repeats it, since it may hold a password.
pub(in crate::connection) fn parse(url: &str) -> RedisResult<RedisAddress> {
    let url = url.trim();
    let scheme = url.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let encryption = match scheme.starts_with("rediss") || scheme.starts_with("valkeys") {
        true => Encryption::Tls,
        false => Encryption::Plain,
    };
    if encryption == Encryption::Tls && !cfg!(feature = "tls") {
        return Err(wrong("TLS is not built in: it needs the feature tls-ring of strata-cache"));
    }
    match scheme.split_once('+') {
        Some(("redis" | "rediss" | "valkey" | "valkeys", "sentinel")) => {
            sentinel(&MultiHostUrl::read(url)?, encryption)
        }
        Some(("redis" | "rediss" | "valkey" | "valkeys", "cluster")) => {
            cluster(&MultiHostUrl::read(url)?, encryption)
        }
        _ => one(url, encryption),
    }
}

fn one(url: &str, encryption: Encryption) -> RedisResult<RedisAddress> {
    if url.contains("#insecure") {
        return Err(wrong("certificates are always checked: give the file of the authority"));
    }
    let info = url.into_connection_info().map_err(without_detail)?;
    let servers = match info.addr() {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            Servers::One(Server { host: host.clone(), port: *port })
        }
        ConnectionAddr::Unix(path) => Servers::Socket(path.clone()),
        _ => return Err(wrong("this kind of address is not known")),
    };
    Ok(RedisAddress::of(servers, encryption).logged_in(info.redis_settings()))
}

fn sentinel(url: &MultiHostUrl<'_>, encryption: Encryption) -> RedisResult<RedisAddress> {
    let mut path = url.path.split('/');
    let master = path.next().unwrap_or_default();
    if master.is_empty() {
        return Err(wrong("the name of the master is missing, as in redis+sentinel://host/master"));
    }
    let database = path.next().unwrap_or_default();
    if path.next().is_some() {
        return Err(wrong("behind the master's name stands the database alone"));
    }
    let mut sentinels = Sentinels {
        servers: url.servers(SENTINEL_PORT)?,
        master: master.to_owned(),
        login: Login::default(),
        encryption,
    };
    let (mut user, mut password) = (None, None);
    for (name, value) in url.query()? {
        match (&*name, &*value) {
            ("sentinel_user", _) => user = Some(value),
            ("sentinel_password", _) => password = Some(value),
            ("sentinel_tls", "yes") if !cfg!(feature = "tls") => {
                return Err(wrong("TLS is not built in: it needs the feature tls-ring"));
            }
            ("sentinel_tls", "yes") => sentinels.encryption = Encryption::Tls,
            ("sentinel_tls", "no") => sentinels.encryption = Encryption::Plain,
            ("sentinel_tls", _) => return Err(wrong("sentinel_tls is yes or no")),
            ("protocol", _) => {}
            _ => return Err(wrong(UNKNOWN_PARAMETER)),
        }
    }
    sentinels.login = Login::of(user, password);
    let settings = url.settings(database)?;
    Ok(RedisAddress::of(Servers::Sentinel(sentinels), encryption).logged_in(&settings))
}

fn cluster(url: &MultiHostUrl<'_>, encryption: Encryption) -> RedisResult<RedisAddress> {
    if !matches!(url.path, "" | "0") {
        return Err(wrong("a cluster has database 0 alone"));
    }
    let servers = Servers::Cluster(url.servers(REDIS_PORT)?);
    if url.query()?.iter().any(|(name, _)| name != "protocol") {
        return Err(wrong(UNKNOWN_PARAMETER));
    }
    Ok(RedisAddress::of(servers, encryption).logged_in(&url.settings("")?))
}

/// An address that names several hosts: `scheme://user:password@host:port,host/path?query`.
struct MultiHostUrl<'a> {
    login: &'a str,
    hosts: Vec<&'a str>,
    path: &'a str,
    query: &'a str,
}

impl<'a> MultiHostUrl<'a> {
    fn read(url: &'a str) -> RedisResult<Self> {
        let (_, rest) = url.split_once("://").ok_or_else(|| wrong("// is missing"))?;
        if rest.contains('#') {
            return Err(wrong("nothing may stand behind a #"));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let hosts: Vec<_> = hosts.split(',').map(str::trim).collect();
        if hosts.len() > MAX_HOSTS {
            return Err(wrong("more than 100 hosts are named"));
        }
        Ok(Self { login, hosts, path: path.trim_end_matches('/'), query })
    }

    fn servers(&self, default_port: u16) -> RedisResult<Vec<Server>> {
        let server = |host: &&str| {
            let no_host = || wrong("a host is missing, or is none");
            if host.is_empty() || host.contains(['/', '?', '@']) {
                return Err(no_host());
            }
            let has_port = !host.ends_with(']') && host.contains(':');
            let info = format!("redis://{host}").into_connection_info().map_err(|_| no_host())?;
            match info.addr() {
                ConnectionAddr::Tcp(name, port) => {
                    let port = if has_port { *port } else { default_port };
                    Ok(Server { host: name.clone(), port })
                }
                _ => Err(no_host()),
            }
        };
        self.hosts.iter().map(server).collect()
    }

    /// User, password, database and protocol as redis-rs reads them.
    fn settings(&self, database: &str) -> RedisResult<RedisConnectionInfo> {
        let login = match self.login {
            "" => String::new(),
            login => format!("{login}@"),
        };
        let url = format!("redis://{login}host/{database}?{}", self.query);
        let info = url.into_connection_info().map_err(without_detail)?;
        Ok(info.redis_settings().clone())
    }

    fn query(&self) -> RedisResult<Vec<(String, String)>> {
        let url = redis::parse_redis_url(&format!("redis://host?{}", self.query));
        let url = url.ok_or_else(|| wrong("what stands behind the ? cannot be read"))?;
        let pairs = url.query_pairs().filter(|(name, _)| !name.is_empty());
        Ok(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }
}

impl RedisAddress {
    fn logged_in(mut self, settings: &RedisConnectionInfo) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        self.login = Login::of(owned(settings.username()), owned(settings.password()));
        (self.database, self.protocol) = (settings.db(), settings.protocol());
        self
    }
}

/// redis-rs repeats a value that it cannot read.
fn without_detail(error: RedisError) -> RedisError {
    match error.detail() {
        Some(_) => wrong("a value in the address cannot be read"),
        None => error,
    }
}

fn wrong(why: &'static str) -> RedisError {
    RedisError::from((ErrorKind::InvalidClientConfig, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> String {
        let address = parse(url).unwrap();
        format!("{address} db {} {:?}", address.database, address.login.user())
    }

    fn refusal(url: &str) -> String {
        parse(url).err().unwrap().to_string()
    }

    #[test]
    fn every_form_names_its_servers_and_its_login() {
        for (url, told) in [
            ("redis://app:secret@h:1/3", "redis://h:1 db 3 Some(\"app\")"),
            ("valkey://h", "redis://h:6379 db 0 None"),
            ("redis://[::1]:7", "redis://[::1]:7 db 0 None"),
            ("unix:/run/r.sock", "unix:///run/r.sock db 0 None"),
            ("unix:///run/r.sock?db=2&user=app&pass=x", "unix:///run/r.sock db 2 Some(\"app\")"),
            ("redis+unix:///run/r.sock", "unix:///run/r.sock db 0 None"),
            (
                "redis+sentinel://app:x@s1,s2:7,[::1]/main/4",
                "redis+sentinel://s1:26379,s2:7,[::1]:26379/main db 4 Some(\"app\")",
            ),
            ("redis+sentinel://s1/main", "redis+sentinel://s1:26379/main db 0 None"),
            ("redis+cluster://c1,c2:7/", "redis+cluster://c1:6379,c2:7 db 0 None"),
            ("REDIS+CLUSTER://:p@c1/0", "redis+cluster://c1:6379 db 0 None"),
        ] {
            assert_eq!(read(url), told, "{url}");
        }
    }

    #[cfg(feature = "tls")]
    #[test]
    fn an_s_stands_for_tls_and_sentinels_may_differ() {
        for url in ["rediss://h", "valkeys://h", "rediss+cluster://h", "rediss+sentinel://h/m"] {
            assert_eq!(parse(url).unwrap().encryption, Encryption::Tls, "{url}");
        }
        let address = parse("rediss+sentinel://h/m?sentinel_tls=no").unwrap();
        let Servers::Sentinel(sentinels) = &address.servers else { panic!("{address}") };
        assert_eq!(sentinels.encryption, Encryption::Plain);
        assert!(refusal("rediss://h/#insecure").contains("always checked"));
    }

    #[test]
    fn what_is_no_address_is_refused_and_never_repeated() {
        for url in [
            "",
            "hunter2",
            "http://hunter2",
            "redis://",
            "redis://app:hunter2@",
            "redis+sentinel://app:hunter2@h",
            "redis+sentinel://app:hunter2@h/m/x",
            "redis+sentinel://app:hunter2@h/m/0/1",
            "redis+sentinel://app:hunter2@/m",
            "redis+sentinel://app:hunter2@h,/m",
            "redis+sentinel://app:hunter2@h/m?sentinel_tls=perhaps",
            "redis+cluster://app:hunter2@h/1",
            "redis+cluster://app:hunter2@h?nodes=3",
            "redis+cluster://app:hunter2@h:port",
            "redis+cluster:app:hunter2@h",
            "redis://h?protocol=hunter2",
            "redis+cluster://h:1?hunter2@h:2",
            "redis+sentinel://h:1/m?hunter2@h:2/m",
            "redis+sentinel://h:1/m?sentinel_password=a&hunter2",
            "redis+sentinel://h:1/m?protocol=hunter2",
        ] {
            let said = refusal(url);
            assert!(!said.contains("hunter2") && !said.contains("app"), "{url}: {said}");
        }
    }

    #[test]
    fn nothing_prints_a_password() {
        let url = "redis+sentinel://app:hunter2@s1/main?sentinel_password=hunter3";
        let printed = format!("{0:?} {0}", parse(url).unwrap());
        assert!(!printed.contains("hunter"), "{printed}");
    }
}
