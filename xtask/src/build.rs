//! One release build: the program, with the files that it serves inside.

use std::fs::File;
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

/// The target of the static program: it asks nothing of the system but its kernel.
const STATIC_TARGET: &str = "x86_64-unknown-linux-musl";

/// The static program, which holds the same.
pub(crate) const STATIC_PROGRAM: &str = "target/x86_64-unknown-linux-musl/release/strata";

const STATIC_STAMP: &str = "target/x86_64-unknown-linux-musl/release/strata.sources";

/// The folders of what the program is made of.
pub(crate) const FOLDERS: &[&str] = &[
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
];

/// What a release is built from beside them.
const OTHER_SOURCES: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    ".cargo",
    "xtask",
    "end2end/package-lock.json",
];

/// Builds program and assets side by side, unless they are already built from these sources.
pub(crate) fn release(shell: &Shell) -> Result<()> {
    let _alone = alone(shell)?;
    let sources = sources()?;
    if is_of(shell, (PROGRAM, STAMP), &sources) {
        return Ok(());
    }
    tools::wasm_target(shell)?;
    tools::npm(shell)?;
    step("Release build; the first one takes about 10 minutes on two cores");
    shell.remove_path(STAMP)?;
    let being_made = being_made()?;
    let server = ["build", "--release", "--package", "strata-server", "--bin", "strata"];
    let mut program = Building::start(server.map(str::to_owned).to_vec())?;
    let made = assets::release(shell);
    // Let go also where the files were not made, else the other build would wait for ever.
    drop(being_made);
    program.end()?;
    made?;
    Ok(shell.write_file(STAMP, &sources)?)
}

/// Says that the files which the program holds are being made: `dashboard/build.rs` waits until it is
/// let go. The crates below it are compiled meanwhile, so that nothing is compiled twice.
fn being_made() -> Result<File> {
    std::fs::create_dir_all("target")?;
    let lock = File::create("target/site.lock")?;
    lock.lock()?;
    Ok(lock)
}

/// Builds the static program from the same sources, with the same files inside.
pub(crate) fn static_program(shell: &Shell) -> Result<()> {
    let _alone = alone(shell)?;
    let sources = sources()?;
    if is_of(shell, (STATIC_PROGRAM, STATIC_STAMP), &sources) {
        return Ok(());
    }
    tools::target(shell, STATIC_TARGET)?;
    tools::packages(shell, &["musl-gcc"])?;
    step("Static program; the first build takes about 10 minutes on two cores");
    if !is_of(shell, (PROGRAM, STAMP), &sources) {
        files(shell)?;
    }
    shell.remove_path(STATIC_STAMP)?;
    let server = ["--release", "--package", "strata-server", "--bin", "strata"];
    cmd!(shell, "cargo build --target {STATIC_TARGET} {server...}")
        .env("CARGO_PROFILE_RELEASE_STRIP", "symbols")
        .run()?;
    let bytes = std::fs::metadata(STATIC_PROGRAM)?.len();
    eprintln!("{STATIC_PROGRAM}: {:.1} MB", bytes as f64 / 1e6);
    Ok(shell.write_file(STATIC_STAMP, &sources)?)
}

/// Two builds at a time would overwrite each other's files: waits until this one is the only one.
fn alone(shell: &Shell) -> Result<File> {
    shell.create_dir(".strata")?;
    let lock = File::create(".strata/build.lock")?;
    if lock.try_lock().is_err() {
        eprintln!("Waiting for another build.");
        lock.lock()?;
    }
    Ok(lock)
}

/// Builds the files that browsers get.
pub(crate) fn files(shell: &Shell) -> Result<()> {
    tools::wasm_target(shell)?;
    tools::npm(shell)?;
    assets::release(shell)
}

/// Builds the files of a debug program.
pub(crate) fn debug_files(shell: &Shell) -> Result<()> {
    step("Files of the debug build");
    assets::debug(shell)
}

/// Builds the debug program and its files, for the tests in Rust and the browser.
pub(crate) fn debug(shell: &Shell) -> Result<()> {
    debug_files(shell)?;
    let native = crate::crates::NATIVE;
    Ok(cmd!(shell, "cargo test {native...} --no-run").run()?)
}

/// Whether a program and the assets exist, are built from these sources, and have not been changed
/// since.
fn is_of(shell: &Shell, (program, stamp): (&str, &str), sources: &str) -> bool {
    let is_changed =
        [program, assets::RELEASE.folder].iter().any(|made| tools::is_newer(made, stamp));
    let is_there = Path::new(program).is_file() && assets::wasm().is_some();
    is_there && !is_changed && shell.read_file(stamp).is_ok_and(|stamp| stamp == sources)
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
    for source in FOLDERS.iter().chain(OTHER_SOURCES) {
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
