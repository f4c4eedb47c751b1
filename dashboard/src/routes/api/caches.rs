use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json};
use strata_console::{Actor, Console};
use strata_report::{Agreement, CacheDetails, CacheFrame};

use crate::http::AppError;
use crate::http::extract::{Path, Query};
use crate::http::table::{FormatQuery, table};
use crate::routes::openapi::OfCache;

/// Every cache, its nodes added up.
#[utoipa::path(get, path = "/api/v1/caches", params(FormatQuery), responses((status = 200, description = "The caches.", content((Vec<CacheFrame> = "application/json"), (String = "text/csv")))))]
pub(crate) async fn list(
    State(console): State<Console>,
    Query(written): Query<FormatQuery>,
) -> Result<Response, AppError> {
    let caches = console.caches();
    Ok(table(written.format, "caches", &caches, || Json(&caches)))
}

/// One cache, its nodes added up.
#[utoipa::path(get, path = "/api/v1/caches/{cache}", params(("cache" = String, Path, description = "The cache's name")), responses((status = 200, description = "The cache.", body = CacheFrame), OfCache))]
pub(crate) async fn get(
    State(console): State<Console>,
    Path(cache): Path<String>,
) -> Result<Json<CacheFrame>, AppError> {
    Ok(Json(console.cache(&cache)?))
}

/// Everything about one cache: its nodes, when entries expire, how large they are.
#[utoipa::path(get, path = "/api/v1/caches/{cache}/report", params(("cache" = String, Path, description = "The cache's name")), responses((status = 200, description = "The cache in detail.", body = CacheDetails), OfCache))]
pub(crate) async fn report(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(cache): Path<String>,
) -> Result<Json<CacheDetails>, AppError> {
    let mut details = console.cache_report(&cache).await?;
    details.write_behind.iter_mut().for_each(|writes| actor.cover(writes));
    Ok(Json(details))
}

/// Copies of the same keys on the nodes, compared.
#[utoipa::path(get, path = "/api/v1/caches/{cache}/agreement", params(("cache" = String, Path, description = "The cache's name")), responses((status = 200, description = "What was compared.", body = Agreement), OfCache))]
pub(crate) async fn agreement(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(cache): Path<String>,
) -> Result<Json<Agreement>, AppError> {
    Ok(Json(console.agreement(&actor, &cache).await?))
}
