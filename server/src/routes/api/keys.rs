use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json};
use serde::Deserialize;
use strata_console::{Actor, Console};
use strata_report::{Job, KeyLook, KeyPage, KeyQuery, LevelChoice};

use crate::error::AppError;
use crate::extract::{Path, Query};
use crate::openapi::{OfKey, Search, Softening};
use crate::table::{Format, table};

/// What to search for, and how to write it.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// A glob on the key; every key where it is left out.
    pattern: Option<String>,
    #[serde(default)]
    level: LevelChoice,
    limit: Option<u32>,
    cursor: Option<String>,
    #[serde(default)]
    format: Format,
}

/// One page of the keys that match, in both levels.
#[utoipa::path(get, path = "/api/v1/caches/{cache}/keys", params(("cache" = String, Path, description = "The cache's name"), Wanted), responses((status = 200, description = "One page of keys.", content((KeyPage = "application/json"), (String = "text/csv"))), Search))]
pub(crate) async fn search(
    State(console): State<Console>,
    Path(cache): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, AppError> {
    let query = KeyQuery {
        pattern: wanted.pattern.unwrap_or_else(|| "*".to_owned()),
        level: wanted.level,
        limit: wanted.limit.unwrap_or(KeyQuery::DEFAULT_LIMIT),
        cursor: wanted.cursor,
    };
    let page = console.keys(&cache, &query).await?;
    Ok(table(wanted.format, "keys", &page.rows, || Json(&page)))
}

/// One key in every level and in the source, looked at without disturbing the cache. Values are
/// hidden from who may not read them.
#[utoipa::path(get, path = "/api/v1/caches/{cache}/keys/{key}", params(("cache" = String, Path, description = "The cache's name"), ("key" = String, Path, description = "The key")), responses((status = 200, description = "The key.", body = KeyLook), OfKey))]
pub(crate) async fn look(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path((cache, key)): Path<(String, String)>,
) -> Result<Json<KeyLook>, AppError> {
    Ok(Json(console.look(&actor, &cache, &key).await?))
}

/// Invalidates one key on every level and node; done when it answers.
#[utoipa::path(delete, path = "/api/v1/caches/{cache}/keys/{key}", params(("cache" = String, Path, description = "The cache's name"), ("key" = String, Path, description = "The key")), responses((status = 200, description = "How it ended.", body = Job), OfKey))]
pub(crate) async fn invalidate(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path((cache, key)): Path<(String, String)>,
) -> Result<Json<Job>, AppError> {
    Ok(Json(console.invalidate_key(&actor, &cache, &key).await?))
}

/// Marks one key as stale on every level and node; done when it answers.
#[utoipa::path(post, path = "/api/v1/caches/{cache}/keys/{key}/soften", params(("cache" = String, Path, description = "The cache's name"), ("key" = String, Path, description = "The key")), responses((status = 200, description = "How it ended.", body = Job), Softening))]
pub(crate) async fn soften(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path((cache, key)): Path<(String, String)>,
) -> Result<Json<Job>, AppError> {
    Ok(Json(console.soften_key(&actor, &cache, &key).await?))
}

/// Loads one key anew from its source; done when it answers.
#[utoipa::path(post, path = "/api/v1/caches/{cache}/keys/{key}/refresh", params(("cache" = String, Path, description = "The cache's name"), ("key" = String, Path, description = "The key")), responses((status = 200, description = "How it ended.", body = Job), Softening))]
pub(crate) async fn refresh(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path((cache, key)): Path<(String, String)>,
) -> Result<Json<Job>, AppError> {
    Ok(Json(console.refresh_key(&actor, &cache, &key).await?))
}
