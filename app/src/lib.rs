//! The screens of Strata. With feature `ssr` a server draws them, each page whole; with feature `csr`
//! their live parts take over in a browser. Never both in one build.
//!
//! The list goes from the bottom up. A folder or file imports only those above it, which
//! `tests/imports.rs` checks.

// - base_path
// - format, hints, addresses, application_page
// - api
// - live
// - visitor
// - ui
// - charts
// - cards
// - parts
// - first_paint
// - screens
// - server_drawn
// - pages
// - shell
// - program

#![expect(unreachable_pub, reason = "the macros of leptos make public what they write")]
// A page is one type made of all the types inside it.
#![recursion_limit = "256"]

mod addresses;
mod api;
#[cfg(feature = "ssr")]
mod application_page;
#[cfg(feature = "ssr")]
mod base_path;
mod cards;
mod charts;
mod first_paint;
mod format;
mod hints;
mod live;
mod pages;
mod parts;
#[cfg(feature = "csr")]
mod program;
#[cfg(feature = "ssr")]
mod screens;
#[cfg(feature = "csr")]
mod server_drawn;
#[cfg(feature = "ssr")]
mod shell;
mod ui;
mod visitor;

#[cfg(feature = "lab")]
pub use addresses::{COMPARE_PATH, comparison_address};
#[cfg(feature = "ssr")]
pub use addresses::{at, at_program, encode};
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
pub use application_page::{ApplicationPage, EnvironmentColour};
#[cfg(feature = "ssr")]
pub use base_path::{BasePath, BasePathError};
pub use pages::Draw;
#[cfg(feature = "ssr")]
pub use pages::page_paths;
#[cfg(feature = "csr")]
pub use program::take_over;
#[cfg(feature = "ssr")]
pub use shell::{
    FILES, ListedRedis, ListedService, LogInPage, PageFiles, SCRIPTS, ServiceMenu, ServiceState,
    ServicesPage, build_id, document, no_such_service_page, recent_reads, refusal_page, script,
};
#[cfg(feature = "ssr")]
pub use visitor::theme::COOKIE as THEME_COOKIE;
