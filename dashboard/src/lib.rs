//! The dashboard over HTTP, as an axum router with the files of its pages inside: screens, API, live
//! events and metrics. [`Dashboard`] is its public face for any application; `program` is what the
//! program `strata` is made of, and may change with any version.

// Who imports whom: only from a line above. `tests/mounted/imports.rs` checks it.
//
// - threads
// - http
// - assets
// - metrics
// - access
// - state
// - pages
// - routes
// - console_router
// - mount
// - program

#![warn(missing_docs)]

mod access;
mod assets;
mod console_router;
mod http;
mod metrics;
mod mount;
mod pages;
#[doc(hidden)]
pub mod program;
mod routes;
mod state;
mod threads;

pub use access::Access;
pub use mount::{Dashboard, DashboardEnd, MountError, Mounted};
pub use strata_app::EnvironmentColour;
pub use strata_console::Rights;
