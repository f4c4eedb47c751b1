use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use serde::Deserialize;
use strata_app::BasePath;
use strata_cache::{ErrorChain, RedisAddress};

use super::Secret;
use super::listen::listen_address;
use super::redis_login::RedisLogin;
use super::serve_flags::ServeFlags;
use super::short::{DemoNodeFlags, DoctorFlags, HealthFlags, PurgeFlags};
use crate::log::LogFormat;
use strata_dashboard::program::{Network, PublicUrl};

/// The command line.
#[derive(Parser)]
#[command(name = "strata", version, about = "A two-level cache, shown while it runs")]
pub struct Cli {
    /// What to run.
    #[command(subcommand)]
    pub command: Command,

    /// How lines of the log are written
    #[arg(
        long,
        env = "STRATA_LOG_FORMAT",
        value_enum,
        value_name = "FORMAT",
        global = true,
        default_value = "text"
    )]
    pub log_format: LogFormat,
}

/// What the program can run.
#[derive(Subcommand)]
pub enum Command {
    /// Runs the demo service, its traffic and the dashboard over it.
    Demo(Box<DemoFlags>),
    /// Runs the dashboard over the nodes of a service, wherever they run: it sees and asks them
    /// through the Redis that they share.
    ///
    /// Without an operator token everybody may look and nobody may act.
    Serve(Box<ServeFlags>),
    /// One node of `strata demo --processes`, which starts it.
    #[command(hide = true)]
    DemoNode(DemoNodeFlags),
    /// Tries on a Redis what services with Strata's cache need of it, and says what to allow.
    ///
    /// Ends with 0 where nodes can use the Redis, with 1 where they cannot.
    Doctor(DoctorFlags),
    /// Asks a running Strata whether it is ready, for probes: ends with 0 or 1.
    Health(HealthFlags),
    /// Removes everything of a namespace from Redis, such as what a killed experiment left.
    Purge(PurgeFlags),
    /// Prints the completions of a shell.
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Prints the manual page.
    Man,
}

