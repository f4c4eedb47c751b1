use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use axum::http::HeaderName;
use leptos::config::LeptosOptions;
use strata_console::{Protected, ProtectedError, Token, TokenError};

use super::file::ConfigFile;
use super::secrets;
use super::{DemoFlags, Network, PublicUrl, RedisChoice, TrafficMode};

// No `Debug`: it holds tokens, and addresses that may hold passwords.
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
    /// The tokens that let somebody act.
    pub operators: Vec<Token>,
    /// The tokens that let somebody look; where there are any, nobody looks without.
    pub viewers: Vec<Token>,
    /// Whether whoever may look may read values.
    pub open_values: bool,
    /// The networks of proxies that are believed.
    pub trusted_proxies: Vec<Network>,
    /// The header in which they name the user.
    pub user_header: Option<HeaderName>,
    /// Where browsers find the dashboard.
    pub public_url: Option<PublicUrl>,
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
    #[error("read {0}: {1}")]
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
    #[error("protect {text:?}: failed to {reason}")]
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
        let file = ConfigFile::read(path)?;
        let flags = flags.or(file.flags);
        let settings = Self {
            listen: flags.listen.unwrap_or(file.leptos.site_addr),
            redis: secrets::redis(flags.redis_url, flags.redis_url_file)?,
            database_url: flags.database_url,
            data_dir: flags.data_dir.unwrap_or_else(|| "data".into()),
            nodes: flags.nodes.unwrap_or(1),
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
mod tests {
    use std::fs;

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
        assert!(error.to_string().contains("`node`"), "{error}");
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
    fn a_token_that_nobody_could_present_is_refused_by_the_name_of_its_option() {
        for option in ["operator-token", "viewer-token"] {
            for token in ["''", "' '", "'a;b'", "'pässwort'", "'two words'", "\"two\\nwo rds\""] {
                let error = resolve(DemoFlags::default(), &format!("{option} = {token}"));
                let error = error.err().unwrap().to_string();
                assert!(error.contains(&format!("--{option}")), "{token}: {error}");
                let secret = token.trim_matches(['\'', '"', ' ']);
                assert!(secret.is_empty() || !error.contains(secret), "{error}");
            }
        }
    }

    #[test]
    fn tokens_come_from_options_and_files_and_lose_the_white_space_around_them() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tokens");
        fs::write(&file, "anna:one\r\n\n ben:two \n").unwrap();
        let flags = DemoFlags {
            operator_token: Some("sesame\n".into()),
            operator_token_file: Some(file),
            viewer_token: Some("carla:three".into()),
            ..DemoFlags::default()
        };
        let settings = resolve(flags, "").unwrap();
        let names: Vec<_> = settings.operators.iter().map(Token::name).collect();
        assert_eq!(names, ["operator", "anna", "ben"]);
        assert!(settings.operators[0].is("sesame") && settings.operators[2].is("two"));
        assert_eq!(settings.viewers[0].name(), "carla");
    }

    #[test]
    fn a_file_of_tokens_that_is_missing_or_empty_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tokens");
        let read = || {
            let viewer_token_file = Some(file.clone());
            resolve(DemoFlags { viewer_token_file, ..DemoFlags::default() }, "")
        };
        let missing = read().err().unwrap().to_string();
        assert!(missing.contains("--viewer-token-file") && missing.contains("tokens"), "{missing}");
        fs::write(&file, "\n").unwrap();
        assert!(read().err().unwrap().to_string().contains("--viewer-token-file"));
    }

    #[test]
    fn a_viewer_cannot_have_an_operators_token() {
        let shared = "operator-token = 'anna:one'\nviewer-token = 'ben:one'";
        let error = resolve(DemoFlags::default(), shared).err().unwrap();
        assert!(matches!(error, ConfigError::SharedToken));
    }

    #[test]
    fn a_user_is_named_by_a_header_only_behind_a_trusted_proxy() {
        let header = "user-header = 'X-Forwarded-User'";
        let error = resolve(DemoFlags::default(), header).err().unwrap();
        assert!(matches!(error, ConfigError::UserHeaderWithoutProxy));
        let trusted = format!("{header}\ntrusted-proxy = ['127.0.0.1', '10.0.0.0/8']");
        assert_eq!(resolve(DemoFlags::default(), &trusted).unwrap().trusted_proxies.len(), 2);
        let error = resolve(DemoFlags::default(), "user-header = 'a b'").err().unwrap();
        assert!(error.to_string().contains("--user-header"), "{error}");
    }

    #[test]
    fn what_is_wrong_in_the_file_is_told_without_the_line_that_may_hold_a_secret() {
        for line in [
            "operator-token = sesame",
            "operator-token = 's3same' x",
            "operator-token = 5353",
            "operator-tokn = 'sesame'",
            "redis-url = 'http://:s3same@redis'",
            "redis-url = [5353]",
        ] {
            let error = resolve(DemoFlags::default(), &format!("nodes = 2\n{line}"));
            let error = error.err().unwrap();
            for printed in [error.to_string(), format!("{error:?}")] {
                let leaks = ["sesame", "s3same", "5353"].iter().any(|part| printed.contains(part));
                assert!(!leaks, "{line}: {printed}");
            }
        }
        let error = resolve(DemoFlags::default(), "nodes = 2\noperator-token = 5").err().unwrap();
        assert!(error.to_string().contains("line 5"), "{error}");
    }

    #[test]
    fn an_address_of_redis_can_be_read_from_a_file_and_is_never_printed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("redis");
        fs::write(&file, "redis://:s3same@127.0.0.1\n").unwrap();
        let redis_url_file = Some(file);
        let flags = DemoFlags { redis_url_file, ..DemoFlags::default() };
        let redis = resolve(flags.clone(), "").unwrap().redis;
        assert_eq!(redis, RedisChoice::Url("redis://:s3same@127.0.0.1".into()));
        assert!(!format!("{redis:?}").contains("s3same"));
        let error = resolve(flags, "redis-url = 'off'").err().unwrap();
        assert!(matches!(error, ConfigError::TwoRedis));
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
