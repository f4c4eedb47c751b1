use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use strata_app::BasePath;

use super::listen::listen_address;
use super::{DemoFlags, RedisLogin, Secret};
use strata_dashboard::program::{Network, PublicUrl};

/// Options of `strata serve` as they were given. In a file they carry the same names.
#[derive(Clone, Default, Args)]
pub struct ServeFlags {
    /// A TOML file with further options, named as here without the dashes
    /// [default: /etc/strata/strata.toml, where it exists]
    #[arg(long, env = "STRATA_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The Redis in which services are looked for. Of several, each has a name: eu=redis://…
    /// (repeatable). A password in it stands in the list of processes; --redis-url-file keeps it
    /// out of there
    #[arg(long, env = "STRATA_REDIS_URL", value_name = "[NAME=]URL", hide_env_values = true)]
    pub redis_url: Option<Vec<Secret>>,

    /// A file that holds what --redis-url would say, one a line
    #[arg(long, env = "STRATA_REDIS_URL_FILE", value_name = "FILE")]
    pub redis_url_file: Option<PathBuf>,

    /// How to log in there.
    #[command(flatten)]
    pub login: RedisLogin,

    /// A service to show, by the namespace of its nodes, or as REDIS:NAMESPACE (repeatable)
    /// [default: all that nodes announce]
    #[arg(long, env = "STRATA_NAMESPACE", value_name = "NAME", value_delimiter = ',')]
    pub namespace: Option<Vec<String>>,

    /// The key that the nodes share (their STRATA_FLEET_KEY): without it they show no values and
    /// load nothing. It stands in the list of processes; --fleet-key-file keeps it out
    #[arg(long, env = "STRATA_FLEET_KEY", value_name = "KEY", hide_env_values = true)]
    pub fleet_key: Option<Secret>,

    /// A file that holds it
    #[arg(long, env = "STRATA_FLEET_KEY_FILE", value_name = "FILE")]
    pub fleet_key_file: Option<PathBuf>,

    /// How many nodes of a program or a namespace there should be, as NAME=N: fewer are an alert
    /// (repeatable)
    #[arg(long, env = "STRATA_EXPECT", value_name = "NAME=N", value_delimiter = ',')]
    pub expect: Option<Vec<String>>,

    /// Give each node metrics of its own, instead of adding nodes up by cache: many nodes make very
    /// many series
    #[arg(long, env = "STRATA_METRICS_PER_NODE", value_name = "BOOL", num_args = 0..=1,
          default_missing_value = "true", require_equals = true, value_parser = BoolishValueParser::new())]
    pub metrics_per_node: Option<bool>,

    /// The address to listen on, as ADDRESS:PORT, localhost:PORT or a port of 127.0.0.1 alone;
    /// 0.0.0.0:PORT is open to other machines [default: 127.0.0.1:3000]
    #[arg(long, env = "STRATA_LISTEN", value_name = "ADDRESS", value_parser = listen_address)]
    pub listen: Option<SocketAddr>,

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
        value_name = "NETWORK",
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
    pub allowed_host: Option<Vec<String>>,
}

impl From<ServeFlags> for DemoFlags {
    /// One file serves both commands, so both have one form for what they read from it.
    fn from(flags: ServeFlags) -> Self {
        let login = flags.login;
        let one_text = |urls: Vec<Secret>| {
            let lines: Vec<_> = urls.iter().map(Secret::reveal).collect();
            Secret::from(&*lines.join("\n"))
        };
        Self {
            config: flags.config,
            listen: flags.listen,
            redis_url: flags.redis_url.map(one_text),
            redis_url_file: flags.redis_url_file,
            redis_user: login.redis_user,
            redis_password_file: login.redis_password_file,
            redis_ca_file: login.redis_ca_file,
            redis_cert_file: login.redis_cert_file,
            redis_key_file: login.redis_key_file,
            redis_sentinel_user: login.redis_sentinel_user,
            redis_sentinel_password_file: login.redis_sentinel_password_file,
            operator_token: flags.operator_token,
            operator_token_file: flags.operator_token_file,
            viewer_token: flags.viewer_token,
            viewer_token_file: flags.viewer_token_file,
            open_values: flags.open_values,
            trusted_proxy: flags.trusted_proxy,
            user_header: flags.user_header,
            public_url: flags.public_url,
            base_path: flags.base_path,
            read_only: flags.read_only,
            protect: flags.protect,
            allowed_host: flags.allowed_host,
            namespace: flags.namespace,
            fleet_key: flags.fleet_key,
            fleet_key_file: flags.fleet_key_file,
            expect: flags.expect,
            metrics_per_node: flags.metrics_per_node,
            ..Self::default()
        }
    }
}
