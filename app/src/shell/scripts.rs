//! The page's own JavaScript, which is no part of its program: what watches over the program, what
//! holds the live stream, and what reads out times and charts. Each file's name changes with its
//! content.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{LazyLock, OnceLock};

use leptos::config::LeptosOptions;

use crate::addresses::at;

/// Where the scripts are served.
pub const SCRIPTS: &str = "/scripts/";

/// Runs in every page before anything is drawn.
pub(crate) static PAGE: LazyLock<Script> = LazyLock::new(|| Script::new("page", PAGE_TEXT));

// One file of two: what brings the live numbers, and what watches over the page's program.
const PAGE_TEXT: &str =
    concat!(include_str!("../../scripts/stream.js"), include_str!("../../scripts/page.js"),);

/// Holds the live stream for all windows of a browser.
pub(crate) static LIVE: LazyLock<Script> =
    LazyLock::new(|| Script::new("live", include_str!("../../scripts/live.js")));

/// Reads out times, hints and charts on hover, focus and touch.
pub(crate) static READOUTS: LazyLock<Script> =
    LazyLock::new(|| Script::new("readouts", include_str!("../../scripts/readouts.js")));

/// One file of JavaScript.
pub(crate) struct Script {
    name: String,
    text: &'static str,
}

impl Script {
    fn new(name: &str, text: &'static str) -> Self {
        Self { name: format!("{name}.{}.js", hash_of(&[text])), text }
    }

    /// Where a page finds it.
    pub(crate) fn address(&self) -> String {
        at(&format!("{SCRIPTS}{}", self.name))
    }
}

/// The script of this name; `None` where there is none, or it is of another build.
pub fn script(name: &str) -> Option<&'static str> {
    [&PAGE, &LIVE, &READOUTS]
        .into_iter()
        .find(|script| script.name == name)
        .map(|script| script.text)
}

/// Names the build that pages come from, so that a page notices when it talks to another one. The
/// same for every copy of a build. Where the files of a site carry no hashes, as in debug builds,
/// builds of one version have the same name.
pub fn build_id(options: &LeptosOptions) -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| {
        let version = env!("CARGO_PKG_VERSION");
        hash_of(&[version, &file_hashes(options), &PAGE.name, &LIVE.name, &READOUTS.name])
    })
}

/// What the build wrote down beside the program about the files of the site.
fn file_hashes(options: &LeptosOptions) -> String {
    let program = std::env::current_exe().ok().filter(|_| options.hash_files);
    let file = program.and_then(|program| Some(program.parent()?.join(options.hash_file.as_ref())));
    file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default()
}

// The hasher's keys are the same in each process.
fn hash_of(texts: &[&str]) -> String {
    let mut hasher = DefaultHasher::new();
    texts.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_found_by_the_name_of_its_content_alone() {
        assert_ne!(PAGE.name, LIVE.name);
        assert_eq!(script(&PAGE.name), Some(PAGE.text));
        assert_eq!(script("page.js"), None);
        assert_ne!(Script::new("page", "other").name, PAGE.name);
    }

    #[test]
    fn a_build_has_one_name() {
        let options = LeptosOptions::builder().output_name("strata").build();
        assert_eq!(build_id(&options), build_id(&options));
        assert_eq!(build_id(&options).len(), 16);
    }
}
