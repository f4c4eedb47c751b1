//! Builds the browser's files in `target/site`: the program's wasm with its JavaScript, the style,
//! and public files. For a release they are small and compressed. `dashboard/build.rs` puts them into the
//! program.

use std::path::{Path, PathBuf};

use anyhow::Result;
use wasm_bindgen_cli_support::Bindgen;
use xshell::{Shell, cmd};

use crate::step::step;

/// The oldest browsers that the style and the scripts support.
const BROWSERS: &str = "--target=chrome111,firefox115,safari16.4";

/// The greatest size of a release's wasm, with brotli. The aim is 180 000; paths of the machine are in
/// it, so that it differs by some hundred bytes from one to the next.
pub(crate) const WASM_LIMIT_BYTES: u64 = 181_000;

pub(crate) const RELEASE: Profile = Profile { name: "wasm-release", folder: "target/site" };
pub(crate) const DEBUG: Profile = Profile { name: "dev", folder: "target/debug/site" };

/// How the browser's program is built, and where its files are collected.
pub(crate) struct Profile {
    name: &'static str,
    pub(crate) folder: &'static str,
}

impl Profile {
    /// Cargo builds it only for the browser, since its features and the server's must not mix.
    fn cargo_arguments(&self) -> Vec<String> {
        let target = ["build", "--package", "strata-browser", "--target", "wasm32-unknown-unknown"];
        [&target[..], &["--profile", self.name]].concat().into_iter().map(str::to_owned).collect()
    }

    fn wasm(&self) -> PathBuf {
        let folder = if self.name == "dev" { "debug" } else { self.name };
        Path::new("target/wasm32-unknown-unknown").join(folder).join("strata_browser.wasm")
    }

    fn pkg(&self) -> PathBuf {
        Path::new(self.folder).join("pkg")
    }
}

/// Builds the files of a release.
pub(crate) fn release(shell: &Shell) -> Result<()> {
    step("Files of the release");
    build(shell, &RELEASE)?;
    let pkg = RELEASE.pkg();
    let (wasm, js) = (pkg.join("strata.wasm"), pkg.join("strata.js"));
    let features = ["--enable-bulk-memory", "--enable-nontrapping-float-to-int"];
    cmd!(shell, "wasm-opt -Oz {features...} {wasm} -o {wasm}").run()?;
    cmd!(shell, "esbuild {js} --minify --format=esm {BROWSERS} --outfile={js} --allow-overwrite --log-level=warning").run()?;
    // Uses the brotli of Node.js, since the machine may not have the tool.
    let folder = RELEASE.folder;
    Ok(cmd!(shell, "node xtask/compress.mjs {folder}").run()?)
}

/// Builds the files of a debug build.
pub(crate) fn debug(shell: &Shell) -> Result<()> {
    build(shell, &DEBUG)
}

fn build(shell: &Shell, profile: &Profile) -> Result<()> {
    let arguments = profile.cargo_arguments();
    cmd!(shell, "cargo {arguments...}").run()?;
    collect(shell, profile)
}

/// The compressed wasm of the last release build.
pub(crate) fn wasm() -> Option<PathBuf> {
    let files = std::fs::read_dir(RELEASE.pkg()).ok()?;
    let mut files = files.flatten().map(|file| file.path());
    files.find(|file| file.to_string_lossy().ends_with(".wasm.br"))
}

fn collect(shell: &Shell, profile: &Profile) -> Result<()> {
    let (folder, pkg) = (profile.folder, profile.pkg());
    shell.remove_path(folder)?;
    shell.create_dir(&pkg)?;
    for file in shell.read_dir("public")? {
        shell.copy_file(file, folder)?;
    }
    let css = pkg.join("strata.css");
    let small: &[&str] = if profile.name == "dev" { &[] } else { &["--minify"] };
    cmd!(
        shell,
        "esbuild style/main.css --bundle {small...} {BROWSERS} --outfile={css} --log-level=warning"
    )
    .run()?;
    let mut bindgen = Bindgen::new();
    bindgen.input_path(profile.wasm()).web(true)?.typescript(false).out_name("strata");
    bindgen.generate(&pkg)?;
    Ok(std::fs::rename(pkg.join("strata_bg.wasm"), pkg.join("strata.wasm"))?)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
