use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use strata_console::{Actor, Console};
use strata_report::{Job, Plan};

use crate::error::AppError;
use crate::extract::{Json, Path};

/// What to invalidate.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    /// A glob on the key.
    pattern: String,
}

/// Counts what an invalidation would remove, and changes nothing.
pub(crate) async fn plan(
    State(console): State<Console>,
    Path(cache): Path<String>,
    Json(target): Json<Target>,
) -> Result<axum::Json<Plan>, AppError> {
    Ok(axum::Json(console.plan(&cache, &target.pattern).await?))
}

/// Begins to invalidate every key that matches; `Location` tells where to watch it.
pub(crate) async fn start(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(cache): Path<String>,
    Json(target): Json<Target>,
) -> Result<impl IntoResponse, AppError> {
    let job = console.invalidate_pattern(&actor, &cache, &target.pattern).await?;
    let location = format!("/api/v1/invalidations/{}", job.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], axum::Json(job)))
}

/// Where an invalidation stands.
pub(crate) async fn get(
    State(console): State<Console>,
    Path(id): Path<u64>,
) -> Result<axum::Json<Job>, AppError> {
    Ok(axum::Json(console.job(id)?))
}

/// Stops an invalidation after its current batch.
pub(crate) async fn cancel(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<u64>,
) -> Result<axum::Json<Job>, AppError> {
    Ok(axum::Json(console.cancel(&actor, id)?))
}
