use axum::http::StatusCode;
use strata_cache::{ErrorChain, LogLimit};
use strata_demo::DemoError;
use tracing::warn;

use crate::http::AppError;

/// With each request where the database is away.
static SOURCE_FAILED: LogLimit = LogLimit::new();

impl From<DemoError> for AppError {
    fn from(error: DemoError) -> Self {
        match error {
            DemoError::NotFound => Self::not_found("not-found", "There is no such thing."),
            DemoError::Forbidden => {
                Self::forbidden("forbidden", "The caller may not do this; see x-strata-caller.")
            }
            DemoError::Invalid(why) => Self::bad_request("invalid", why),
            DemoError::Conflict(why) => {
                Self::new(StatusCode::CONFLICT, "conflict", format!("Strata failed to {why}."))
            }
            DemoError::Source(error) => {
                if let Some(times) = SOURCE_FAILED.due() {
                    warn!(error = %ErrorChain(&*error), times, "failed to ask the source");
                }
                Self::unavailable("source-unavailable", "The database did not answer; try again.")
            }
        }
    }
}
