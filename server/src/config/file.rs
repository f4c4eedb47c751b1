use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Table;

use super::{ConfigError, DemoFlags, secrets};

/// Where the settings of a machine lie.
const OF_THE_MACHINE: &str = "/etc/strata/strata.toml";

/// The file that settings come from: the one that was given, which must exist, or that of the
/// machine, which may be missing.
///
/// # Errors
/// [`ConfigError::Unreadable`] where the given file does not exist.
pub fn settings_file(given: Option<&Path>) -> Result<PathBuf, ConfigError> {
    let Some(given) = given else { return Ok(OF_THE_MACHINE.into()) };
    // Whatever else is wrong with it is told when it is read.
    match fs::metadata(given) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(ConfigError::Unreadable(given.into(), error))
        }
        _ => Ok(given.into()),
    }
}

/// What a file says of `strata demo`; one that does not exist is an empty one.
pub(super) fn read(path: &Path) -> Result<DemoFlags, ConfigError> {
    let Some((flags, permissions)) = read_with_permissions(path)? else {
        return Ok(DemoFlags::default());
    };
    if let Some(option) = secret_of(&flags) {
        secrets::tell_if_open(&permissions, path, option);
    }
    Ok(flags)
}

/// Where the program of a file listens; `None` where it does not say, or does not exist.
pub(super) fn listen(path: &Path) -> Result<Option<SocketAddr>, ConfigError> {
    Ok(read_with_permissions(path)?.and_then(|(flags, _)| flags.listen))
}

/// `None` where it does not exist.
fn read_with_permissions(path: &Path) -> Result<Option<(DemoFlags, Permissions)>, ConfigError> {
    let (text, permissions) = match text_and_permissions(path) {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ConfigError::Unreadable(path.into(), error)),
    };
    let flags = parse(&text).map_err(|error| malformed(path, &text, &error))?;
    Ok(Some((flags, permissions)))
}

fn text_and_permissions(path: &Path) -> io::Result<(String, Permissions)> {
    let mut file = File::open(path)?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok((text, file.metadata()?.permissions()))
}

/// The option of the first secret that stands in the file itself.
fn secret_of(flags: &DemoFlags) -> Option<&'static str> {
    let secrets = [
        (&flags.operator_token, "--operator-token"),
        (&flags.viewer_token, "--viewer-token"),
        (&flags.redis_url, "--redis-url"),
        (&flags.fleet_key, "--fleet-key"),
    ];
    secrets.into_iter().find_map(|(secret, option)| secret.as_ref().map(|_| option))
}

// A file that others read too has a table for Strata, and theirs beside it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shared {
    #[serde(default)]
    strata: DemoFlags,
    #[serde(default, rename = "package")]
    _package: Option<IgnoredAny>,
    #[serde(default, rename = "workspace")]
    _workspace: Option<IgnoredAny>,
}

fn parse(text: &str) -> Result<DemoFlags, toml::de::Error> {
    let tables: Table = toml::from_str(text)?;
    if ["strata", "package", "workspace"].iter().any(|name| tables.contains_key(*name)) {
        return toml::from_str(text).map(|shared: Shared| shared.strata);
    }
    toml::from_str(text)
}

// The line itself may hold a secret, so it is named and not repeated.
fn malformed(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    ConfigError::Malformed { path: path.into(), line, reason: error.message().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_stand_at_the_top_of_the_file_or_in_a_table_of_a_file_that_others_read_too() {
        assert_eq!(parse("nodes = 3\n").unwrap().nodes, Some(3));
        assert_eq!(parse("[strata]\nnodes = 3\n").unwrap().nodes, Some(3));
        assert_eq!(
            parse("[package.metadata.x]\na = 1\n[strata]\nnodes = 3\n").unwrap().nodes,
            Some(3)
        );
        assert_eq!(parse("").unwrap().nodes, None);
    }

    #[test]
    fn what_is_no_option_is_named_wherever_it_stands() {
        for text in ["nods = 3", "[strata]\nnods = 3", "nods = 3\n[strata]\n", "[nods]\na = 1"] {
            let said = parse(text).err().unwrap().message().to_owned();
            assert!(said.contains("nods"), "{text}: {said}");
        }
    }

    #[test]
    fn a_file_that_was_given_must_exist_and_that_of_the_machine_need_not() {
        let missing = settings_file(Some(Path::new("/nosuch/strata.toml"))).unwrap_err();
        assert!(missing.to_string().contains("/nosuch/strata.toml"), "{missing}");
        assert_eq!(settings_file(None).unwrap(), Path::new(OF_THE_MACHINE));
    }
}
