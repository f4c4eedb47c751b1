//! Puts the files that browsers get into the program: `OUT_DIR/files.rs` lists them with their
//! contents. Where there are none, the program is built without.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};
use std::{env, fs, io};

/// Compressed copies lie beside a file, under its name and one of these.
const COMPRESSED: [&str; 2] = ["br", "gz"];

fn main() -> Result<(), Box<dyn Error>> {
    let mut files = BTreeMap::new();
    let home = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    await_files(&home)?;
    if let Some(folder) = folder(&home, &env::var("PROFILE")?) {
        list(&folder, "/", &mut files)?;
    }
    let list = PathBuf::from(env::var("OUT_DIR")?).join("files.rs");
    let table = table(&files)?;
    if fs::read_to_string(&list).is_ok_and(|before| before == table) {
        return Ok(());
    }
    Ok(fs::write(list, table)?)
}

/// Waits while `./dev` makes the files. Who ends in the middle of it lets go of the lock.
fn await_files(home: &Path) -> io::Result<()> {
    match File::open(home.join("../target/site.lock")) {
        Ok(lock) => lock.lock_shared(),
        Err(_) => Ok(()),
    }
}

/// The folder that the build fills: beside the crate where it is packed, else that of its workspace.
fn folder(home: &Path, profile: &str) -> Option<PathBuf> {
    tell_cargo(&home.join("build.rs"));
    let top = home.join("..");
    let of_profile = if profile == "release" { "site" } else { "debug/site" };
    let of_build = [of_profile, "site"].map(|name| top.join("target").join(name));
    if top.join("xtask").is_dir() {
        of_build.iter().for_each(|place| keep(place));
    }
    let [first, second] = of_build;
    let places = [home.join("assets"), first, second];
    // Cargo takes what does not exist for changed, at every call.
    places.iter().filter(|place| place.is_dir()).for_each(|place| tell_cargo(place));
    places.into_iter().find(|place| place.join("pkg").is_dir())
}

/// Makes an empty folder where there is none, so that cargo sees when the build fills it.
fn keep(place: &Path) {
    if place.is_dir() || fs::create_dir_all(place).is_err() {
        return;
    }
    // A folder that is newer than this run would lead to another run. Where its time cannot be set,
    // there is one.
    let long_ago = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let _ = File::open(place).and_then(|folder| folder.set_modified(long_ago));
}

fn tell_cargo(place: &Path) {
    println!("cargo::rerun-if-changed={}", place.display());
}

/// Finds the files below a folder, by the paths at which they are served.
fn list(
    folder: &Path,
    at: &str,
    files: &mut BTreeMap<String, PathBuf>,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path().canonicalize()?;
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if path.is_dir() {
            list(&path, &format!("{at}{name}/"), files)?;
        } else if !COMPRESSED.iter().any(|kind| name.ends_with(&format!(".{kind}"))) {
            files.insert(format!("{at}{name}"), path);
        }
    }
    Ok(())
}

fn table(files: &BTreeMap<String, PathBuf>) -> Result<String, Box<dyn Error>> {
    let mut out = String::from("pub(super) static FILES: &[File] = &[\n");
    for (path, file) in files {
        let hash = hash_of(&fs::read(file)?);
        let path = named_by_content(path, &hash);
        writeln!(out, "    File {{ path: {path:?}, hash: {hash:?}, plain: {},", bytes(file))?;
        for kind in COMPRESSED {
            let compressed = PathBuf::from(format!("{}.{kind}", file.display()));
            let bytes = match compressed.is_file() {
                true => format!("Some({})", bytes(&compressed)),
                false => "None".to_owned(),
            };
            writeln!(out, "        {kind}: {bytes},")?;
        }
        out.push_str("    },\n");
    }
    out.push_str("];\n");
    Ok(out)
}

/// Files of the build are named after their content, so that browsers keep them for ever.
fn named_by_content(path: &str, hash: &str) -> String {
    match path.strip_prefix("/pkg/").and_then(|name| name.rsplit_once('.')) {
        Some((name, kind)) => format!("/pkg/{name}.{hash}.{kind}"),
        None => path.to_owned(),
    }
}

fn bytes(file: &Path) -> String {
    format!("include_bytes!({:?})", file.display().to_string())
}

// The hasher's keys are the same in each build.
fn hash_of(content: &[u8]) -> String {
    let mut hash = String::new();
    for half in 0..2_u8 {
        let mut hasher = DefaultHasher::new();
        (half, content).hash(&mut hasher);
        hash += &format!("{:016x}", hasher.finish());
    }
    hash
}
