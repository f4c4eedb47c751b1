//! The screens of Strata. With feature `ssr` they are drawn on a server, with feature `hydrate`
//! they come alive in a browser; never both in one build.
//!
//! Pages use cards, cards use charts and `ui`, and `ui` knows no caches. Every server function
//! is in `api`.

#![expect(unreachable_pub, reason = "the macros of leptos make public what they write")]
// A page is one type made of all the types inside it.
#![recursion_limit = "256"]

mod api;
mod app;
mod cards;
mod charts;
mod drawn;
mod format;
mod hints;
mod live;
mod pages;
mod palette;
#[cfg(feature = "ssr")]
mod plain;
#[cfg(feature = "ssr")]
mod screens;
#[cfg(feature = "ssr")]
mod scripts;
mod session;
#[cfg(feature = "ssr")]
mod shell;
mod shortcuts;
mod theme;
mod top_bar;
mod ui;

pub use api::{
    ApiError, CancelJob, CurrentSession, CurrentTraffic, Draw, InvalidateKey, LogIn, LogOut,
    RefreshKey, RunPlan, SetTraffic, SoftenKey,
};
#[cfg(feature = "lab")]
pub use api::{
    ChangeFault, Compare, FinishRun, ForgetProgress, Measure, StartRun, StepRun, StopComparison,
    StopMeasuring, StopRun, Wish,
};
#[cfg(feature = "ssr")]
pub use api::{
    DropDeadLetters, RedriveDeadLetters, SessionCookie, StopDeadLetters, traffic_change,
};
pub use app::App;
#[cfg(feature = "ssr")]
pub use drawn::encode;
#[cfg(feature = "lab")]
pub use drawn::{COMPARE_PATH, comparison_address};
#[cfg(feature = "ssr")]
pub use plain::{LogInPage, refusal_page};
#[cfg(feature = "ssr")]
pub use scripts::{SCRIPTS, build_id, script};
#[cfg(feature = "ssr")]
pub use shell::shell;
pub use ui::breath;
