use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use axum::http::HeaderName;
use strata_app::BasePath;
use strata_console::{Protected, ProtectedError, Token, TokenError};

use super::{DemoFlags, RedisChoice, RedisLogin, Secret, TrafficMode, file, secrets};
use crate::serving::ServingLimits;
use strata_dashboard::program::{Network, PublicUrl};

/// Where the program listens unless it is told otherwise: for this machine alone.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

// No `Debug`: it holds tokens, and addresses that may hold passwords.
/// What `strata demo` runs with, after flags, variables and file have been put together.
#[derive(Clone)]
pub struct Settings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Which Redis to use.
    pub redis: RedisChoice,
    /// How to log in there.
    pub redis_login: RedisLogin,
    /// The database, where it is not one of our own.
    pub database_url: Option<String>,
    /// Where our own database lies.
    pub data_dir: PathBuf,
    /// How many copies of the demo service.
    pub nodes: u32,
    /// How many as processes of their own, instead of copies in this one.
    pub processes: Option<u32>,
    /// The traffic to begin with.
    pub traffic: TrafficMode,
    /// Requests a second of the traffic or the trace; `None` is the traffic's default, and a
    /// trace as fast as it goes.
    pub rate_per_s: Option<u32>,
    /// Recorded requests to replay.
    pub trace: Option<PathBuf>,
    /// Whether the program ends with the trace.
    pub once: bool,
    /// Users to seed.
    pub n_users: u64,
    /// Tokens with the right to act.
    pub operators: Vec<Token>,
    /// Tokens with the right to look. Where there are any, looking needs one.
    pub viewers: Vec<Token>,
    /// Whether the right to look includes the values of entries.
    pub open_values: bool,
    /// The networks of proxies that are believed.
    pub trusted_proxies: Vec<Network>,
    /// The header in which they name the user.
    pub user_header: Option<HeaderName>,
    /// Where browsers find the dashboard.
    pub public_url: Option<PublicUrl>,
    /// The path under which they find it.
    pub base_path: BasePath,
    /// Whether every change is refused.
    pub read_only: bool,
    /// Keys that the console never invalidates.
    pub protected: Vec<Protected>,
    /// Further host names that requests may be addressed to.
    pub allowed_hosts: Vec<String>,
    /// How long peers may take, and how many of them there may be.
    pub serving: ServingLimits,
    /// Whether each node has metrics of its own, or they are added up by cache.
    pub metrics_per_node: bool,
    /// The key that nodes elsewhere and dashboards share.
    pub fleet_key: Option<Secret>,
}

/// Why the options make no sense.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there and cannot be read.
    #[error("read {}", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    /// The file is no TOML, or names an option that does not exist.
    #[error("read {path}, line {line}: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong; never the line itself, which may hold a secret.
        reason: String,
    },
    /// An option is outside its range.
    #[error("use {option} = {given}: it must be {range}")]
    OutOfRange {
        /// The option.
        option: &'static str,
        /// What was given.
        given: u64,
        /// What would do.
        range: &'static str,
    },
    /// A text that should name protected keys does not.
    #[error("protect {text:?}")]
    Protected {
        /// The text.
        text: String,
        /// What is wrong with it.
        #[source]
        reason: ProtectedError,
    },
    /// A token is none that anybody could present.
    #[error("{reason} ({option})")]
    Token {
        /// The option that holds it.
        option: &'static str,
        /// What is wrong with it.
        #[source]
        reason: TokenError,
    },
    /// Whoever should only look could act.
    #[error("use one token for operators and viewers (--viewer-token)")]
    SharedToken,
    /// A file that holds a secret cannot be read.
    #[error("read {path} for {option}: {reason}")]
    SecretFile {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        reason: io::Error,
    },
    /// An address of Redis that is none.
    #[error("use {option}: {reason}")]
    Redis {
        /// The option that holds it.
        option: &'static str,
        /// What is wrong with it; never the address itself, which may hold a password.
        reason: String,
    },
    /// Two options that say the same.
    #[error("use --redis-url and --redis-url-file together")]
    TwoRedis,
    /// A trace is replayed on a node of the program's own.
    #[error("use --processes with --trace")]
    TraceWithProcesses,
    /// Nothing else leads to processes of their own.
    #[error("use --processes with --redis-url off")]
    ProcessesWithoutRedis,
    /// Services are seen through a Redis, and none is named.
    #[error(
        "watch services without the address of their Redis: set --redis-url or --redis-url-file"
    )]
    NoRedis,
    /// A name that no namespace has.
    #[error(
        "use {0:?} as a namespace: it must be 1 to 64 of a-z, 0-9, _ and -, and before a colon \
         may stand the name of a Redis"
    )]
    Namespace(String),
    /// A text that does not say how many nodes there should be.
    #[error("use --expect {0:?}: it must be NAME=N, such as shop-api=6")]
    Expect(String),
    /// Two options that say the same.
    #[error("use --fleet-key and --fleet-key-file together")]
    TwoFleetKeys,
    /// A name that no header has.
    #[error("use {0:?} as the name of a header (--user-header)")]
    UserHeader(String),
    /// Anybody could name themselves.
    #[error("use --user-header without --trusted-proxy")]
    UserHeaderWithoutProxy,
    /// `--once` ends after a trace, and there is none.
    #[error("use --once without --trace")]
    OnceWithoutTrace,
}

