//! What handlers of the dashboard may ask for: the console, the lab, what is open.

mod app_state;
mod snapshots;

pub use app_state::{AppState, Needs, Parts, Probe};
pub use snapshots::Snapshots;
