//! Which crate may import which. ARCHITECTURE.md says why.

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

use crate::step::step;

/// The crates of native builds. The browser's crate is left out, since its features and the
/// server's must not mix.
pub(crate) const NATIVE: &[&str] =
    &["--workspace", "--exclude", "strata-browser", "--exclude", "xtask"];

/// A crate, the workspace's crates that it may import, and crates that it must not import.
struct Imports {
    of: &'static str,
    ours: &'static [&'static str],
    never: &'static [&'static str],
}

const TABLE: &[Imports] = &[
    Imports {
        of: "report",
        ours: &[],
        never: &["tokio", "moka", "redis", "sqlx", "axum", "leptos"],
    },
    Imports { of: "cache", ours: &["report"], never: &["sqlx", "axum", "leptos", "prometheus"] },
    Imports {
        of: "console",
        ours: &["report", "cache"],
        never: &["sqlx", "axum", "leptos", "redis", "moka"],
    },
    Imports { of: "demo", ours: &["report", "cache"], never: &["axum", "leptos", "redis", "moka"] },
    Imports {
        of: "lab",
        ours: &["report", "cache", "demo"],
        never: &["sqlx", "axum", "leptos", "redis", "moka"],
    },
    Imports { of: "testing", ours: &[], never: &["sqlx", "axum", "leptos", "moka"] },
    Imports {
        of: "app",
        ours: &["report", "console", "demo", "lab"],
        never: &["sqlx", "redis", "moka", "prometheus"],
    },
    Imports {
        of: "prometheus",
        ours: &["report", "cache"],
        never: &["tokio", "sqlx", "axum", "leptos", "redis", "moka"],
    },
    Imports {
        of: "dashboard",
        ours: &["report", "cache", "console", "lab", "app", "prometheus"],
        never: &["sqlx", "redis", "moka", "clap"],
    },
    Imports {
        of: "server",
        ours: &["report", "cache", "console", "demo", "lab", "app", "prometheus", "dashboard"],
        never: &["sqlx", "redis", "moka"],
    },
];

/// In the browser the whole tree of dependencies counts, not only those that a Cargo.toml names.
const BROWSER: Imports = Imports {
    of: "browser",
    ours: &["report", "app"],
    never: &[
        "tokio",
        "moka",
        "redis",
        "sqlx",
        "axum",
        "prometheus",
        "leptos_router",
        "leptos_meta",
    ],
};

/// Fails at the first import that the table does not allow.
pub(crate) fn check_imports(shell: &Shell) -> Result<()> {
    step("Who imports whom");
    for imports in TABLE {
        imports.check(shell, &["--all-features", "--depth", "1", "--edges", "normal,build"])?;
    }
    BROWSER.check(shell, &["--target", "wasm32-unknown-unknown", "--edges", "normal"])
}

impl Imports {
    fn check(&self, shell: &Shell, options: &[&str]) -> Result<()> {
        let package = format!("strata-{}", self.of);
        let format = "{p}";
        let tree = cmd!(
            shell,
            "cargo tree --package {package} --prefix none --format {format} {options...}"
        );
        let tree = tree.quiet().read()?;
        let names = tree.lines().filter_map(|line| line.split_whitespace().next());
        match names.filter(|name| *name != package).find(|name| !self.allow(name)) {
            None => Ok(()),
            Some(name) => bail!("{package} imports {name}. ARCHITECTURE.md says who imports whom."),
        }
    }

    fn allow(&self, name: &str) -> bool {
        if let Some(own) = name.strip_prefix("strata-") {
            return self.ours.contains(&own);
        }
        let is = |family: &str| {
            name.strip_prefix(family)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
        };
        !self.never.iter().any(|family| is(family))
    }
}
