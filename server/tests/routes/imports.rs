//! Who imports whom among the folders of the crate, by the list in `lib.rs`.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

/// The line of the list that a folder or file of the crate's root stands on.
fn lines_of_the_list(lib: &str) -> HashMap<&str, usize> {
    let lines = lib.lines().filter_map(|line| line.strip_prefix("// - "));
    let names =
        lines.enumerate().flat_map(|(at, line)| line.split(", ").map(move |name| (name, at)));
    names.collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true => rust_files(&path),
        false => vec![path],
    });
    files.filter(|path| path.extension().is_some_and(|name| name == "rs")).collect()
}

/// What a source imports from the crate's root, but for its tests and comments.
fn imports(source: &str) -> BTreeSet<String> {
    let code = source.split("\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n").replace("pub(in crate::", "");
    let mut found = BTreeSet::new();
    for path in code.split("crate::").skip(1) {
        let paths = path.strip_prefix('{').and_then(|paths| paths.split(';').next());
        for path in paths.map_or(vec![path], |paths| paths.split(',').collect()) {
            let is_part = |c: &char| c.is_alphanumeric() || *c == '_';
            let name: String = path.trim_start().chars().take_while(is_part).collect();
            found.insert(name);
        }
    }
    found.remove("");
    found
}

#[test]
fn a_folder_imports_only_those_above_it_in_the_list() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(src.join("lib.rs")).unwrap();
    let line_of = lines_of_the_list(&lib);
    assert!(line_of.len() > 10, "the list has gone: {line_of:?}");
    let mut wrong = Vec::new();
    for file in rust_files(&src) {
        let place = file.strip_prefix(&src).unwrap();
        let own = place.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if own == "lib" {
            continue;
        }
        let line = line_of.get(own).unwrap_or_else(|| panic!("{own} is not in the list"));
        for other in imports(&fs::read_to_string(&file).unwrap()) {
            let is_above = line_of.get(&*other).is_some_and(|above| above < line);
            if other != own && !is_above {
                wrong.push(format!("{} imports {other}", place.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn imports_are_read_one_by_one_and_in_braces() {
    let source = "use crate::l2::Keyspace;\nuse crate::{bus, node::Node};\n// crate::cache\n\
        fn f() { crate::clock::now_ms() }\nmod tests {\n use crate::inspect::X;\n}";
    let expected = ["bus", "clock", "l2", "node"].map(str::to_owned);
    assert_eq!(imports(source), BTreeSet::from(expected));
}
