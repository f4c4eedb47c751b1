//! Checks that need no running program: formatting, lints, docs, imports, licences, sizes.

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

use crate::crates::{NATIVE, check_imports};
use crate::step::step;
use crate::{assets, build, docs, examples, public_api, tools};

/// The cache and its reports are also compiled for these targets, if the compiler has the
/// libraries.
const OTHER_SYSTEMS: &[&str] =
    &["aarch64-apple-darwin", "x86_64-apple-darwin", "x86_64-pc-windows-msvc"];

pub(crate) fn check(shell: &Shell) -> Result<()> {
    tools::packages(shell, &["promtool", "shellcheck"])?;
    tools::npm(shell)?;
    sources(shell)?;
    if assets::wasm().is_none() {
        build::release(shell)?;
    }
    wasm_size()
}

pub(crate) fn sources(shell: &Shell) -> Result<()> {
    lock_files(shell)?;
    step("Formatting, scripts, types of the browser tests");
    cmd!(shell, "cargo fmt --all --check").run()?;
    cmd!(shell, "shellcheck dev .ci/run xtask/rustdoc_json.sh").run()?;
    cmd!(shell, "tsc --project end2end").run()?;
    step("Alert rules");
    cmd!(shell, "promtool check rules docs/monitoring/rules.yml").run()?;
    cmd!(shell, "promtool test rules docs/monitoring/rules.test.yml").run()?;
    check_imports(shell)?;
    docs::check_paths(shell)?;
    panics(shell)?;
    supply_chain(shell)?;
    tools::wasm_target(shell)?;
    step("Lints of the server side");
    cmd!(shell, "cargo clippy {NATIVE...} --all-targets -- -D warnings").run()?;
    cmd!(shell, "cargo clippy --package xtask --all-targets -- -D warnings").run()?;
    step("The screens without the lab");
    cmd!(shell, "cargo check --package strata-app --features ssr").run()?;
    cmd!(shell, "cargo check --package strata-dashboard").run()?;
    examples::check(shell)?;
    step("Lints of the browser side");
    let wasm = ["--package", "strata-browser", "--target", "wasm32-unknown-unknown"];
    cmd!(shell, "cargo clippy {wasm...} -- -D warnings").run()?;
    other_systems(shell)?;
    step("Documentation");
    cmd!(shell, "cargo doc {NATIVE...} --no-deps").env("RUSTDOCFLAGS", "-D warnings").run()?;
    public_api::check(shell)
}

/// A clean clone must install the same from the public registries, whatever machine wrote the
/// files.
fn lock_files(shell: &Shell) -> Result<()> {
    step("Lock files");
    let registry = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let lock = shell.read_file("Cargo.lock")?;
    let other = lock.lines().find(|line| line.starts_with("source = ") && *line != registry);
    ensure!(other.is_none(), "Cargo.lock names a source other than the public registry: {other:?}");
    let npm = shell.read_file("end2end/package-lock.json")?;
    ensure!(
        !npm.contains("\"resolved\""),
        "end2end/package-lock.json names download addresses; end2end/.npmrc keeps them out."
    );
    cmd!(shell, "cargo metadata --locked --format-version 1").quiet().ignore_stdout().run()?;
    Ok(())
}

/// A panic costs one operation or restarts one task. With abort it would end the program.
fn panics(shell: &Shell) -> Result<()> {
    step("How panics end");
    const ONLY: &str = "Only the browser's program may be built with panic = \"abort\".";
    let manifest = shell.read_file("Cargo.toml")?;
    let mut section = "";
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let aborts = line.replace(' ', "") == "panic=\"abort\"";
        ensure!(!aborts || section == "[profile.wasm-release]", "{section}: {ONLY}");
    }
    let flags = shell.read_file(".cargo/config.toml")?;
    ensure!(!flags.contains("panic=abort") && !flags.contains("panic-abort"), "{ONLY}");
    Ok(())
}

/// Licences, sources, duplicates, and known vulnerabilities of the crates. The list of
/// vulnerabilities is on the network. If it cannot be reached, a message says so and the rest is
/// checked.
fn supply_chain(shell: &Shell) -> Result<()> {
    step("Licences, sources and known faults of the crates");
    tools::deny(shell)?;
    cmd!(shell, "cargo deny --log-level error check bans licenses sources").run()?;
    match cmd!(shell, "timeout 60 cargo deny fetch db").quiet().run() {
        Ok(()) => Ok(cmd!(shell, "cargo deny --offline --log-level error check advisories").run()?),
        Err(error) => {
            eprintln!(
                "The list of known faults was not looked at, since it cannot be had here: {error}"
            );
            Ok(())
        }
    }
}

fn other_systems(shell: &Shell) -> Result<()> {
    for target in OTHER_SYSTEMS {
        if tools::has_target(shell, target)? {
            step(&format!("The cache on {target}"));
            let crates = ["--package", "strata-report", "--package", "strata-cache"];
            cmd!(shell, "cargo check {crates...} --target {target}").run()?;
        }
    }
    Ok(())
}

pub(crate) fn wasm_size() -> Result<()> {
    step("Size of the wasm");
    let file = assets::wasm().context("The build has left no compressed wasm.")?;
    let (size, limit) = (file.metadata()?.len(), assets::WASM_LIMIT_BYTES);
    eprintln!("{size} bytes with brotli; at most {limit} are allowed");
    if size > limit {
        bail!("The wasm is too large.");
    }
    Ok(())
}
