//! Everything that the browser may ask of the server, one file a subject.
//!
//! Each function has an explicit endpoint, so that a page and a server that were built in
//! different places still meet. None of them decides who may act: the console does. The browser
//! asks them by [`post`], as a plain form would; the calls that leptos would write for it make up
//! a tenth of the program that it has to load.

#[cfg(feature = "ssr")]
mod dead_letters;
#[cfg(feature = "ssr")]
mod door;
mod draw;
mod error;
mod first_paint;
mod invalidate;
#[cfg(feature = "lab")]
mod lab;
mod post;
mod session;
mod traffic;

#[cfg(feature = "ssr")]
pub use dead_letters::{DropDeadLetters, RedriveDeadLetters, StopDeadLetters};
#[cfg(feature = "ssr")]
pub(crate) use door::as_api_error;
pub use draw::Draw;
pub(crate) use draw::{drawing, drawing_of};
pub use error::ApiError;
#[cfg(feature = "ssr")]
pub(crate) use first_paint::chosen_theme;
pub(crate) use first_paint::{Failure, FirstPaint, MakeSnapshot, first_paint, first_snapshot};
pub use invalidate::{CancelJob, InvalidateKey, RefreshKey, RunPlan, SoftenKey};
#[cfg(feature = "lab")]
pub use lab::{
    ChangeFault, Compare, FinishRun, ForgetProgress, Measure, StartRun, StepRun, StopComparison,
    StopMeasuring, StopRun, Wish,
};
#[cfg(feature = "lab")]
pub(crate) use lab::{Progress, lessons_done};
pub(crate) use post::{Answer, post, post_id, read};
#[cfg(feature = "ssr")]
pub use session::SessionCookie;
pub use session::{CurrentSession, LogIn, LogOut};
#[cfg(feature = "ssr")]
pub use traffic::change as traffic_change;
pub use traffic::{CurrentTraffic, SetTraffic};
