use axum::Json;
use axum::extract::State;
use axum::response::Response;
use strata_console::Console;
use strata_report::Alert;

use crate::http::AppError;
use crate::http::extract::Query;
use crate::http::table::{FormatQuery, table};

/// What an operator should look at, worst first.
#[utoipa::path(get, path = "/api/v1/alerts", params(FormatQuery), responses((status = 200, description = "The alerts.", content((Vec<Alert> = "application/json"), (String = "text/csv")))))]
pub(crate) async fn list(
    State(console): State<Console>,
    Query(written): Query<FormatQuery>,
) -> Result<Response, AppError> {
    let alerts = console.alerts();
    Ok(table(written.format, "alerts", &alerts, || Json(&alerts)))
}
