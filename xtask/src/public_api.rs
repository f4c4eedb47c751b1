//! The public items of the cache, one a line, so that a review shows their changes.

use anyhow::{Result, bail};
use public_api::Builder;
use xshell::{Shell, cmd};

use crate::step::step;

const KNOWN: &str = "cache/public-api.txt";

/// Fails if the public items differ from the recorded ones.
pub(crate) fn check(shell: &Shell) -> Result<()> {
    step("The public interface of the cache");
    let (known, found) = (shell.read_file(KNOWN)?, public_items(shell)?);
    if known == found {
        return Ok(());
    }
    let found_file = "target/public-api.txt";
    shell.write_file(found_file, found)?;
    cmd!(shell, "diff --unified=0 {KNOWN} {found_file}").ignore_status().quiet().run()?;
    bail!("The public interface has changed. If that is meant: ./dev public-api");
}

/// Records the present public items.
pub(crate) fn accept(shell: &Shell) -> Result<()> {
    Ok(shell.write_file(KNOWN, public_items(shell)?)?)
}

fn public_items(shell: &Shell) -> Result<String> {
    let rustdoc = shell.current_dir().join("xtask/rustdoc_json.sh");
    let format = ["-Z", "unstable-options", "--output-format", "json"];
    cmd!(shell, "cargo rustdoc --package strata-cache --lib -- {format...}")
        .env("RUSTDOC", rustdoc)
        .run()?;
    let items = Builder::from_rustdoc_json("target/doc/strata_cache.json")
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()?;
    Ok(items.items().map(|item| format!("{item}\n")).collect())
}