impl Settings {
    /// Users that are seeded where nothing else is said.
    pub const DEFAULT_N_USERS: u64 = 100_000;

    /// A flag comes before its variable, the variable before the file, the file before the
    /// default. A file that does not exist is an empty one.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn resolve(flags: DemoFlags, path: &Path) -> Result<Self, ConfigError> {
        Self::of(flags.or(file::read(path)?))
    }

    pub(super) fn of(flags: DemoFlags) -> Result<Self, ConfigError> {
        let settings = Self {
            listen: flags.listen.unwrap_or(DEFAULT_LISTEN),
            redis_login: flags.redis_login(),
            redis: secrets::redis(flags.redis_url, flags.redis_url_file)?,
            database_url: flags.database_url,
            data_dir: flags.data_dir.unwrap_or_else(|| "data".into()),
            nodes: flags.nodes.unwrap_or(1),
            processes: flags.processes,
            traffic: flags.traffic.unwrap_or(default_traffic(flags.trace.as_deref())),
            rate_per_s: flags.rate,
            trace: flags.trace,
            once: flags.once.unwrap_or(false),
            n_users: flags.users.unwrap_or(Self::DEFAULT_N_USERS),
            operators: secrets::OPERATORS.read(flags.operator_token, flags.operator_token_file)?,
            viewers: secrets::VIEWERS.read(flags.viewer_token, flags.viewer_token_file)?,
            open_values: flags.open_values.unwrap_or(false),
            trusted_proxies: flags.trusted_proxy.unwrap_or_default(),
            user_header: flags.user_header.map(header_name).transpose()?,
            public_url: flags.public_url,
            base_path: flags.base_path.unwrap_or_default(),
            read_only: flags.read_only.unwrap_or(false),
            protected: protected(flags.protect.unwrap_or_default())?,
            allowed_hosts: flags.allowed_host.unwrap_or_default(),
            serving: ServingLimits::default(),
            metrics_per_node: flags.metrics_per_node.unwrap_or(true),
            fleet_key: secrets::fleet_key(flags.fleet_key, flags.fleet_key_file)?,
        };
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.redis_login.of(&self.redis)?;
        within("nodes", self.nodes.into(), 1..=16, "between 1 and 16")?;
        if let Some(processes) = self.processes {
            within("processes", processes.into(), 1..=16, "between 1 and 16")?;
            if self.trace.is_some() {
                return Err(ConfigError::TraceWithProcesses);
            }
            if self.redis == RedisChoice::Off {
                return Err(ConfigError::ProcessesWithoutRedis);
            }
        }
        within("users", self.n_users, 1..=10_000_000, "between 1 and 10000000")?;
        if let Some(rate) = self.rate_per_s {
            within("rate", rate.into(), 1..=1_000_000, "between 1 and 1000000")?;
        }
        let is_operators = |viewer: &Token| self.operators.iter().any(|one| one.is_same_as(viewer));
        if self.viewers.iter().any(is_operators) {
            return Err(ConfigError::SharedToken);
        }
        if self.user_header.is_some() && self.trusted_proxies.is_empty() {
            return Err(ConfigError::UserHeaderWithoutProxy);
        }
        if self.once && self.trace.is_none() {
            return Err(ConfigError::OnceWithoutTrace);
        }
        Ok(())
    }
}

fn header_name(name: String) -> Result<HeaderName, ConfigError> {
    name.parse().map_err(|_| ConfigError::UserHeader(name))
}

fn protected(texts: Vec<String>) -> Result<Vec<Protected>, ConfigError> {
    let read = |text: String| match text.parse() {
        Ok(protected) => Ok(protected),
        Err(reason) => Err(ConfigError::Protected { text, reason }),
    };
    texts.into_iter().map(read).collect()
}

// A replay's totals should be those of the trace, so nothing else reads meanwhile.
fn default_traffic(trace: Option<&Path>) -> TrafficMode {
    if trace.is_some() { TrafficMode::Off } else { TrafficMode::Steady }
}

fn within(
    option: &'static str,
    given: u64,
    allowed: std::ops::RangeInclusive<u64>,
    range: &'static str,
) -> Result<(), ConfigError> {
    if allowed.contains(&given) {
        Ok(())
    } else {
        Err(ConfigError::OutOfRange { option, given, range })
    }
}

#[cfg(test)]
mod tests;
