//! Builds the browser's files in `target/site`: the program's wasm with its JavaScript, the style,
//! and public files. For a release they are small, compressed, and named after their content.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;
use xshell::{Shell, cmd};

use crate::step::step;

/// The oldest browsers that the style and the scripts support.
const BROWSERS: &str = "--target=chrome111,firefox115,safari16.4";

/// The greatest size of a release's wasm, with brotli.
pub(crate) const WASM_LIMIT_BYTES: u64 = 250_000;

pub(crate) const RELEASE: Profile = Profile { name: "wasm-release", folder: "target/site" };
pub(crate) const DEBUG: Profile = Profile { name: "dev", folder: "target/debug/site" };
pub(crate) const WATCH: Profile = Profile { name: "dev", folder: "target/watch/site" };

/// How the browser's program is built, and where its files are collected.
pub(crate) struct Profile {
    name: &'static str,
    pub(crate) folder: &'static str,
}

impl Profile {
    /// Cargo builds it only for the browser, since its features and the server's must not mix.
    pub(crate) fn cargo_arguments(&self) -> Vec<String> {
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

/// The hashes in the names of a build's files.
pub(crate) struct Assets {
    js: String,
    wasm: String,
    css: String,
}

impl Assets {
    /// Builds the files of a release. The wasm must have been built before.
    pub(crate) fn release(shell: &Shell) -> Result<Self> {
        step("Assets");
        collect(shell, &RELEASE)?;
        let pkg = RELEASE.pkg();
        let (wasm, js) = (pkg.join("strata.wasm"), pkg.join("strata.js"));
        let features = ["--enable-bulk-memory", "--enable-nontrapping-float-to-int"];
        cmd!(shell, "wasm-opt -Oz {features...} {wasm} -o {wasm}").run()?;
        cmd!(shell, "esbuild {js} --minify --format=esm {BROWSERS} --outfile={js} --allow-overwrite --log-level=warning").run()?;
        let assets = Self::name(shell, &pkg)?;
        // Uses the brotli of Node.js, since the machine may not have the tool.
        let folder = RELEASE.folder;
        cmd!(shell, "node xtask/compress.mjs {folder}").run()?;
        Ok(assets)
    }

    /// Builds the files of a debug build, with names that differ from those of the previous build.
    pub(crate) fn watch(shell: &Shell) -> Result<Self> {
        build(shell, &WATCH)?;
        Self::name(shell, &WATCH.pkg())
    }

    fn name(shell: &Shell, pkg: &Path) -> Result<Self> {
        let wasm = named_by_content(pkg, "wasm")?;
        // The script names the wasm in case its caller gives no address.
        let js = pkg.join("strata.js");
        let script =
            shell.read_file(&js)?.replace("strata_bg.wasm", &format!("strata.{wasm}.wasm"));
        shell.write_file(&js, script)?;
        Ok(Self { js: named_by_content(pkg, "js")?, wasm, css: named_by_content(pkg, "css")? })
    }

    /// The list in which Leptos finds the names.
    pub(crate) fn names(&self) -> String {
        format!("js: {}\nwasm: {}\ncss: {}\n", self.js, self.wasm, self.css)
    }
}

/// Builds the files of a debug build, without renaming them.
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
    // Leptos asks for this name.
    Ok(std::fs::rename(pkg.join("strata_bg.wasm"), pkg.join("strata.wasm"))?)
}

/// Puts a hash of the content into the name of `strata.{kind}`, and returns it.
fn named_by_content(pkg: &Path, kind: &str) -> Result<String> {
    let file = pkg.join(format!("strata.{kind}"));
    let content = std::fs::read(&file).with_context(|| file.display().to_string())?;
    let mut hash = hex(&Sha256::digest(content));
    hash.truncate(20);
    std::fs::rename(&file, pkg.join(format!("strata.{hash}.{kind}")))?;
    Ok(hash)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
