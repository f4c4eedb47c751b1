use std::path::Path;
use std::{env, fs, io};

use leptos::config::{LeptosOptions, get_configuration};
use serde::Deserialize;
use tracing::warn;

use super::{ConfigError, DemoFlags};

/// What `Leptos.toml` says: how the pages are served, and the defaults of `strata demo`.
pub(super) struct ConfigFile {
    pub(super) leptos: LeptosOptions,
    pub(super) flags: DemoFlags,
}

// Leptos reads its own section; everything but `[strata]` is left to it.
#[derive(Deserialize)]
struct Tables {
    #[serde(default)]
    strata: DemoFlags,
}

impl ConfigFile {
    /// Reads the file; where there is none, variables and defaults apply.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::absent(),
            Err(error) => return Err(ConfigError::Unreadable(path.into(), error)),
        };
        let tables: Tables =
            toml::from_str(&text).map_err(|error| malformed(path, &text, &error))?;
        let leptos = get_configuration(path.to_str())
            .map_err(|error| ConfigError::Leptos(error.to_string()))?
            .leptos_options;
        Ok(Self { leptos: with_existing_hashes(leptos), flags: tables.strata })
    }

    fn absent() -> Result<Self, ConfigError> {
        let leptos = get_configuration(None)
            .map_err(|error| ConfigError::Leptos(error.to_string()))?
            .leptos_options;
        Ok(Self { leptos, flags: DemoFlags::default() })
    }
}

// The line itself may hold a secret, so it is named and not repeated.
fn malformed(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    ConfigError::Malformed { path: path.into(), line, reason: error.message().to_owned() }
}

/// Leptos cannot draw a page with hashed names when the list of them is missing, as it is after a
/// plain `cargo build`.
fn with_existing_hashes(mut options: LeptosOptions) -> LeptosOptions {
    let program = env::current_exe().unwrap_or_default();
    if options.hash_files && !program.with_file_name(&*options.hash_file).is_file() {
        let file = &*options.hash_file;
        warn!(file, "no list of hashed names beside the program; build it with cargo leptos");
        options.hash_files = false;
    }
    options
}

#[cfg(test)]
mod tests {
    use toml::{Table, Value};

    const BUILD: &str = include_str!("../../../Cargo.toml");
    const RUN: &str = include_str!("../../../Leptos.toml");

    fn leptos_of(text: &str, section: &str) -> Table {
        let file: Table = text.parse().unwrap();
        match &file[section]["metadata"]["leptos"] {
            Value::Array(sections) => sections[0].as_table().unwrap().clone(),
            section => section.as_table().unwrap().clone(),
        }
    }

    #[test]
    fn what_is_built_and_what_is_served_agree() {
        let build = leptos_of(BUILD, "workspace");
        let run = leptos_of(RUN, "package");
        for key in ["output-name", "site-root", "site-pkg-dir", "site-addr", "hash-files"] {
            assert_eq!(build.get(key), run.get(key), "{key}");
            assert!(run.contains_key(key), "{key} is written out");
        }
        // The one key that the two spell differently; unset means hash.txt when building.
        let built = build.get("hash-file-name").and_then(Value::as_str).unwrap_or("hash.txt");
        assert_eq!(run.get("hash-file").and_then(Value::as_str), Some(built));
    }

    #[test]
    fn the_shipped_file_is_for_production() {
        assert_eq!(leptos_of(RUN, "package")["env"].as_str(), Some("PROD"));
    }

    #[test]
    fn the_shipped_file_can_be_read() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../Leptos.toml");
        let file = super::ConfigFile::read(path.as_ref()).unwrap();
        assert_eq!(&*file.leptos.output_name, "strata");
    }
}
