use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use strata_console::Console;
use strata_report::{Range, RangeHistory};

use crate::http::AppError;
use crate::http::extract::{Path, Query};
use crate::http::table::{Format, table};
use crate::routes::openapi::OfCache;

/// How far back, and how to write it.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    #[serde(default)]
    range: Range,
    #[serde(default)]
    format: Format,
}

/// All caches together over a range.
#[utoipa::path(get, path = "/api/v1/history", params(HistoryQuery), responses((status = 200, description = "The past.", content((RangeHistory = "application/json"), (String = "text/csv")))))]
pub(crate) async fn all(
    State(console): State<Console>,
    Query(wanted): Query<HistoryQuery>,
) -> Result<Response, AppError> {
    Ok(answer(console.history(wanted.range), wanted.format))
}

/// One cache over a range.
#[utoipa::path(get, path = "/api/v1/caches/{cache}/history", params(("cache" = String, Path, description = "The cache's name"), HistoryQuery), responses((status = 200, description = "The past.", content((RangeHistory = "application/json"), (String = "text/csv"))), OfCache))]
pub(crate) async fn of_cache(
    State(console): State<Console>,
    Path(cache): Path<String>,
    Query(wanted): Query<HistoryQuery>,
) -> Result<Response, AppError> {
    Ok(answer(console.cache_history(&cache, wanted.range)?, wanted.format))
}

fn answer(past: RangeHistory, format: Format) -> Response {
    table(format, "history", &past.steps, || Json(&past))
}
