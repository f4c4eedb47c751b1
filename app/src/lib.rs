//! The screens of Strata. With feature `ssr` a server draws them, with feature `hydrate` they come
//! alive in a browser; never both in one build.
//!
//! The list goes from the bottom up. A folder or file imports only those above it, which
//! `tests/imports.rs` checks.

// - base_path
// - format, hints, addresses
// - api
// - live
// - visitor
// - ui
// - charts
// - cards
// - screens
// - server_drawn
// - pages
// - shell

#![expect(unreachable_pub, reason = "the macros of leptos make public what they write")]
// A page is one type made of all the types inside it.
#![recursion_limit = "256"]

mod addresses;
mod api;
#[cfg(feature = "ssr")]
mod base_path;
mod cards;
mod charts;
mod format;
mod hints;
mod live;
mod pages;
#[cfg(feature = "ssr")]
mod screens;
mod server_drawn;
mod shell;
mod ui;
mod visitor;

#[cfg(feature = "lab")]
pub use addresses::{COMPARE_PATH, comparison_address};
#[cfg(feature = "ssr")]
pub use addresses::{at, encode};
pub use api::{
    ApiError, CancelJob, CurrentSession, CurrentTraffic, InvalidateKey, LogIn, LogOut,
    MarkKeyStale, RefreshKey, RunPlan, SetTraffic,
};
#[cfg(feature = "lab")]
pub use api::{
    ChangeFault, Compare, FinishRun, ForgetProgress, LAB_FUNCTIONS, Measure, RunForm, StartRun,
    StepRun, StopComparison, StopMeasuring, StopRun,
};
#[cfg(feature = "ssr")]
pub use api::{DropDeadLetters, RedriveDeadLetters, SessionCookie, StopDeadLetters};
#[cfg(feature = "ssr")]
pub use base_path::{BasePath, BasePathError};
pub use pages::Draw;
pub use shell::App;
#[cfg(feature = "ssr")]
pub use shell::{LogInPage, SCRIPTS, build_id, refusal_page, script, shell};
pub use ui::yield_to_browser;
