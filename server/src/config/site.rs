use std::path::{Path, PathBuf};
use std::{env, fs};

use leptos::config::{LeptosOptions, get_config_from_str};

use super::ConfigError;

/// How the pages are built; read when the program is compiled.
const BUILT: &str = include_str!("../../../Leptos.toml");

/// Names the folder of the page's files, for those who keep them elsewhere.
const SITE_ROOT: &str = "LEPTOS_SITE_ROOT";

/// Where the page's files may lie, seen from the folder of the program.
const BESIDE: [&str; 5] =
    ["site", "../site", "target/site", "../share/strata/site", "../../target/site"];

/// How the pages are served: as they were built, with the files that lie beside the program unless
/// a variable names another folder.
pub(super) fn options() -> Result<LeptosOptions, ConfigError> {
    let options = get_config_from_str(BUILT);
    let mut options = options.map_err(|error| ConfigError::Leptos(error.to_string()))?;
    let program = env::current_exe().unwrap_or_default();
    let folder = program.parent().unwrap_or(Path::new(""));
    // Leptos cannot draw a page with hashed names when the list of them is missing, as it is after
    // a plain `cargo build`.
    options.hash_files &= folder.join(&*options.hash_file).is_file();
    if env::var_os(SITE_ROOT).is_none()
        && let Some(site) = beside(folder, &options)
        && let Some(site) = site.to_str()
    {
        options.site_root = site.into();
    }
    Ok(options)
}

/// Fails where the page's files are missing, so that nobody gets a page without style and life.
/// A debug build that nobody told where they are goes on: it is made without them.
///
/// # Errors
/// [`ConfigError::NoSite`], which names the folder and the files.
pub(super) fn check(options: &LeptosOptions) -> Result<(), ConfigError> {
    let program = env::current_exe().unwrap_or_default();
    let folder = program.parent().unwrap_or(Path::new(""));
    let files = files(folder, options);
    let missing = missing(Path::new(&*options.site_root), &files);
    if missing.is_empty() {
        return Ok(());
    }
    let missing = ConfigError::NoSite {
        folder: options.site_root.to_string().into(),
        missing: missing.join(", "),
        beside: folder.to_owned(),
    };
    let is_being_watched = env::var_os("LEPTOS_WATCH").is_some();
    if cfg!(debug_assertions) && (env::var_os(SITE_ROOT).is_none() || is_being_watched) {
        tracing::warn!("pages have neither style nor life: failed to {missing}");
        return Ok(());
    }
    Err(missing)
}

/// The first folder beside the program that has all of the page's files.
fn beside(folder: &Path, options: &LeptosOptions) -> Option<PathBuf> {
    let files = files(folder, options);
    let places = BESIDE.iter().map(|place| folder.join(place));
    let site = places.into_iter().find(|site| missing(site, &files).is_empty())?;
    Some(site.canonicalize().unwrap_or(site))
}

/// What a page asks for.
fn files(folder: &Path, options: &LeptosOptions) -> Vec<String> {
    let hashes = match options.hash_files {
        true => fs::read_to_string(folder.join(&*options.hash_file)).unwrap_or_default(),
        false => String::new(),
    };
    let hash_of = |kind: &str| {
        let mut lines = hashes.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.trim() == kind).map(|(_, hash)| hash.trim().to_owned())
    };
    let name = |kind: &str| {
        let hash = hash_of(kind).map(|hash| format!(".{hash}")).unwrap_or_default();
        format!("{}/{}{hash}.{kind}", options.site_pkg_dir, options.output_name)
    };
    ["js", "wasm", "css"].map(name).to_vec()
}

fn missing<'a>(site: &Path, files: &'a [String]) -> Vec<&'a str> {
    files.iter().map(String::as_str).filter(|file| !site.join(file).is_file()).collect()
}

#[cfg(test)]
mod tests {
    use toml::{Table, Value};

    use super::*;

    const BUILD: &str = include_str!("../../../Cargo.toml");

    fn leptos_of(text: &str, section: &str) -> Table {
        let file: Table = text.parse().unwrap();
        match &file[section]["metadata"]["leptos"] {
            Value::Array(sections) => sections[0].as_table().unwrap().clone(),
            section => section.as_table().unwrap().clone(),
        }
    }

    #[test]
    fn what_is_built_and_what_is_served_agree() {
        let build = leptos_of(BUILD, "workspace");
        let run = leptos_of(BUILT, "package");
        for key in ["output-name", "site-root", "site-pkg-dir", "site-addr", "hash-files"] {
            assert_eq!(build.get(key), run.get(key), "{key}");
            assert!(run.contains_key(key), "{key} is written out");
        }
        // The one key that the two spell differently; unset means hash.txt when building.
        let built = build.get("hash-file-name").and_then(Value::as_str).unwrap_or("hash.txt");
        assert_eq!(run.get("hash-file").and_then(Value::as_str), Some(built));
    }

    #[test]
    fn the_shipped_file_is_for_production() {
        assert_eq!(leptos_of(BUILT, "package")["env"].as_str(), Some("PROD"));
    }

    #[test]
    fn the_shipped_file_can_be_read() {
        assert_eq!(&*options().unwrap().output_name, "strata");
    }

    fn write(path: PathBuf, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn files_of_this_very_build_are_found_beside_the_program_wherever_it_was_started() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let mut options = options().unwrap();
        options.hash_files = true;
        let release = root.join("release");
        write(release.join("hash.txt"), "js: aa\nwasm: bb\ncss: cc\n");
        let names = ["strata.aa.js", "strata.bb.wasm", "strata.cc.css"];
        assert_eq!(beside(&release, &options), None);
        for name in names {
            // Those of another build lie nearer.
            write(release.join("site/pkg").join(format!("old-{name}")), "");
            assert_eq!(beside(&release, &options), None, "one is missing still");
            write(root.join("site/pkg").join(name), "");
        }
        assert_eq!(beside(&release, &options), Some(root.join("site")));
        for place in ["bin", "opt"] {
            write(root.join(place).join("hash.txt"), "js: aa\nwasm: bb\ncss: cc\n");
        }
        fs::rename(root.join("site"), root.join("opt/site")).unwrap();
        assert_eq!(beside(&root.join("opt"), &options), Some(root.join("opt/site")));
        fs::create_dir_all(root.join("share/strata")).unwrap();
        fs::rename(root.join("opt/site"), root.join("share/strata/site")).unwrap();
        assert_eq!(beside(&root.join("bin"), &options), Some(root.join("share/strata/site")));
    }

    #[test]
    fn files_without_hashes_have_plain_names() {
        let mut options = options().unwrap();
        options.hash_files = false;
        let plain = ["pkg/strata.js", "pkg/strata.wasm", "pkg/strata.css"];
        assert_eq!(files(Path::new("/nosuch"), &options), plain);
    }
}
