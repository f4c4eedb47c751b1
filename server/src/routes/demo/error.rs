use axum::http::StatusCode;
use strata_cache::{ErrorChain, LogLimit};
use strata_demo::DemoError;
use tracing::warn;

use strata_dashboard::program::AppError;

/// With each request where the database is away.
static SOURCE_FAILED: LogLimit = LogLimit::new();

/// What a failure of the demo is answered with.
pub(super) fn refusal(error: DemoError) -> AppError {
    match error {
        DemoError::NotFound => AppError::not_found("not-found", "There is no such thing."),
        DemoError::Forbidden => {
            AppError::forbidden("forbidden", "The caller may not do this; see x-strata-caller.")
        }
        DemoError::Invalid(why) => AppError::bad_request("invalid", why),
        DemoError::Conflict(why) => {
            AppError::new(StatusCode::CONFLICT, "conflict", format!("Strata failed to {why}."))
        }
        DemoError::Source(error) => {
            if let Some(times) = SOURCE_FAILED.due() {
                warn!(error = %ErrorChain(&*error), times, "failed to ask the source");
            }
            AppError::unavailable("source-unavailable", "The database did not answer; try again.")
        }
    }
}