/// Options of `strata demo` as they were given: by flag, by variable, or in a file, where they carry
/// the same names.
#[derive(Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DemoFlags {
    /// A TOML file with further options, named as here without the dashes
    /// [default: /etc/strata/strata.toml, where it exists]
    #[arg(long, env = "STRATA_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// The address to listen on, as ADDRESS:PORT, localhost:PORT or a port of 127.0.0.1 alone;
    /// 0.0.0.0:PORT is open to other machines [default: 127.0.0.1:3000]
    #[arg(long, env = "STRATA_LISTEN", value_name = "ADDRESS", value_parser = listen_address)]
    #[serde(deserialize_with = "super::listen::deserialize")]
    pub listen: Option<SocketAddr>,

    /// A Redis 7 or Valkey to use, or "off" [default: a private redis-server]: redis://,
    /// rediss:// (TLS), unix:, redis+sentinel://HOST,HOST/MASTER or redis+cluster://HOST,HOST. A
    /// password in it stands in the list of processes; --redis-url-file keeps it out of there
    #[arg(long, env = "STRATA_REDIS_URL", value_name = "URL|off", hide_env_values = true)]
    #[serde(deserialize_with = "super::one_or_more::secret")]
    pub redis_url: Option<Secret>,

    /// A file that holds what --redis-url would say
    #[arg(long, env = "STRATA_REDIS_URL_FILE", value_name = "FILE")]
    pub redis_url_file: Option<PathBuf>,

    /// The user of Redis, in place of the one in the address
    #[arg(long, env = "STRATA_REDIS_USER", value_name = "NAME")]
    pub redis_user: Option<String>,

    /// A file that holds the password of Redis; it is read anew at each connect
    #[arg(long, env = "STRATA_REDIS_PASSWORD_FILE", value_name = "FILE")]
    pub redis_password_file: Option<PathBuf>,

    /// The authorities whose certificates a rediss:// address trusts, in PEM [default: those that
    /// browsers trust]
    #[arg(long, env = "STRATA_REDIS_CA_FILE", value_name = "FILE")]
    pub redis_ca_file: Option<PathBuf>,

    /// The certificate by which Strata shows a Redis who it is, in PEM; with --redis-key-file
    #[arg(long, env = "STRATA_REDIS_CERT_FILE", value_name = "FILE")]
    pub redis_cert_file: Option<PathBuf>,

    /// The key of that certificate, in PEM
    #[arg(long, env = "STRATA_REDIS_KEY_FILE", value_name = "FILE")]
    pub redis_key_file: Option<PathBuf>,

    /// The user of the Sentinels, where they have one
    #[arg(long, env = "STRATA_REDIS_SENTINEL_USER", value_name = "NAME")]
    pub redis_sentinel_user: Option<String>,

    /// A file that holds the password of the Sentinels
    #[arg(long, env = "STRATA_REDIS_SENTINEL_PASSWORD_FILE", value_name = "FILE")]
    pub redis_sentinel_password_file: Option<PathBuf>,

    /// The SQLite database to use [default: a seeded file in the data directory]
    #[arg(long, env = "STRATA_DATABASE_URL", value_name = "URL")]
    pub database_url: Option<String>,

    /// Where the program keeps its own database [default: data]
    #[arg(long, env = "STRATA_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Copies of the demo service, each with its own L1 (1 to 16) [default: 1]
    #[arg(long, env = "STRATA_NODES", value_name = "N")]
    pub nodes: Option<u32>,

    /// Run so many copies (1 to 16), each as a process of its own that the dashboard sees through
    /// Redis; one that ends is started again after 20 s
    #[arg(long, env = "STRATA_PROCESSES", value_name = "N", conflicts_with = "trace")]
    pub processes: Option<u32>,

    /// Traffic to begin with [default: steady, or off with --trace]
    #[arg(long, env = "STRATA_TRAFFIC", value_enum, value_name = "MODE")]
    pub traffic: Option<TrafficMode>,

    /// Requests a second, of the traffic or of the trace
    #[arg(long, env = "STRATA_RATE", value_name = "N")]
    pub rate: Option<u32>,

    /// Replay recorded requests, plain or gzip, one key a line
    #[arg(long, env = "STRATA_TRACE", value_name = "FILE")]
    pub trace: Option<PathBuf>,

    /// End the program once the trace has been replayed
    #[arg(long, env = "STRATA_ONCE", value_name = "BOOL", num_args = 0..=1,
          default_missing_value = "true", require_equals = true, value_parser = BoolishValueParser::new())]
    pub once: Option<bool>,

    /// Users to seed, with three posts each [default: 100000]
    #[arg(long, env = "STRATA_USERS", value_name = "N")]
    pub users: Option<u64>,

    /// The token that lets a person or a script act, not only look; as NAME:TOKEN it is named in
    /// the audit trail. It stands in the list of processes; --operator-token-file keeps it out
    #[arg(long, env = "STRATA_OPERATOR_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub operator_token: Option<Secret>,

    /// A file of such tokens, one a line
    #[arg(long, env = "STRATA_OPERATOR_TOKEN_FILE", value_name = "FILE")]
    pub operator_token_file: Option<PathBuf>,

    /// A token that lets a person or a script look; where there is one, nobody looks without
    #[arg(long, env = "STRATA_VIEWER_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub viewer_token: Option<Secret>,

    /// A file of such tokens, one a line
    #[arg(long, env = "STRATA_VIEWER_TOKEN_FILE", value_name = "FILE")]
    pub viewer_token_file: Option<PathBuf>,

    /// Let everybody who may look read the values of entries too
    #[arg(long, env = "STRATA_OPEN_VALUES", value_name = "BOOL", num_args = 0..=1,
          default_missing_value = "true", require_equals = true, value_parser = BoolishValueParser::new())]
    pub open_values: Option<bool>,

    /// A network whose proxies are believed when they name the address, the scheme and the user
    /// of a request, such as 127.0.0.1 or 10.0.0.0/8 (repeatable)
    #[arg(
        long = "trusted-proxy",
        env = "STRATA_TRUSTED_PROXY",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    pub trusted_proxy: Option<Vec<Network>>,

    /// The header in which a trusted proxy names the user, for the audit trail
    #[arg(long, env = "STRATA_USER_HEADER", value_name = "NAME")]
    pub user_header: Option<String>,

    /// Where browsers find the dashboard, such as `https://dash.example`
    #[arg(long, env = "STRATA_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<PublicUrl>,

    /// The path under which browsers find the dashboard, such as `/cache`, whether a proxy strips it
    /// or not [default: /]
    #[arg(long, env = "STRATA_BASE_PATH", value_name = "PATH")]
    pub base_path: Option<BasePath>,

    /// Refuse every change
    #[arg(long, env = "STRATA_READ_ONLY", value_name = "BOOL", num_args = 0..=1,
          default_missing_value = "true", require_equals = true, value_parser = BoolishValueParser::new())]
    pub read_only: Option<bool>,

    /// Keys that the console never invalidates, as CACHE:PATTERN (repeatable)
    #[arg(
        long = "protect",
        env = "STRATA_PROTECT",
        value_name = "CACHE:PATTERN",
        value_delimiter = ','
    )]
    pub protect: Option<Vec<String>>,

    /// A further host name that requests may be addressed to (repeatable)
    #[arg(
        long = "allowed-host",
        env = "STRATA_ALLOWED_HOST",
        value_name = "HOST",
        value_delimiter = ','
    )]
    #[serde(alias = "allowed-hosts")]
    pub allowed_host: Option<Vec<String>>,

    /// Of `strata serve`, which may share the file.
    #[arg(skip)]
    #[serde(deserialize_with = "super::one_or_more::texts")]
    pub namespace: Option<Vec<String>>,

    /// With --processes: the key by which their nodes know who may ask, such as strata serve
    /// [default: a random one]. It stands in the list of processes; --fleet-key-file keeps it out
    #[arg(long, env = "STRATA_FLEET_KEY", value_name = "KEY", hide_env_values = true)]
    pub fleet_key: Option<Secret>,

    /// A file that holds it
    #[arg(long, env = "STRATA_FLEET_KEY_FILE", value_name = "FILE")]
    pub fleet_key_file: Option<PathBuf>,

    /// Of `strata serve`.
    #[arg(skip)]
    pub expect: Option<Vec<String>>,

    /// Of `strata serve`.
    #[arg(skip)]
    pub metrics_per_node: Option<bool>,
}

