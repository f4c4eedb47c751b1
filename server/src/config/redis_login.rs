use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use strata_cache::{ErrorChain, RedisAddress};

use super::{ConfigError, RedisChoice};

/// How to log in at Redis, beside what its address says. The files are read anew at each connect.
#[derive(Clone, Debug, Default, Args)]
pub struct RedisLogin {
    /// The user of Redis, in place of the one in the address
    #[arg(long, env = "STRATA_REDIS_USER", value_name = "NAME")]
    pub redis_user: Option<String>,

    /// A file that holds the password of Redis
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
}

impl RedisLogin {
    /// Where Redis is, and how to log in there.
    ///
    /// # Errors
    /// Where the address and the options contradict each other.
    pub fn at(&self, url: &str) -> Result<RedisAddress, ConfigError> {
        let refused = |reason| ConfigError::Redis { option: "--redis-url", reason };
        let address = RedisAddress::parse(url);
        let mut address = address.map_err(|error| refused(ErrorChain(&error).to_string()))?;
        if let Some(user) = &self.redis_user {
            address = address.user(user);
        }
        if let Some(file) = &self.redis_password_file {
            address = address.password_file(file);
        }
        if let Some(file) = &self.redis_ca_file {
            address = address.ca_file(file);
        }
        address = match (&self.redis_cert_file, &self.redis_key_file) {
            (Some(certificate), Some(key)) => address.client_certificate(certificate, key),
            (None, None) => address,
            _ => {
                let reason = "a certificate and its key go together";
                let option = "--redis-cert-file and --redis-key-file";
                return Err(ConfigError::Redis { option, reason: reason.to_owned() });
            }
        };
        if let Some(user) = &self.redis_sentinel_user {
            address = address.sentinel_user(user);
        }
        if let Some(file) = &self.redis_sentinel_password_file {
            address = address.sentinel_password_file(file);
        }
        self.check(&address)?;
        Ok(address)
    }

    /// The variables that say the same to another program.
    pub(crate) fn variables(&self) -> Vec<(&'static str, OsString)> {
        let texts = [
            ("STRATA_REDIS_USER", &self.redis_user),
            ("STRATA_REDIS_SENTINEL_USER", &self.redis_sentinel_user),
        ];
        let files = [
            ("STRATA_REDIS_PASSWORD_FILE", &self.redis_password_file),
            ("STRATA_REDIS_CA_FILE", &self.redis_ca_file),
            ("STRATA_REDIS_CERT_FILE", &self.redis_cert_file),
            ("STRATA_REDIS_KEY_FILE", &self.redis_key_file),
            ("STRATA_REDIS_SENTINEL_PASSWORD_FILE", &self.redis_sentinel_password_file),
        ];
        let texts =
            texts.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?.into())));
        let files =
            files.into_iter().filter_map(|(name, file)| Some((name, file.as_ref()?.into())));
        texts.chain(files).collect()
    }

    /// The same, where there is an address.
    ///
    /// # Errors
    /// As [`at`](Self::at).
    pub fn of(&self, choice: &RedisChoice) -> Result<Option<RedisAddress>, ConfigError> {
        match choice {
            RedisChoice::Url(url) => self.at(url).map(Some),
            RedisChoice::Private | RedisChoice::Off => Ok(None),
        }
    }

    /// Files of certificates that nothing would use protect nobody.
    fn check(&self, address: &RedisAddress) -> Result<(), ConfigError> {
        let option = match (&self.redis_ca_file, &self.redis_cert_file) {
            (Some(_), _) => "--redis-ca-file",
            (None, Some(_)) => "--redis-cert-file",
            (None, None) => return Ok(()),
        };
        if address.is_encrypted() {
            return Ok(());
        }
        let reason = format!("{address} is not encrypted: give a rediss:// address");
        Err(ConfigError::Redis { option, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(login: &RedisLogin, url: &str) -> String {
        login.at(url).err().unwrap().to_string()
    }

    #[test]
    fn certificates_belong_to_an_encrypted_address_and_a_certificate_to_its_key() {
        let file = || Some(PathBuf::from("/nosuch.pem"));
        let trusts = RedisLogin { redis_ca_file: file(), ..RedisLogin::default() };
        let said = refusal(&trusts, "redis://app:hunter2@cache.example");
        assert!(said.contains("--redis-ca-file") && said.contains("rediss://"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert!(trusts.at("rediss://cache.example").is_ok());
        let half = RedisLogin { redis_cert_file: file(), ..trusts };
        assert!(refusal(&half, "rediss://cache.example").contains("go together"));
    }

    #[test]
    fn every_form_of_an_address_may_be_given() {
        for url in [
            "redis://h",
            "rediss://h",
            "unix:/run/redis.sock",
            "redis+sentinel://h,g/main/0",
            "rediss+sentinel://h/main?sentinel_tls=no",
            "redis+cluster://h,g",
        ] {
            assert_eq!(url.parse(), Ok(RedisChoice::Url(url.to_owned())));
            assert!(RedisLogin::default().at(url).is_ok(), "{url}");
        }
        let said = "redis+cluster://:hunter2@h/1".parse::<RedisChoice>().unwrap_err();
        assert!(said.contains("database 0 alone") && !said.contains("hunter2"), "{said}");
    }
}
