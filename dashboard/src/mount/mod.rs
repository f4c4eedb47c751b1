//! The dashboard among the paths of any axum application.

mod dashboard;
mod error;

pub use dashboard::Dashboard;
pub use error::MountError;
