//! What is served without the right to look.

use crate::http::HEALTH_PATHS;

const FOLDER: &str = "/pkg/";

/// Whether a path is one of the files that the page of a refusal needs.
pub(super) fn is_open_file(path: &str) -> bool {
    matches!(path, "/favicon.svg" | "/robots.txt") || path.starts_with(FOLDER)
}

/// Whether a path of a program of its own is open: those files, logging in and out, and health.
pub(crate) fn is_open(path: &str) -> bool {
    is_open_file(path)
        || HEALTH_PATHS.contains(&path)
        || matches!(path, "/login" | "/logout" | "/api/strata/log_in")
}
