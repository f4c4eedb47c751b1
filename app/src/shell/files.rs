//! Where a page finds what the build wrote: the browser's program, its JavaScript, and the style.

use leptos::config::LeptosOptions;
use leptos::prelude::*;

/// The address of the built file of a kind: `js`, `wasm` or `css`.
pub(super) fn built_file(options: &LeptosOptions, kind: &str) -> String {
    let LeptosOptions { site_pkg_dir, output_name, .. } = options;
    let hashes = file_hashes(options);
    let hash = hashes.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(':'));
    match hash {
        Some(hash) => format!("/{site_pkg_dir}/{output_name}.{}.{kind}", hash.trim()),
        None => format!("/{site_pkg_dir}/{output_name}.{kind}"),
    }
}

/// The link to the style.
pub(super) fn stylesheet(options: &LeptosOptions) -> impl IntoView + use<> {
    view! { <link rel="stylesheet" href=built_file(options, "css") /> }
}

/// What the build wrote down beside the program about the files of the site.
pub(super) fn file_hashes(options: &LeptosOptions) -> String {
    let program = std::env::current_exe().ok().filter(|_| options.hash_files);
    let file = program.and_then(|program| Some(program.parent()?.join(options.hash_file.as_ref())));
    file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default()
}
