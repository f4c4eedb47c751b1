use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use leptos::config::LeptosOptions;
use strata_console::{Protected, ProtectedError};

use super::file::ConfigFile;
use super::{DemoFlags, RedisChoice, TrafficMode};

// No `Debug`: it holds the operator's token, and addresses that may hold passwords.
/// What `strata demo` runs with, after flags, variables and file have been put together.
#[derive(Clone)]
pub struct Settings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Which Redis to use.
    pub redis: RedisChoice,
    /// The database, where it is not one of our own.
    pub database_url: Option<String>,
    /// Where our own database lies.
    pub data_dir: PathBuf,
    /// How many copies of the demo service.
    pub nodes: u32,
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
    /// The token that lets somebody act.
    pub operator_token: Option<String>,
    /// Whether every change is refused.
    pub read_only: bool,
    /// Keys that the console never invalidates.
    pub protected: Vec<Protected>,
    /// Further host names that requests may be addressed to.
    pub allowed_hosts: Vec<String>,
    /// How pages are served.
    pub leptos: LeptosOptions,
}

/// Why the options make no sense.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there and cannot be read.
    #[error("read {0}")]
    Unreadable(PathBuf, #[source] io::Error),
    /// The file is no TOML, or names an option that does not exist.
    #[error("read {0}")]
    Malformed(PathBuf, #[source] toml::de::Error),
    /// The part of the file that Leptos reads is wrong.
    #[error("read the Leptos options: {0}")]
    Leptos(String),
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
    /// An empty token would let everybody act.
    #[error("use an empty operator token")]
    EmptyToken,
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
        let file = ConfigFile::read(path)?;
        let flags = flags.or(file.flags);
        let settings = Self {
            listen: flags.listen.unwrap_or(file.leptos.site_addr),
            redis: flags.redis_url.unwrap_or_default(),
            database_url: flags.database_url,
            data_dir: flags.data_dir.unwrap_or_else(|| "data".into()),
            nodes: flags.nodes.unwrap_or(1),
            traffic: flags.traffic.unwrap_or(default_traffic(flags.trace.as_deref())),
            rate_per_s: flags.rate,
            trace: flags.trace,
            once: flags.once.unwrap_or(false),
            n_users: flags.users.unwrap_or(Self::DEFAULT_N_USERS),
            operator_token: flags.operator_token,
            read_only: flags.read_only.unwrap_or(false),
            protected: protected(flags.protect.unwrap_or_default())?,
            allowed_hosts: flags.allowed_hosts.unwrap_or_default(),
            leptos: file.leptos,
        };
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), ConfigError> {
        within("nodes", self.nodes.into(), 1..=16, "between 1 and 16")?;
        within("users", self.n_users, 1..=10_000_000, "between 1 and 10000000")?;
        if let Some(rate) = self.rate_per_s {
            within("rate", rate.into(), 1..=1_000_000, "between 1 and 1000000")?;
        }
        if self.operator_token.as_deref().is_some_and(str::is_empty) {
            return Err(ConfigError::EmptyToken);
        }
        if self.once && self.trace.is_none() {
            return Err(ConfigError::OnceWithoutTrace);
        }
        Ok(())
    }
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
mod tests {
    use std::fs;

    use strata_cache::ErrorChain;

    use super::*;

    const LEPTOS: &str = "[package.metadata.leptos]\noutput-name = \"strata\"\n";

    fn resolve(flags: DemoFlags, strata: &str) -> Result<Settings, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("Leptos.toml");
        fs::write(&path, format!("{LEPTOS}[strata]\n{strata}\n")).unwrap();
        Settings::resolve(flags, &path)
    }

    #[test]
    fn a_flag_comes_before_the_file_and_the_file_before_the_default() {
        let flags = DemoFlags { nodes: Some(3), ..DemoFlags::default() };
        let settings = resolve(flags, "nodes = 2\nusers = 500").unwrap();
        assert_eq!(settings.nodes, 3);
        assert_eq!(settings.n_users, 500);
        assert_eq!(settings.redis, RedisChoice::Private);
        assert_eq!(settings.traffic, TrafficMode::Steady);
    }

    #[test]
    fn an_unknown_option_in_the_file_is_named() {
        let error = resolve(DemoFlags::default(), "node = 2").err().unwrap();
        let said = ErrorChain(&error).to_string();
        assert!(said.contains("`node`"), "{said}");
    }

    #[test]
    fn what_is_wrong_with_an_option_is_said_once() {
        for strata in ["node = 2", "protect = ['users']"] {
            let error = resolve(DemoFlags::default(), strata).err().unwrap();
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(!error.to_string().contains(&source), "{error}");
            assert!(ErrorChain(&error).to_string().ends_with(&source), "{error}");
        }
    }

    #[test]
    fn a_file_that_does_not_exist_is_an_empty_one() {
        let settings = Settings::resolve(DemoFlags::default(), "no/such/file".as_ref()).unwrap();
        assert_eq!(settings.n_users, Settings::DEFAULT_N_USERS);
    }

    #[test]
    fn numbers_outside_their_range_are_refused() {
        for strata in ["nodes = 0", "nodes = 17", "users = 0", "rate = 0"] {
            let error = resolve(DemoFlags::default(), strata).err().unwrap();
            assert!(matches!(error, ConfigError::OutOfRange { .. }), "{strata}: {error}");
        }
    }

    #[test]
    fn a_trace_silences_the_other_traffic_unless_it_is_asked_for() {
        let trace =
            |traffic| DemoFlags { trace: Some("t".into()), traffic, ..DemoFlags::default() };
        assert_eq!(resolve(trace(None), "").unwrap().traffic, TrafficMode::Off);
        let asked = trace(Some(TrafficMode::Steady));
        assert_eq!(resolve(asked, "").unwrap().traffic, TrafficMode::Steady);
    }

    #[test]
    fn an_empty_token_is_refused() {
        let error = resolve(DemoFlags::default(), "operator-token = ''").err().unwrap();
        assert!(matches!(error, ConfigError::EmptyToken));
    }

    #[test]
    fn protected_keys_are_read_and_what_names_none_is_refused() {
        let protected = resolve(DemoFlags::default(), "protect = ['users:1*']").unwrap().protected;
        assert_eq!(protected, ["users:1*".parse().unwrap()]);
        let error = resolve(DemoFlags::default(), "protect = ['users']").err().unwrap();
        assert!(error.to_string().contains("users"), "{error}");
    }

    #[test]
    fn redis_is_an_address_or_off() {
        assert_eq!("off".parse(), Ok(RedisChoice::Off));
        let url = "redis+unix:///run/redis.sock";
        assert_eq!(url.parse(), Ok(RedisChoice::Url(url.into())));
        assert!("localhost:6379".parse::<RedisChoice>().is_err());
    }
}
