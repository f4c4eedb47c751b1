//! Everything that the browser may ask of the server, one file a subject.
//!
//! Each function has an explicit endpoint, so that a page and a server that were built in
//! different places still meet. None of them decides who may act: the console does.

#[cfg(feature = "ssr")]
mod door;
mod error;
mod first_paint;
mod invalidate;
mod session;
mod traffic;

pub use error::ApiError;
#[cfg(feature = "ssr")]
pub(crate) use first_paint::chosen_theme;
pub(crate) use first_paint::{FirstPaint, first_paint};
pub use invalidate::{CancelJob, FollowJob, InvalidateKey, InvalidatePattern, PlanInvalidation};
pub(crate) use invalidate::follow_job;
pub use session::{CurrentSession, LogIn, LogOut};
pub(crate) use session::session;
pub use traffic::{CurrentTraffic, SetTraffic};
pub(crate) use traffic::traffic;