/// Which Redis to use.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum RedisChoice {
    /// A `redis-server` of our own, started and stopped with the program.
    #[default]
    Private,
    /// None: L1 and the database alone.
    Off,
    /// This one.
    Url(String),
}

/// The traffic that the demo begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrafficMode {
    /// None until it is switched on.
    Off,
    /// A steady rate of requests.
    Steady,
}

impl FromStr for RedisChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const SCHEMES: [&str; 4] = ["redis", "valkey", "unix:", "redis+unix:"];
        match text {
            "off" => Ok(Self::Off),
            "" => Err("give a redis:// or unix: address, or \"off\"".into()),
            _ if SCHEMES.iter().any(|scheme| text.starts_with(scheme)) => {
                // The address may hold a password, so that no error repeats it.
                let address = RedisAddress::parse(text);
                let address = address.map_err(|error| ErrorChain(&error).to_string());
                address.map(|_| Self::Url(text.into()))
            }
            _ => Err("not a redis:// or unix: address, and not \"off\"".into()),
        }
    }
}

impl fmt::Debug for RedisChoice {
    // Written out so that no password reaches a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Private => "Private",
            Self::Off => "Off",
            Self::Url(_) => "Url(…)",
        })
    }
}

impl DemoFlags {
    /// How to log in at Redis.
    pub(crate) fn redis_login(&self) -> RedisLogin {
        RedisLogin {
            redis_user: self.redis_user.clone(),
            redis_password_file: self.redis_password_file.clone(),
            redis_ca_file: self.redis_ca_file.clone(),
            redis_cert_file: self.redis_cert_file.clone(),
            redis_key_file: self.redis_key_file.clone(),
            redis_sentinel_user: self.redis_sentinel_user.clone(),
            redis_sentinel_password_file: self.redis_sentinel_password_file.clone(),
        }
    }

    /// These, and for what they leave open, those of the file.
    pub(crate) fn or(self, file: Self) -> Self {
        // An address that is given chooses among those of a file that the settings name.
        let file_of_urls = file.redis_url_file.filter(|_| self.redis_url.is_none());
        Self {
            config: self.config,
            listen: self.listen.or(file.listen),
            redis_url: self.redis_url.or(file.redis_url),
            redis_url_file: self.redis_url_file.or(file_of_urls),
            redis_user: self.redis_user.or(file.redis_user),
            redis_password_file: self.redis_password_file.or(file.redis_password_file),
            redis_ca_file: self.redis_ca_file.or(file.redis_ca_file),
            redis_cert_file: self.redis_cert_file.or(file.redis_cert_file),
            redis_key_file: self.redis_key_file.or(file.redis_key_file),
            redis_sentinel_user: self.redis_sentinel_user.or(file.redis_sentinel_user),
            redis_sentinel_password_file: self
                .redis_sentinel_password_file
                .or(file.redis_sentinel_password_file),
            database_url: self.database_url.or(file.database_url),
            data_dir: self.data_dir.or(file.data_dir),
            nodes: self.nodes.or(file.nodes),
            processes: self.processes.or(file.processes),
            traffic: self.traffic.or(file.traffic),
            rate: self.rate.or(file.rate),
            trace: self.trace.or(file.trace),
            once: self.once.or(file.once),
            users: self.users.or(file.users),
            operator_token: self.operator_token.or(file.operator_token),
            operator_token_file: self.operator_token_file.or(file.operator_token_file),
            viewer_token: self.viewer_token.or(file.viewer_token),
            viewer_token_file: self.viewer_token_file.or(file.viewer_token_file),
            open_values: self.open_values.or(file.open_values),
            trusted_proxy: self.trusted_proxy.or(file.trusted_proxy),
            user_header: self.user_header.or(file.user_header),
            public_url: self.public_url.or(file.public_url),
            base_path: self.base_path.or(file.base_path),
            read_only: self.read_only.or(file.read_only),
            protect: self.protect.or(file.protect),
            allowed_host: self.allowed_host.or(file.allowed_host),
            namespace: self.namespace.or(file.namespace),
            fleet_key: self.fleet_key.or(file.fleet_key),
            fleet_key_file: self.fleet_key_file.or(file.fleet_key_file),
            expect: self.expect.or(file.expect),
            metrics_per_node: self.metrics_per_node.or(file.metrics_per_node),
        }
    }

    /// Without what concerns the demo service alone.
    pub(super) fn of_a_dashboard(self) -> Self {
        Self {
            database_url: None,
            data_dir: None,
            nodes: None,
            processes: None,
            traffic: None,
            rate: None,
            trace: None,
            once: None,
            users: None,
            metrics_per_node: Some(self.metrics_per_node.unwrap_or(false)),
            ..self
        }
    }
}
