use std::fs::{File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use strata_console::Token;
use tracing::warn;

use super::{ConfigError, RedisChoice, Secret, named_redis};

/// Where the tokens of one right come from.
pub(super) struct TokenOptions {
    option: &'static str,
    file_option: &'static str,
    /// The name of a token that has none.
    unnamed: &'static str,
}

/// Tokens with the right to act.
pub(super) const OPERATORS: TokenOptions = TokenOptions {
    option: "--operator-token",
    file_option: "--operator-token-file",
    unnamed: "operator",
};

/// Tokens with the right to look.
pub(super) const VIEWERS: TokenOptions = TokenOptions {
    option: "--viewer-token",
    file_option: "--viewer-token-file",
    unnamed: "viewer",
};

impl TokenOptions {
    /// The tokens of both options together.
    pub(super) fn read(
        &self,
        given: Option<Secret>,
        file: Option<PathBuf>,
    ) -> Result<Vec<Token>, ConfigError> {
        let mut tokens = Vec::new();
        if let Some(given) = given {
            tokens.extend(self.tokens(given.reveal(), self.option)?);
        }
        if let Some(file) = file {
            tokens.extend(self.tokens(&read(&file, self.file_option)?, self.file_option)?);
        }
        Ok(tokens)
    }

    fn tokens(&self, text: &str, option: &'static str) -> Result<Vec<Token>, ConfigError> {
        let tokens = Token::read_lines(text, self.unnamed);
        tokens.map_err(|reason| ConfigError::Token { option, reason })
    }
}

/// Which Redis to use.
pub(super) fn redis(
    given: Option<Secret>,
    file: Option<PathBuf>,
) -> Result<RedisChoice, ConfigError> {
    const OPTION: &str = "--redis-url";
    const FILE_OPTION: &str = "--redis-url-file";
    let (text, option) = match (given, file) {
        (Some(_), Some(_)) => return Err(ConfigError::TwoRedis),
        (Some(given), None) => (given.reveal().to_owned(), OPTION),
        (None, Some(file)) => (read(&file, FILE_OPTION)?, FILE_OPTION),
        (None, None) => return Ok(RedisChoice::default()),
    };
    let url = named_redis::only(&text).map_err(|reason| ConfigError::Redis { option, reason })?;
    url.parse().map_err(|reason| ConfigError::Redis { option, reason })
}

/// The texts that say where several Redis are.
pub(super) fn redis_urls(
    given: Option<Secret>,
    file: Option<PathBuf>,
) -> Result<Secret, ConfigError> {
    match (given, file) {
        (Some(_), Some(_)) => Err(ConfigError::TwoRedis),
        (Some(given), None) => Ok(given),
        (None, Some(file)) => Ok((&*read(&file, "--redis-url-file")?).into()),
        (None, None) => Err(ConfigError::NoRedis),
    }
}

/// The key that nodes and consoles share.
pub(super) fn fleet_key(
    given: Option<Secret>,
    file: Option<PathBuf>,
) -> Result<Option<Secret>, ConfigError> {
    match (given, file) {
        (Some(_), Some(_)) => Err(ConfigError::TwoFleetKeys),
        (given, None) => Ok(given),
        (None, Some(file)) => {
            let text = read(&file, "--fleet-key-file")?;
            Ok(Some(text.trim_end_matches(['\r', '\n']).into()))
        }
    }
}

/// No file of tokens or addresses is longer, bytes.
const MAX_BYTES: u64 = 64 * 1_024;

/// Reads a file that holds a secret. The file is closed to others, or a warning says so.
fn read(path: &Path, option: &'static str) -> Result<String, ConfigError> {
    read_at_most(path, option).map_err(|reason| ConfigError::SecretFile {
        option,
        path: path.into(),
        reason,
    })
}

fn read_at_most(path: &Path, option: &'static str) -> io::Result<String> {
    let file = File::open(path)?;
    let permissions = file.metadata()?.permissions();
    let mut text = String::new();
    file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(format!("it has more than {MAX_BYTES} bytes")));
    }
    tell_if_open(&permissions, path, option);
    // Some editors begin a file with one.
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

const OTHERS_READ: u32 = 0o004;

/// Tells of a file that holds the secret of an option, and that others can read.
pub(super) fn tell_if_open(permissions: &Permissions, path: &Path, option: &str) {
    if permissions.mode() & OTHERS_READ != 0 {
        let path = path.display();
        warn!(%path, "everybody on this machine can read the secret that {option} names; chmod o-r closes it");
    }
}
