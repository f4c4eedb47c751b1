use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use strata_console::Console;
use strata_report::AuditPage;

use crate::http::AppError;
use crate::http::extract::Query;
use crate::http::table::{Format, goes_on, table};
use crate::routes::openapi::Part;

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;

/// Which part of the trail, and how to write it.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    before: Option<u64>,
    limit: Option<usize>,
    #[serde(default)]
    format: Format,
}

/// What was done and refused, newest first.
#[utoipa::path(get, path = "/api/v1/audit", params(AuditQuery), responses((status = 200, description = "The entries.", content((AuditPage = "application/json"), (String = "text/csv"))), Part))]
pub(crate) async fn list(
    State(console): State<Console>,
    Query(wanted): Query<AuditQuery>,
) -> Result<Response, AppError> {
    // A file holds all that the trail has.
    let limit = wanted.limit.unwrap_or(match wanted.format {
        Format::Json => DEFAULT_LIMIT,
        Format::Csv => MAX_LIMIT,
    });
    if !(1..=MAX_LIMIT).contains(&limit) {
        let detail = format!("The limit must be between 1 and {MAX_LIMIT}.");
        return Err(AppError::bad_request("bad-limit", detail));
    }
    let page = console.audit_page(wanted.before, limit);
    let next = page.next.map(|before| {
        let format = wanted.format.as_str();
        strata_app::at(&format!("/api/v1/audit?before={before}&limit={limit}&format={format}"))
    });
    let answer = table(wanted.format, "audit", &page.entries, || Json(&page));
    Ok(goes_on(answer, "audit", next))
}
