use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use strata_console::{Actor, Console};
use strata_report::{
    DeadLetterAction, DeadLetterJob, DeadLetterPage, DeadLetterQuery, WriteBehindReport,
};

use crate::error::AppError;
use crate::extract::{Json, Path, Query};
use crate::openapi::{DeadLetterSearch, OfDeadLetterJob, OfDeadLetters};
use crate::table::{Format, Written, table};

const DEFAULT_LIMIT: u32 = 100;

/// Which dead letters to list, and how to write them.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The one with this id.
    id: Option<String>,
    /// Those that this node keeps in memory.
    node: Option<String>,
    /// A glob on the key; every key where it is left out.
    key: Option<String>,
    /// A part of the reason, in either case.
    reason: Option<String>,
    /// Set aside at this time or later, milliseconds since the epoch.
    from_ms: Option<u64>,
    /// Set aside before this time, milliseconds since the epoch.
    until_ms: Option<u64>,
    /// The most rows, between 1 and 1000; 100 where nothing is said.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
    #[serde(default)]
    format: Format,
}

/// Which dead letters to move; all where nothing is said. A field that is not known is refused, so
/// that a slip does not mean all.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// The one with this id.
    id: Option<String>,
    /// Those that this node keeps in memory.
    node: Option<String>,
    /// A glob on the key.
    key: Option<String>,
    /// A part of the reason, in either case.
    reason: Option<String>,
    /// Set aside at this time or later, milliseconds since the epoch.
    from_ms: Option<u64>,
    /// Set aside before this time, milliseconds since the epoch.
    until_ms: Option<u64>,
}

/// The write-behind of each cache that has one, its nodes added up.
#[utoipa::path(get, path = "/api/v1/write-behinds", params(Written), responses((status = 200, description = "The write-behinds.", content((Vec<WriteBehindReport> = "application/json"), (String = "text/csv")))))]
pub(crate) async fn write_behinds(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Query(written): Query<Written>,
) -> Result<Response, AppError> {
    let mut writes = console.write_behinds();
    writes.iter_mut().for_each(|writes| actor.cover(writes));
    Ok(table(written.format, "write-behinds", &writes, || axum::Json(&writes)))
}

/// One page of the dead letters of a cache that match, oldest first.
#[utoipa::path(get, path = "/api/v1/caches/{cache}/dead-letters", params(("cache" = String, Path, description = "The cache's name"), Wanted), responses((status = 200, description = "One page of dead letters.", content((DeadLetterPage = "application/json"), (String = "text/csv"))), DeadLetterSearch))]
pub(crate) async fn list(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(cache): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, AppError> {
    let Wanted { id, node, key, reason, from_ms, until_ms, limit, cursor, format } = wanted;
    let query = DeadLetterQuery { id, node, key, reason, from_ms, until_ms };
    let list = (cursor.as_deref(), limit.unwrap_or(DEFAULT_LIMIT));
    let page = console.dead_letters(&actor, (&cache, &query), list).await?;
    Ok(table(format, "dead-letters", &page.rows, || axum::Json(&page)))
}

/// Queues the dead letters that match again, all where nothing is said. 202 where it goes on: the
/// job tells how far it is.
#[utoipa::path(post, path = "/api/v1/caches/{cache}/dead-letters/redrive", params(("cache" = String, Path, description = "The cache's name")), request_body = Which, responses((status = 200, description = "How it ended.", body = DeadLetterJob), (status = 202, description = "It goes on.", body = DeadLetterJob), OfDeadLetters))]
pub(crate) async fn redrive(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(cache): Path<String>,
    Json(which): Json<Which>,
) -> Result<Response, AppError> {
    run(&console, &actor, DeadLetterAction::Redrive, (&cache, which)).await
}

/// Forgets the dead letters that match, all where nothing is said: these writes are lost. 202 where
/// it goes on: the job tells how far it is.
#[utoipa::path(post, path = "/api/v1/caches/{cache}/dead-letters/drop", params(("cache" = String, Path, description = "The cache's name")), request_body = Which, responses((status = 200, description = "How it ended.", body = DeadLetterJob), (status = 202, description = "It goes on.", body = DeadLetterJob), OfDeadLetters))]
pub(crate) async fn forget(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(cache): Path<String>,
    Json(which): Json<Which>,
) -> Result<Response, AppError> {
    run(&console, &actor, DeadLetterAction::Drop, (&cache, which)).await
}

/// The newest redrive or drop of a cache's dead letters.
#[utoipa::path(get, path = "/api/v1/caches/{cache}/dead-letters/job", params(("cache" = String, Path, description = "The cache's name")), responses((status = 200, description = "How far it is, or how it ended.", body = DeadLetterJob), OfDeadLetterJob))]
pub(crate) async fn job(
    State(console): State<Console>,
    Path(cache): Path<String>,
) -> Result<axum::Json<DeadLetterJob>, AppError> {
    let job = console.dead_letter_job(&cache);
    job.map(axum::Json).ok_or_else(|| strata_console::ConsoleError::NoDeadLetterJob(cache).into())
}

/// Stops the redrive or the drop that runs after its current step; what it did stays done.
#[utoipa::path(delete, path = "/api/v1/caches/{cache}/dead-letters/job", params(("cache" = String, Path, description = "The cache's name")), responses((status = 200, description = "How far it is, or how it ended.", body = DeadLetterJob), OfDeadLetterJob))]
pub(crate) async fn cancel(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(cache): Path<String>,
) -> Result<axum::Json<DeadLetterJob>, AppError> {
    Ok(axum::Json(console.cancel_dead_letter_job(&actor, &cache)?))
}

async fn run(
    console: &Console,
    actor: &Actor,
    action: DeadLetterAction,
    (cache, which): (&str, Which),
) -> Result<Response, AppError> {
    let Which { id, node, key, reason, from_ms, until_ms } = which;
    let query = DeadLetterQuery { id, node, key, reason, from_ms, until_ms };
    let job = console.move_dead_letters(actor, action, (cache, &query)).await?;
    let status = if job.ended_at_ms.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, axum::Json(job)).into_response())
}
