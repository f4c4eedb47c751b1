use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

/// Which files of a crate import what stands on the same line of the list in its `lib.rs`, or below.
///
/// The list has one line for each group of folders and files, as `// - read, change`. A folder or
/// file imports those on the lines above its own. A line `// + errors::ErrorChain` names what every
/// file may import. `crate_dir` is the crate's folder. Panics where the list does not name exactly
/// the folders and files of the crate's root.
pub fn wrong_imports(crate_dir: &str) -> Vec<String> {
    let src = Path::new(crate_dir).join("src");
    let lib = fs::read_to_string(src.join("lib.rs")).unwrap();
    let (line_of, everywhere) = (lines_of_the_list(&lib), everywhere(&lib));
    let places: Vec<(PathBuf, String)> = rust_files(&src)
        .into_iter()
        .map(|file| (file.clone(), root_name(file.strip_prefix(&src).unwrap())))
        .filter(|(_, own)| own != "lib")
        .collect();
    let listed: BTreeSet<&str> = line_of.keys().copied().collect();
    let there: BTreeSet<&str> = places.iter().map(|(_, own)| own.as_str()).collect();
    assert_eq!(
        listed, there,
        "the list in lib.rs names every folder and file of src, and no other"
    );
    let mut wrong = Vec::new();
    for (file, own) in &places {
        let line = &line_of[own.as_str()];
        let source = fs::read_to_string(file).unwrap();
        let source = everywhere.iter().fold(source, |source, line| source.replace(line, ""));
        for other in imports(&source) {
            let is_above = line_of.get(&*other).is_some_and(|above| above < line);
            if other != *own && !is_above {
                wrong.push(format!("{} imports {other}", file.display()));
            }
        }
    }
    wrong
}

/// The folder or file of the crate's root that a file belongs to.
fn root_name(place: &Path) -> String {
    place.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The line of the list for each folder or file of the crate's root.
fn lines_of_the_list(lib: &str) -> HashMap<&str, usize> {
    let lines = lib.lines().filter_map(|line| line.strip_prefix("// - "));
    let names =
        lines.enumerate().flat_map(|(at, line)| line.split(", ").map(move |name| (name, at)));
    names.collect()
}

/// The paths that every file may import: the lines of the list that begin with a plus.
fn everywhere(lib: &str) -> Vec<String> {
    let paths = lib.lines().filter_map(|line| line.strip_prefix("// + "));
    paths.map(|path| format!("use crate::{path};")).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true => rust_files(&path),
        false => vec![path],
    });
    files.filter(|path| path.extension().is_some_and(|name| name == "rs")).collect()
}

/// The names that a source imports from the crate's root, except in its tests and comments.
fn imports(source: &str) -> BTreeSet<String> {
    let code = without_tests(source);
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

/// A source without its modules of tests, wherever they stand.
fn without_tests(source: &str) -> String {
    let mut parts = source.split("\nmod tests {");
    let mut code = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // Where the brace is not found the rest is checked too, tests and all.
        code.push_str(part.split_once("\n}").map_or(part, |(_, rest)| rest));
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_read_one_by_one_and_in_braces() {
        let source = "use crate::l2::Keyspace;\nuse crate::{bus, node::Node};\n// crate::cache\n\
            fn f() { crate::clock::now_ms() }\nmod tests {\n use crate::inspect::X;\n}";
        let expected = ["bus", "clock", "l2", "node"].map(str::to_owned);
        assert_eq!(imports(source), BTreeSet::from(expected));
    }

    #[test]
    fn imports_after_a_module_of_tests_are_read_too() {
        let source = "use crate::l2::Keyspace;\n#[cfg(test)]\nmod tests {\n    use crate::node::X;\n    \
            fn f() {\n    }\n}\n\nuse crate::bus::Y;\nmod tests {\n    use crate::inspect::X;\n}\n";
        assert_eq!(imports(source), BTreeSet::from(["bus", "l2"].map(str::to_owned)));
    }
}
