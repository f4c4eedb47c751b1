//! What handlers may ask for: the console, the copies of the demo service, the lab, what is open.

mod app_state;
mod sites;
mod snapshots;

pub(crate) use app_state::{AppState, Parts};
pub(crate) use sites::Sites;
pub(crate) use snapshots::Snapshots;
