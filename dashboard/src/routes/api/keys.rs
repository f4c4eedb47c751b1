use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use strata_app::at;
use strata_console::{Actor, Console, SearchResults};
use strata_report::{Job, KeyLook, KeyPage, KeyQuery, LevelChoice};
use tokio::task::spawn_blocking;

use crate::http::AppError;
use crate::http::extract::{Path, Query};
use crate::http::table::{Format, encoded, goes_on, table};
use crate::routes::openapi::{OfKey, Search, Softening};

/// What to search for, and how to write it.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct KeyPageQuery {
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
#[utoipa::path(get, path = "/api/v1/caches/{cache}/keys", params(("cache" = String, Path, description = "The cache's name"), KeyPageQuery), responses((status = 200, description = "One page of keys.", content((KeyPage = "application/json"), (String = "text/csv"))), Search))]
pub(crate) async fn search(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(cache): Path<String>,
    Query(wanted): Query<KeyPageQuery>,
) -> Result<Response, AppError> {
    let format = wanted.format;
    let query = KeyQuery {
        pattern: wanted.pattern.unwrap_or_else(|| "*".to_owned()),
        level: wanted.level,
        // A file holds as much as the screen does.
        limit: wanted.limit.unwrap_or(match format {
            Format::Json => KeyQuery::DEFAULT_LIMIT,
            Format::Csv => SearchResults::MAX_ROWS,
        }),
        cursor: wanted.cursor,
    };
    let page = match format {
        Format::Json => console.keys(&actor, &cache, &query).await?,
        Format::Csv => console.all_keys(&actor, &cache, &query).await?,
    };
    let next = page.next.as_deref().map(|cursor| next(&cache, &query, (cursor, format)));
    // A file has no room to say what is missing but its name.
    let name = if page.l2_away { "keys-without-l2" } else { "keys" };
    let answer = match format {
        Format::Json => Json(page).into_response(),
        // A hundred thousand rows take longer to write than other requests should wait.
        Format::Csv => spawn_blocking(move || table(format, name, &page.rows, || ()))
            .await
            .map_err(|_| AppError::internal())?,
    };
    Ok(goes_on(answer, name, next))
}

fn next(cache: &str, query: &KeyQuery, (cursor, format): (&str, Format)) -> String {
    let level = match query.level {
        LevelChoice::Any => "any",
        LevelChoice::L1 => "l1",
        LevelChoice::L2 => "l2",
    };
    at(&format!(
        "/api/v1/caches/{}/keys?pattern={}&level={level}&limit={}&cursor={}&format={}",
        encoded(cache),
        encoded(&query.pattern),
        query.limit,
        encoded(cursor),
        format.as_str(),
    ))
}

/// Names a key of a cache. In the path some keys are lost on their way: `.`, `..`, and those with
/// slashes where a proxy decodes them.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OneKey {
    key: String,
}

/// One key in every level and in the source, whatever the key is made of.
#[utoipa::path(get, path = "/api/v1/caches/{cache}/key", params(("cache" = String, Path, description = "The cache's name"), OneKey), responses((status = 200, description = "The key.", body = KeyLook), OfKey))]
pub(crate) async fn look_at(
    state: State<Console>,
    actor: Extension<Actor>,
    Path(cache): Path<String>,
    Query(OneKey { key }): Query<OneKey>,
) -> Result<Json<KeyLook>, AppError> {
    look(state, actor, Path((cache, key))).await
}

/// Invalidates one key on every level and node, whatever the key is made of; done when it answers.
#[utoipa::path(delete, path = "/api/v1/caches/{cache}/key", params(("cache" = String, Path, description = "The cache's name"), OneKey), responses((status = 200, description = "How it ended.", body = Job), OfKey))]
pub(crate) async fn invalidate_it(
    state: State<Console>,
    actor: Extension<Actor>,
    Path(cache): Path<String>,
    Query(OneKey { key }): Query<OneKey>,
) -> Result<Json<Job>, AppError> {
    invalidate(state, actor, Path((cache, key))).await
}

/// Marks one key as stale on every level and node, whatever the key is made of.
#[utoipa::path(post, path = "/api/v1/caches/{cache}/key/soften", params(("cache" = String, Path, description = "The cache's name"), OneKey), responses((status = 200, description = "How it ended.", body = Job), Softening))]
pub(crate) async fn soften_it(
    state: State<Console>,
    actor: Extension<Actor>,
    Path(cache): Path<String>,
    Query(OneKey { key }): Query<OneKey>,
) -> Result<Json<Job>, AppError> {
    soften(state, actor, Path((cache, key))).await
}

/// Loads one key anew from its source, whatever the key is made of.
#[utoipa::path(post, path = "/api/v1/caches/{cache}/key/refresh", params(("cache" = String, Path, description = "The cache's name"), OneKey), responses((status = 200, description = "How it ended.", body = Job), Softening))]
pub(crate) async fn refresh_it(
    state: State<Console>,
    actor: Extension<Actor>,
    Path(cache): Path<String>,
    Query(OneKey { key }): Query<OneKey>,
) -> Result<Json<Job>, AppError> {
    refresh(state, actor, Path((cache, key))).await
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
    Ok(Json(console.mark_key_stale(&actor, &cache, &key).await?))
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
