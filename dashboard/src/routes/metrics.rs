use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use prometheus::{TEXT_FORMAT, TextEncoder};
use strata_cache::LogLimit;
use tracing::warn;

use crate::http::AppError;
use crate::state::AppState;

static NOT_WRITTEN: LogLimit = LogLimit::new();

/// The newest reports as Prometheus text.
pub(crate) async fn metrics(State(state): State<AppState>) -> Result<impl IntoResponse, AppError> {
    let text = TextEncoder::new().encode_to_string(&state.registry.gather()).map_err(|error| {
        if let Some(times) = NOT_WRITTEN.due() {
            warn!(%error, times, "failed to write the metrics");
        }
        AppError::unavailable("no-metrics", "The metrics could not be written.")
    })?;
    Ok(([(header::CONTENT_TYPE, TEXT_FORMAT)], text))
}
