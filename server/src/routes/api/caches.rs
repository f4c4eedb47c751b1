use axum::Json;
use axum::extract::State;
use strata_console::Console;
use strata_report::CacheFrame;

use crate::error::AppError;
use crate::extract::Path;

/// Every cache, its nodes added up.
pub(crate) async fn list(State(console): State<Console>) -> Json<Vec<CacheFrame>> {
    Json(console.caches())
}

/// One cache, its nodes added up.
pub(crate) async fn get(
    State(console): State<Console>,
    Path(cache): Path<String>,
) -> Result<Json<CacheFrame>, AppError> {
    Ok(Json(console.cache(&cache)?))
}
