//! Builds the examples as a user would, and tests what they mount.

use std::env;

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::step::step;

/// How the examples are built: a flag of cargo, and the folder of what comes of it.
pub(crate) struct Build {
    flags: &'static [&'static str],
    folder: &'static str,
}

pub(crate) const DEBUG: Build = Build { flags: &[], folder: "debug" };
pub(crate) const RELEASE: Build = Build { flags: &["--release"], folder: "release" };

/// Checks how they are written. Whether they compile, [`test`] finds out.
pub(crate) fn check(shell: &Shell) -> Result<()> {
    step("The examples");
    let manifest = shell.current_dir().join("examples/Cargo.toml");
    let _elsewhere = shell.push_dir(env::temp_dir());
    Ok(cmd!(shell, "cargo fmt --all --check --manifest-path {manifest}").run()?)
}

/// Builds them and goes over every screen of a mounted dashboard, at three paths.
pub(crate) fn test(shell: &Shell, build: Build) -> Result<()> {
    let Build { flags, folder } = build;
    step(&format!("The examples, {folder}"));
    let top = shell.current_dir();
    let manifest = top.join("examples/Cargo.toml");
    {
        // Cargo reads the settings of the folders around the one that it is called in, and those of
        // this project are none of a user's.
        let _elsewhere = shell.push_dir(env::temp_dir());
        cmd!(shell, "cargo build --locked --manifest-path {manifest} {flags...}").run()?;
    }
    step("Browser tests of the mounted dashboard");
    let _folder = shell.push_dir("end2end");
    cmd!(shell, "playwright test --config mounted.config.ts")
        .env("END2END_SHOP", format!("examples/target/{folder}/shop"))
        .run()?;
    Ok(())
}
