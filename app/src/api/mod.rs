//! Everything that the browser may ask of the server, one file a subject.
//!
//! Each function has an explicit endpoint, so that a page and a server that were built in
//! different places still meet. None of them decides who may act: the console does. The browser
//! asks them by [`post`], as a plain form would; the calls that leptos would write for it make up
//! a tenth of the program that it has to load.

#[cfg(feature = "ssr")]
pub(crate) mod context;
#[cfg(feature = "ssr")]
mod dead_letters;
mod error;
mod invalidate;
#[cfg(feature = "lab")]
mod lab;
mod post;
mod session;
mod traffic;

#[cfg(feature = "ssr")]
pub(crate) use context::as_api_error;
#[cfg(feature = "ssr")]
pub use dead_letters::{DropDeadLetters, RedriveDeadLetters, StopDeadLetters};
pub use error::ApiError;
pub use invalidate::{CancelJob, InvalidateKey, MarkKeyStale, RefreshKey, RunPlan};
#[cfg(feature = "lab")]
pub use lab::{
    ChangeFault, Compare, FinishRun, ForgetProgress, LAB_FUNCTIONS, Measure, RunForm, StartRun,
    StepRun, StopComparison, StopMeasuring, StopRun,
};
#[cfg(feature = "lab")]
pub(crate) use lab::{LessonProgress, lessons_done};
#[cfg(all(test, feature = "ssr"))]
pub(crate) use post::DRAW_PATH;
#[cfg(feature = "csr")]
pub(crate) use post::{PageExtent, fetch_page};
pub(crate) use post::{ServerAnswer, post, post_id, read};
#[cfg(feature = "ssr")]
pub use session::SessionCookie;
pub use session::{CurrentSession, LogIn, LogOut};
pub use traffic::{CurrentTraffic, SetTraffic};
