//! `docs/lessons/` says what the lessons say.

use std::collections::BTreeMap;
use std::path::Path;

use strata_lab::{Lesson, StrategyKind};

use crate::support::Done;

/// With `STRATA_WRITE_LESSONS=1` it writes them instead.
#[test]
fn the_pages_in_docs_are_those_of_the_lessons() -> Done {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/lessons");
    let mut pages: BTreeMap<String, String> = Lesson::ALL
        .iter()
        .map(|lesson| (format!("{}.md", lesson.slug), lesson.markdown()))
        .collect();
    pages.insert("README.md".to_owned(), Lesson::markdown_of_all());
    if std::env::var_os("STRATA_WRITE_LESSONS").is_some() {
        std::fs::create_dir_all(&folder)?;
        for (name, page) in &pages {
            std::fs::write(folder.join(name), page)?;
        }
    }
    let mut found = BTreeMap::new();
    for file in std::fs::read_dir(&folder)? {
        let file = file?;
        found.insert(
            file.file_name().to_string_lossy().into_owned(),
            std::fs::read_to_string(file.path())?,
        );
    }
    assert_eq!(found.keys().collect::<Vec<_>>(), pages.keys().collect::<Vec<_>>());
    for (name, page) in pages {
        assert_eq!(found[&name], page, "{name}: run the test with STRATA_WRITE_LESSONS=1");
    }
    Ok(())
}

#[test]
fn the_files_that_the_pages_name_are_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/strategies");
    for kind in StrategyKind::ALL {
        let shown = std::fs::read_to_string(folder.join(kind.file_name()));
        assert_eq!(shown.ok().as_deref(), Some(kind.code()), "{}", kind.as_str());
    }
}
