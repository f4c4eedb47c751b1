//! The dashboard over HTTP: screens, API, live events and metrics, as an axum router with the files
//! of the pages inside.

// Who imports whom: only from a line above. `tests/imports.rs` checks it.
//
// - threads
// - http
// - assets
// - metrics
// - access
// - state
// - pages
// - routes
// - program

mod access;
mod assets;
mod http;
mod metrics;
mod pages;
pub mod program;
mod routes;
mod state;
mod threads;
