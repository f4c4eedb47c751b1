//! The tests that the README names as proof exist.

use std::fs;
use std::path::Path;

const README: &str = include_str!("../../README.md");

/// The sources of these tests, one after the other.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        text += &if path.is_dir() { sources(&path) } else { fs::read_to_string(path).unwrap() };
    }
    text
}

#[test]
fn every_test_that_the_readme_names_exists() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"));
    let names: Vec<&str> = README
        .split('`')
        .filter(|word| word.matches('_').count() >= 4 && !word.contains(' '))
        .collect();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        assert!(sources.contains(&format!("fn {name}(")), "no test is called {name}");
    }
}
