use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

/// The command line.
#[derive(Parser)]
#[command(name = "strata", version, about = "A two-level cache, shown while it runs")]
pub struct Cli {
    /// What to run.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can run.
#[derive(Subcommand)]
pub enum Command {
    /// Runs the demo service, its traffic and the dashboard over it.
    Demo(Box<DemoFlags>),
}

/// Options of `strata demo` as they were given: by flag, by variable, or in `[strata]` of
/// `Leptos.toml`, where they carry the same names.
#[derive(Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DemoFlags {
    /// The address to listen on [default: 127.0.0.1:3000]
    #[arg(long, env = "STRATA_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,

    /// A Redis 7 or Valkey to use, or "off" [default: a private redis-server]
    #[arg(long, env = "STRATA_REDIS_URL", value_name = "URL|off")]
    pub redis_url: Option<RedisChoice>,

    /// The SQLite database to use [default: a seeded file in the data directory]
    #[arg(long, env = "STRATA_DATABASE_URL", value_name = "URL")]
    pub database_url: Option<String>,

    /// Where the program keeps its own database [default: data]
    #[arg(long, env = "STRATA_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Copies of the demo service, each with its own L1 (1 to 16) [default: 1]
    #[arg(long, env = "STRATA_NODES", value_name = "N")]
    pub nodes: Option<u32>,

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

    /// The token that lets a person or a script act, not only look
    #[arg(long, env = "STRATA_OPERATOR_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub operator_token: Option<String>,

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
        env = "STRATA_ALLOWED_HOSTS",
        value_name = "HOST",
        value_delimiter = ','
    )]
    pub allowed_hosts: Option<Vec<String>>,
}

/// Which Redis to use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
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
        const SCHEMES: [&str; 3] = ["redis://", "redis+unix://", "unix://"];
        match text {
            "off" => Ok(Self::Off),
            "" => Err("give a redis:// or redis+unix:// address, or \"off\"".into()),
            _ if SCHEMES.iter().any(|scheme| text.starts_with(scheme)) => {
                Ok(Self::Url(text.into()))
            }
            // The address may hold a password, so it is not repeated.
            _ => Err("not a redis:// or redis+unix:// address, and not \"off\"".into()),
        }
    }
}

impl TryFrom<String> for RedisChoice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl DemoFlags {
    /// These, and for what they leave open, those of the file.
    pub(crate) fn or(self, file: Self) -> Self {
        Self {
            listen: self.listen.or(file.listen),
            redis_url: self.redis_url.or(file.redis_url),
            database_url: self.database_url.or(file.database_url),
            data_dir: self.data_dir.or(file.data_dir),
            nodes: self.nodes.or(file.nodes),
            traffic: self.traffic.or(file.traffic),
            rate: self.rate.or(file.rate),
            trace: self.trace.or(file.trace),
            once: self.once.or(file.once),
            users: self.users.or(file.users),
            operator_token: self.operator_token.or(file.operator_token),
            read_only: self.read_only.or(file.read_only),
            protect: self.protect.or(file.protect),
            allowed_hosts: self.allowed_hosts.or(file.allowed_hosts),
        }
    }
}
