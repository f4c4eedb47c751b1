use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use strata_console::Console;
use strata_report::{Activity, ActivityFilter, Cause, EventKind};

use crate::http::AppError;
use crate::http::extract::Query;
use crate::http::table::{Format, table};

/// Which events, from where on, and how to write them.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ActivityQuery {
    after: Option<u64>,
    /// Kinds, with commas between.
    kinds: Option<String>,
    cache: Option<String>,
    node: Option<String>,
    cause: Option<Cause>,
    #[serde(default)]
    format: Format,
}

/// The newest events that pass the filter, oldest first.
#[utoipa::path(get, path = "/api/v1/activity", params(ActivityQuery), responses((status = 200, description = "The events.", content((Activity = "application/json"), (String = "text/csv")))))]
pub(crate) async fn list(
    State(console): State<Console>,
    Query(wanted): Query<ActivityQuery>,
) -> Result<Response, AppError> {
    let kinds = wanted.kinds.as_deref().unwrap_or_default();
    let named = kinds.split(',').filter(|name| !name.is_empty()).map(kind);
    let ActivityQuery { cache, node, cause, .. } = wanted;
    let filter = ActivityFilter { kinds: named.collect::<Result<_, _>>()?, cache, node, cause };
    let activity = console.activity(wanted.after, &filter);
    Ok(table(wanted.format, "activity", &activity.events, || Json(&activity)))
}

fn kind(name: &str) -> Result<EventKind, AppError> {
    let known = EventKind::ALL.into_iter().find(|kind| kind.as_str() == name);
    known.ok_or_else(|| AppError::bad_request("bad-query", "There is no such kind of event."))
}
