//! What handlers of the dashboard may ask for: the console, the lab, what is open, who looks.

mod app_state;
mod attention;
mod snapshots;

pub(crate) use app_state::{AppState, Parts};
pub use app_state::{Needs, Probe};
pub use attention::{Attention, WhenIdle};
pub(crate) use snapshots::Snapshots;
