use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use strata_cache::RedisAddress;

use super::listen::listen_address;
use super::{ConfigError, RedisChoice, RedisLogin, Secret, file};

/// Which Redis to use, where there is none of the program's own.
#[derive(Clone, Default, Args)]
pub struct RedisFlags {
    /// The Redis. A password in it stands in the list of processes; --redis-url-file keeps it out
    /// of there
    #[arg(long, env = "STRATA_REDIS_URL", value_name = "URL", hide_env_values = true)]
    pub redis_url: Option<Secret>,

    /// A file that holds what --redis-url would say
    #[arg(long, env = "STRATA_REDIS_URL_FILE", value_name = "FILE")]
    pub redis_url_file: Option<PathBuf>,

    /// How to log in there.
    #[command(flatten)]
    pub login: RedisLogin,
}

impl RedisFlags {
    /// Where it is and how to log in there; `None` where no address is given, or "off".
    ///
    /// # Errors
    /// As for the same options of `strata demo`.
    pub fn address(&self) -> Result<Option<RedisAddress>, ConfigError> {
        self.login.of(&self.choice()?)
    }

    /// The one that they name.
    ///
    /// # Errors
    /// As for the same options of `strata demo`.
    pub fn choice(&self) -> Result<RedisChoice, ConfigError> {
        super::secrets::redis(self.redis_url.clone(), self.redis_url_file.clone())
    }
}

/// Options of the process of one node of the demo.
#[derive(Clone, Args)]
pub struct DemoNodeFlags {
    /// The node's id
    #[arg(long, value_name = "ID")]
    pub id: String,

    /// The namespace of the service that it is a node of [default: that of the demo]
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,

    /// Its Redis.
    #[command(flatten)]
    pub redis: RedisFlags,

    /// The database of the demo
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,

    /// Where the demo keeps its own database
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Users in it
    #[arg(long, value_name = "N")]
    pub users: u64,

    /// Requests a second
    #[arg(long, value_name = "N")]
    pub rate: Option<u32>,

    /// Begin with traffic
    #[arg(long)]
    pub with_traffic: bool,
}

/// Options of `strata doctor`.
#[derive(Clone, Args)]
pub struct DoctorFlags {
    /// Which Redis to try.
    #[command(flatten)]
    pub redis: RedisFlags,

    /// The namespace to try it in, where the user may touch no other; no node is started then
    /// [default: one of its own, removed at the end]
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `strata health`.
#[derive(Clone, Args)]
pub struct HealthFlags {
    /// A TOML file whose listen tells where it listens, as for strata demo
    /// [default: /etc/strata/strata.toml, where it exists]
    #[arg(long, env = "STRATA_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where it listens [default: 127.0.0.1:3000]
    #[arg(long, env = "STRATA_LISTEN", value_name = "ADDRESS", value_parser = listen_address)]
    pub listen: Option<SocketAddr>,
}

impl HealthFlags {
    const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

    /// Where it listens. The file is read only where no flag or variable says it.
    ///
    /// # Errors
    /// Where the file cannot be read or understood, or does not exist although it was given.
    pub fn address(&self) -> Result<SocketAddr, ConfigError> {
        if let Some(listen) = self.listen {
            return Ok(listen);
        }
        let file = file::settings_file(self.config.as_deref())?;
        Ok(file::listen(&file)?.unwrap_or(Self::DEFAULT))
    }
}

/// Options of `strata purge`.
#[derive(Clone, Args)]
pub struct PurgeFlags {
    /// Which Redis to remove from.
    #[command(flatten)]
    pub redis: RedisFlags,

    /// The namespace; the lab's are named lab-…
    #[arg(long, value_name = "NAME")]
    pub namespace: String,

    /// Do it: without this nothing is removed
    #[arg(long)]
    pub yes: bool,

    /// Do it even while nodes use the namespace: they lose what they have not written yet, and
    /// write new entries meanwhile
    #[arg(long)]
    pub while_in_use: bool,
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn health_is_asked_where_the_file_says_unless_a_flag_says_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("strata.toml");
        fs::write(&path, "listen = '10.0.0.7:80'\nnodes = 2\n").unwrap();
        let asked = |listen: Option<&str>, config: &PathBuf| {
            let listen = listen.map(|listen| listen.parse().unwrap());
            let flags = HealthFlags { config: Some(config.clone()), listen };
            flags.address().map(|address| address.to_string())
        };
        assert_eq!(asked(None, &path).unwrap(), "10.0.0.7:80");
        assert_eq!(asked(Some("127.0.0.1:3100"), &path).unwrap(), "127.0.0.1:3100");
        fs::write(&path, "nodes = 2\n").unwrap();
        assert_eq!(asked(None, &path).unwrap(), "127.0.0.1:3000");
        let missing = asked(None, &dir.path().join("none.toml")).unwrap_err();
        assert!(missing.to_string().contains("none.toml"), "{missing}");
    }
}
