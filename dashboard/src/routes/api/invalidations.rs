use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use strata_app::at;
use strata_console::{Actor, Console};
use strata_report::{Job, Plan};

use crate::http::AppError;
use crate::http::extract::{Json, Path, Query};
use crate::http::table::{FormatQuery, table};
use crate::routes::openapi::{OfJob, OfPattern, OfPlan};

/// What to invalidate.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    /// A glob on the key.
    pattern: String,
}

/// The confirmation of a plan.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    /// The pattern, typed again, where the plan asks for that.
    typed: Option<String>,
}

/// One line of a job's report: a level, and on L1 a node.
#[derive(Serialize)]
struct Line<'a> {
    job: u64,
    cache: &'a str,
    pattern: &'a str,
    state: strata_report::JobState,
    level: &'static str,
    node: &'a str,
    planned: Option<u64>,
    found: Option<u64>,
    removed: u64,
    left: Option<u64>,
    errors: String,
}

/// Counts what an invalidation would remove, and changes nothing.
#[utoipa::path(post, path = "/api/v1/caches/{cache}/plans", params(("cache" = String, Path, description = "The cache's name")), request_body = Target, responses((status = 200, description = "The plan.", body = Plan), OfPattern))]
pub(crate) async fn plan(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(cache): Path<String>,
    Json(target): Json<Target>,
) -> Result<axum::Json<Plan>, AppError> {
    Ok(axum::Json(console.plan(&actor, &cache, &target.pattern).await?))
}

/// Begins to do what was planned; `Location` tells where to watch it.
#[utoipa::path(post, path = "/api/v1/plans/{id}/run", params(("id" = String, Path, description = "The plan's id")), request_body = Confirmation, responses((status = 202, description = "It has begun; Location tells where to watch it.", body = Job), OfPlan))]
pub(crate) async fn run(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
    Json(confirmation): Json<Confirmation>,
) -> Result<Response, AppError> {
    let job = console.run_plan(&actor, &id, confirmation.typed.as_deref()).await?;
    Ok(accepted(job))
}

/// Begins to invalidate every key that matches; `Location` tells where to watch it.
#[utoipa::path(post, path = "/api/v1/caches/{cache}/invalidations", params(("cache" = String, Path, description = "The cache's name")), request_body = Target, responses((status = 202, description = "It has begun; Location tells where to watch it.", body = Job), OfPattern))]
pub(crate) async fn start(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(cache): Path<String>,
    Json(target): Json<Target>,
) -> Result<Response, AppError> {
    Ok(accepted(console.invalidate_pattern(&actor, &cache, &target.pattern).await?))
}

/// The newest invalidations, newest first.
#[utoipa::path(get, path = "/api/v1/invalidations", params(FormatQuery), responses((status = 200, description = "The newest first.", content((Vec<Job> = "application/json"), (String = "text/csv")))))]
pub(crate) async fn list(
    State(console): State<Console>,
    Query(written): Query<FormatQuery>,
) -> Result<Response, AppError> {
    let jobs = console.jobs();
    Ok(table(written.format, "invalidations", &jobs, || axum::Json(&jobs)))
}

/// Where an invalidation stands, or its report level by level.
#[utoipa::path(get, path = "/api/v1/invalidations/{id}", params(("id" = u64, Path, description = "The invalidation's id"), FormatQuery), responses((status = 200, description = "Where it stands.", content((Job = "application/json"), (String = "text/csv"))), OfJob))]
pub(crate) async fn get(
    State(console): State<Console>,
    Path(id): Path<u64>,
    Query(written): Query<FormatQuery>,
) -> Result<Response, AppError> {
    let job = console.job(id)?;
    Ok(table(written.format, "invalidation", &lines(&job), || axum::Json(&job)))
}

/// Stops an invalidation after its current batch.
#[utoipa::path(delete, path = "/api/v1/invalidations/{id}", params(("id" = u64, Path, description = "The invalidation's id")), responses((status = 200, description = "Where it stands.", body = Job), OfJob))]
pub(crate) async fn cancel(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<u64>,
) -> Result<axum::Json<Job>, AppError> {
    Ok(axum::Json(console.cancel(&actor, id)?))
}

fn accepted(job: Job) -> Response {
    let location = at(&format!("/api/v1/invalidations/{}", job.id));
    (StatusCode::ACCEPTED, [(header::LOCATION, location)], axum::Json(job)).into_response()
}

fn lines(job: &Job) -> Vec<Line<'_>> {
    let line = |level, node| Line {
        job: job.id,
        cache: &job.cache,
        pattern: &job.target,
        state: job.state,
        level,
        node,
        planned: None,
        found: None,
        removed: 0,
        left: None,
        errors: errors(job, node),
    };
    let on = |counts: &[strata_report::NodeCount], node: &str| {
        counts.iter().find(|count| count.node == node).map(|count| count.entries)
    };
    let l1 = job.l1.iter().map(|found| {
        let left = on(&job.l1_left_on, &found.node);
        Line {
            planned: job.plan.as_ref().and_then(|plan| on(&plan.l1, &found.node)),
            found: Some(found.entries),
            removed: found.entries.saturating_sub(left.unwrap_or(found.entries)),
            left,
            ..line("l1", &found.node)
        }
    });
    let l2 = job.l2_configured.then(|| Line {
        planned: job.plan.as_ref().and_then(|plan| plan.l2),
        removed: job.l2_removed,
        ..line("l2", "")
    });
    l1.chain(l2).collect()
}

fn errors(job: &Job, node: &str) -> String {
    let here = job.errors.iter().filter(|error| error.node == node);
    here.map(|error| error.what.as_str()).collect::<Vec<_>>().join(" ")
}
