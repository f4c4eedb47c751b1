//! Installs missing tools: cargo's into `.strata/tools`, npm's packages into
//! `end2end/node_modules`, Python's into `.strata`, Debian's packages if that is allowed.

use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::step::step;

const FUZZ: &str = "0.13.2";
const NEXTEST: &str = "0.9.143";
const DENY: &str = "0.20.2";
const SCHEMATHESIS: &str = "4.32.5";

/// What the tests need beside the compiler; `faketime` brings the library that sets a clock.
pub(crate) const PROGRAMS: [&str; 8] =
    ["redis-server", "chromium", "promtool", "shellcheck", "nginx", "haproxy", "caddy", "faketime"];

/// The program that tests every operation of the HTTP interface.
pub(crate) const SCHEMATHESIS_PROGRAM: &str = ".strata/schemathesis/bin/schemathesis";

/// Puts the tools of this folder before those of the machine.
pub(crate) fn prepare(shell: &Shell) -> Result<()> {
    let here = shell.current_dir();
    let path = std::env::var("PATH").context("PATH is not set")?;
    let own = [".strata/tools/bin", "end2end/node_modules/.bin"].map(|own| here.join(own));
    shell.set_var("PATH", format!("{}:{}:{path}", own[0].display(), own[1].display()));
    shell.set_var("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    Ok(())
}

/// Everything that the verbs need.
pub(crate) fn setup(shell: &Shell) -> Result<()> {
    packages(shell, &PROGRAMS)?;
    wasm_target(shell)?;
    npm(shell)?;
    nextest(shell)?;
    deny(shell)
}

/// Installs the compiler's libraries for the browser.
pub(crate) fn wasm_target(shell: &Shell) -> Result<()> {
    target(shell, "wasm32-unknown-unknown")
}

/// Installs the compiler's libraries for a target.
pub(crate) fn target(shell: &Shell, target: &str) -> Result<()> {
    if has_target(shell, target)? {
        return Ok(());
    }
    if !has(shell, "rustup") {
        bail!("Rust's target {target} is missing, and there is no rustup to add it.");
    }
    step(&format!("Rust's target {target}"));
    Ok(cmd!(shell, "rustup target add {target}").run()?)
}

/// Whether the compiler has the libraries of a target.
pub(crate) fn has_target(shell: &Shell, target: &str) -> Result<bool> {
    let libraries = cmd!(shell, "rustc --print target-libdir --target {target}").quiet().read()?;
    Ok(Path::new(&libraries).is_dir())
}

/// Installs the runner of the tests in Rust.
pub(crate) fn nextest(shell: &Shell) -> Result<()> {
    let features = ["--no-default-features", "--features", "default-no-update"];
    cargo_tool(shell, "nextest", NEXTEST, &features)
}

/// Installs the tool that checks licences, sources and advisories of the crates.
pub(crate) fn deny(shell: &Shell) -> Result<()> {
    cargo_tool(shell, "deny", DENY, &["--no-default-features"])
}

/// Installs the fuzzer and its compiler.
pub(crate) fn fuzz(shell: &Shell) -> Result<()> {
    if !has(shell, "rustup") {
        bail!(
            "Fuzzing needs a nightly compiler. Install Rust from https://rustup.rs and try again."
        );
    }
    if cmd!(shell, "cargo +nightly --version").quiet().ignore_stderr().read().is_err() {
        cmd!(shell, "rustup toolchain install nightly --profile minimal").run()?;
    }
    cargo_tool(shell, "fuzz", FUZZ, &[])
}

fn cargo_tool(shell: &Shell, name: &str, version: &str, options: &[&str]) -> Result<()> {
    if has_version(shell, name, version) {
        return Ok(());
    }
    let (tools, package) = (".strata/tools", format!("cargo-{name}@{version}"));
    step(&format!("Installing {package} into {tools}"));
    if has(shell, "cargo-binstall") {
        let only_binaries = ["--no-confirm", "--disable-strategies", "compile"];
        let installed =
            cmd!(shell, "timeout 120 cargo binstall {package} --root {tools} {only_binaries...}");
        if installed.run().is_ok() && has_version(shell, name, version) {
            return Ok(());
        }
    }
    eprintln!("Building it from source, which takes 3 to 5 minutes, once.");
    // Uses a light profile, and a folder that survives an interruption.
    cmd!(shell, "cargo install {package} --locked --root {tools} {options...}")
        .env("CARGO_TARGET_DIR", ".strata/build")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .run()
        .with_context(|| format!("Install it yourself: cargo install {package}"))?;
    Ok(shell.remove_path(".strata/build")?)
}

/// Installs npm's packages, in the versions of the lock file.
pub(crate) fn npm(shell: &Shell) -> Result<()> {
    if !has(shell, "npm") {
        bail!("npm is missing. Install Node.js 20.12 or newer with npm and try again.");
    }
    if is_newer("end2end/node_modules/.package-lock.json", "end2end/package-lock.json") {
        return Ok(());
    }
    step("npm packages");
    cmd!(shell, "npm ci --prefix end2end --no-audit --no-fund")
        .run()
        .context("The packages of end2end/package-lock.json could not be installed.")
}

/// Installs schemathesis, in an environment of its own.
pub(crate) fn schemathesis(shell: &Shell) -> Result<()> {
    let version = cmd!(shell, "{SCHEMATHESIS_PROGRAM} --version").quiet().ignore_stderr().read();
    if version.is_ok_and(|version| version.contains(SCHEMATHESIS)) {
        return Ok(());
    }
    packages(shell, &["python3"])?;
    step("Installing schemathesis into .strata");
    let environment = || cmd!(shell, "python3 -m venv --clear .strata/schemathesis").run();
    // Debian has the module venv in a separate package.
    if environment().is_err() {
        install(shell, &["python3-venv"])?;
        environment()?;
    }
    let package = format!("schemathesis=={SCHEMATHESIS}");
    cmd!(
        shell,
        ".strata/schemathesis/bin/pip install --quiet --disable-pip-version-check {package}"
    )
    .run()
    .context("schemathesis could not be installed with pip.")
}

/// Installs the Debian packages of the missing commands, all at once.
pub(crate) fn packages(shell: &Shell, commands: &[&str]) -> Result<()> {
    let missing: Vec<_> = commands
        .iter()
        .filter(|command| !has(shell, command))
        .map(|command| match *command {
            "promtool" => "prometheus",
            "musl-gcc" => "musl-tools",
            "unshare" => "util-linux",
            command => command,
        })
        .collect();
    if missing.is_empty() { Ok(()) } else { install(shell, &missing) }
}

fn install(shell: &Shell, packages: &[&str]) -> Result<()> {
    step(&format!("Debian packages: {}", packages.join(" ")));
    let root = cmd!(shell, "id -u").quiet().read()? == "0";
    let sudo: &[&str] = if root { &[] } else { &["sudo"] };
    let list = [sudo, &["apt-get", "update", "-qq"]].concat();
    let options = ["-y", "-qq", "--no-install-recommends"];
    let quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install"];
    let install = [sudo, &quiet, &options, packages].concat();
    run_all(shell, &[list, install]).with_context(|| {
        format!("Install them yourself, as root: apt-get install {}", packages.join(" "))
    })
}

fn run_all(shell: &Shell, commands: &[Vec<&str>]) -> Result<()> {
    for command in commands {
        let (program, arguments) = command.split_first().context("an empty command")?;
        cmd!(shell, "{program} {arguments...}").run()?;
    }
    Ok(())
}

/// Whether the command exists.
pub(crate) fn has(shell: &Shell, command: &str) -> bool {
    cmd!(shell, "which {command}").quiet().ignore_stderr().read().is_ok()
}

fn has_version(shell: &Shell, name: &str, version: &str) -> bool {
    let found = cmd!(shell, "cargo {name} --version").quiet().ignore_stderr().read();
    found.is_ok_and(|found| found.contains(version))
}

/// Whether a file exists and is newer than another.
pub(crate) fn is_newer(file: &str, than: &str) -> bool {
    let changed = |file: &str| std::fs::metadata(file).and_then(|file| file.modified()).ok();
    changed(file) > changed(than)
}
