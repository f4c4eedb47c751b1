//! The dashboard among the paths of any axum application.

mod dashboard;
mod end;
mod error;
mod fleet;
mod nodes;

pub use dashboard::Dashboard;
pub use end::{DashboardEnd, Mounted};
pub use error::MountError;
