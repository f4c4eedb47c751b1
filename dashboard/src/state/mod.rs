//! What handlers of the dashboard may ask for: the console, the lab, what is open.

mod app_state;
mod snapshots;

pub(crate) use app_state::{AppState, Parts};
pub use app_state::{Needs, Probe};
pub(crate) use snapshots::Snapshots;
