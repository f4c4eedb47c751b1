//! One release build: the program, with the files that it serves inside.

use std::path::Path;
use std::process::{Child, Command};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use walkdir::WalkDir;
use xshell::{Shell, cmd};

use crate::assets;
use crate::step::step;
use crate::tools;

/// The program of the release build.
pub(crate) const PROGRAM: &str = "target/release/strata";

const STAMP: &str = "target/release/strata.sources";

/// The files that a release is built from.
const SOURCES: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    ".cargo",
    "report",
    "cache",
    "console",
    "demo",
    "lab",
    "app",
    "prometheus",
    "dashboard",
    "server",
    "style",
    "public",
    "xtask",
    "end2end/package-lock.json",
];

/// Builds program and assets side by side, unless they are already built from these sources.
pub(crate) fn release(shell: &Shell) -> Result<()> {
    // Two builds at a time would overwrite each other's files.
    shell.create_dir(".strata")?;
    let lock = std::fs::File::create(".strata/build.lock")?;
    if lock.try_lock().is_err() {
        eprintln!("Waiting for another build.");
        lock.lock()?;
    }
    let sources = sources()?;
    if is_of(shell, &sources) {
        return Ok(());
    }
    tools::wasm_target(shell)?;
    tools::npm(shell)?;
    step("Release build; the first one takes about 10 minutes on two cores");
    shell.remove_path(STAMP)?;
    let mut browser = Building::start(assets::RELEASE.cargo_arguments())?;
    // The program meanwhile, without these files: what is left to do afterwards is little.
    let server = ["build", "--release", "--package", "strata-server", "--bin", "strata"];
    let mut libraries = Building::start(server.map(str::to_owned).to_vec())?;
    browser.end()?;
    libraries.end()?;
    assets::release(shell)?;
    Building::start(server.map(str::to_owned).to_vec())?.end()?;
    Ok(shell.write_file(STAMP, &sources)?)
}

/// Builds the files that browsers get, for the next build of the program.
pub(crate) fn files(shell: &Shell) -> Result<()> {
    tools::wasm_target(shell)?;
    tools::npm(shell)?;
    Building::start(assets::RELEASE.cargo_arguments())?.end()?;
    assets::release(shell)
}

/// Builds the debug program and assets, for the tests in Rust and the browser.
pub(crate) fn debug(shell: &Shell) -> Result<()> {
    assets::debug(shell)?;
    let native = crate::crates::NATIVE;
    Ok(cmd!(shell, "cargo test {native...} --no-run").run()?)
}

/// Whether program and assets exist, are built from these sources, and have not been changed since.
fn is_of(shell: &Shell, sources: &str) -> bool {
    let is_changed =
        [PROGRAM, assets::RELEASE.folder].iter().any(|made| tools::is_newer(made, STAMP));
    let is_there = Path::new(PROGRAM).is_file() && assets::wasm().is_some();
    is_there && !is_changed && shell.read_file(STAMP).is_ok_and(|stamp| stamp == sources)
}

/// A cargo that runs beside another. Its compilers outlive it, so it is waited for rather than
/// ended.
struct Building(Child);

impl Building {
    fn start(arguments: Vec<String>) -> Result<Self> {
        Ok(Self(Command::new("cargo").args(arguments).spawn().context("cargo did not start")?))
    }

    fn end(&mut self) -> Result<()> {
        match self.0.wait()? {
            status if status.success() => Ok(()),
            status => bail!("The build failed: {status}"),
        }
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        // It has ended already, or the other build failed, whose error is reported.
        let _ = self.0.wait();
    }
}

fn sources() -> Result<String> {
    let mut hash = Sha256::new();
    for source in SOURCES {
        for file in WalkDir::new(source).sort_by_file_name() {
            let file = file?;
            if file.file_type().is_file() {
                hash.update(file.path().as_os_str().as_encoded_bytes());
                hash.update(std::fs::read(file.path())?);
            }
        }
    }
    Ok(assets::hex(&hash.finalize()))
}
