//! Files and folders that the documents name are there.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use walkdir::{DirEntry, WalkDir};
use xshell::Shell;

use crate::step::step;

/// Documents whose paths begin at the top folder.
const FROM_THE_TOP: &[&str] = &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];

/// What a path that is checked begins with. Shorter ones, within a crate, are not checked.
const FOLDERS: &[&str] = &[
    "app/",
    "cache/",
    "console/",
    "dashboard/",
    "demo/",
    "docs/",
    "end2end/",
    "examples/",
    "lab/",
    "report/",
    "server/",
    "style/",
    "testing/",
    "xtask/",
];

/// Fails at the first path or link that leads nowhere.
pub(crate) fn check_paths(shell: &Shell) -> Result<()> {
    step("Paths in the documents");
    for document in FROM_THE_TOP {
        let text = shell.read_file(document)?;
        for path in text.split('`').skip(1).step_by(2).filter(|text| is_path(text)) {
            ensure!(Path::new(path).exists(), "{document} names {path}, which is not there.");
        }
    }
    for document in documents() {
        let text = shell.read_file(&document)?;
        let folder = document.parent().unwrap_or(Path::new(""));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            let path = link.0.split('#').next().unwrap_or_default();
            let is_ours = !path.is_empty() && !path.contains(':') && !path.contains(' ');
            ensure!(
                !is_ours || folder.join(path).exists(),
                "{} links to {path}, which is not there.",
                document.display()
            );
        }
    }
    Ok(())
}

fn is_path(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    FOLDERS.iter().any(|folder| text.starts_with(folder)) && text.chars().all(is_plain)
}

fn documents() -> Vec<PathBuf> {
    let tops = FROM_THE_TOP.iter().map(PathBuf::from);
    let more = ["CHANGELOG.md", "SECURITY.md", "cache/README.md"].into_iter().map(PathBuf::from);
    let is_built = |entry: &DirEntry| entry.file_name() == "target";
    let folders = ["docs", "examples"].into_iter().flat_map(|folder| {
        WalkDir::new(folder).into_iter().filter_entry(move |entry| !is_built(entry))
    });
    let files = folders.filter_map(|entry| Some(entry.ok()?.into_path()));
    let is_document = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "md");
    tops.chain(more).chain(files.filter(is_document)).collect()
}
