//! The page's own JavaScript, which is no part of its program: what watches over the program, what
//! holds the live stream, what reads out times and charts, and the palette with its keys. Each file's
//! name changes with its content.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{LazyLock, OnceLock};

use super::PageFiles;
use crate::addresses::at;

/// Where the scripts are served.
pub const SCRIPTS: &str = "/scripts/";

/// Runs in every page before anything is drawn.
pub(crate) static PAGE: LazyLock<Script> = LazyLock::new(|| Script::new("page", PAGE_TEXT));

// One file of three: what brings the live numbers, what puts live parts in their places, and what
// watches over the page's program.
const PAGE_TEXT: &str = concat!(
    include_str!("../../scripts/stream.js"),
    include_str!("../../scripts/take_over.js"),
    include_str!("../../scripts/page.js"),
);

/// Holds the live stream for all windows of a browser.
pub(crate) static LIVE: LazyLock<Script> =
    LazyLock::new(|| Script::new("live", include_str!("../../scripts/live.js")));

/// Reads out times, hints and charts on hover, focus and touch; the theme, the palette and the keys.
pub(crate) static READOUTS: LazyLock<Script> =
    LazyLock::new(|| Script::new("readouts", READOUTS_TEXT));

/// Keeps the list of services up to date.
pub(crate) static SERVICES: LazyLock<Script> =
    LazyLock::new(|| Script::new("services", include_str!("../../scripts/services.js")));

const READOUTS_TEXT: &str =
    concat!(include_str!("../../scripts/readouts.js"), include_str!("../../scripts/shell.js"));

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
    [&PAGE, &LIVE, &READOUTS, &SERVICES]
        .into_iter()
        .find(|script| script.name == name)
        .map(|script| script.text)
}

/// Names the build that pages come from, so that a page notices when it talks to another one. The
/// same for every copy of a build.
pub fn build_id(files: Option<PageFiles>) -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| {
        let version = env!("CARGO_PKG_VERSION");
        let built = files.map(|files| [files.style, files.script, files.program, files.build]);
        let own = [version, &PAGE.name, &LIVE.name, &READOUTS.name];
        hash_of(&[own, built.unwrap_or_default()].concat())
    })
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
        assert_eq!(build_id(None), build_id(None));
        assert_eq!(build_id(None).len(), 16);
    }
}
