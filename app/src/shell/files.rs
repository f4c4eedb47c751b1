//! Where a page finds what the build made: the browser's program, its JavaScript, and the style.

use leptos::nonce::use_nonce;
use leptos::prelude::*;

use crate::addresses::at_program;

/// Where the files are served.
pub const FILES: &str = "/pkg/";

/// The names of the files that the build made. They change with their content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageFiles {
    /// The style.
    pub style: &'static str,
    /// The JavaScript that loads the browser's program.
    pub script: &'static str,
    /// The browser's program.
    pub program: &'static str,
    /// Tells builds apart whose files are the same; mostly empty.
    pub build: &'static str,
}

/// The address of such a file.
pub(super) fn file_address(name: &str) -> String {
    // All services of a program have the same.
    at_program(&format!("{FILES}{name}"))
}

/// The link to the style.
pub(super) fn stylesheet(files: Option<PageFiles>) -> impl IntoView + use<> {
    files.map(|files| view! { <link rel="stylesheet" nonce=use_nonce() href=file_address(files.style) /> })
}

/// What a page says whose program was built without these files.
pub(super) fn missing_files(files: Option<PageFiles>) -> impl IntoView + use<> {
    files.is_none().then(|| {
        view! {
            <p class="banner behind">
                "This program was built without the style and the script of its pages. "
                <code>"./dev assets"</code> " makes them; then build the program again."
            </p>
        }
    })
}
