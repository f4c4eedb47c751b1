use axum::Json;
use axum::extract::State;
use strata_console::Console;
use strata_report::AuditEntry;

/// What was done and refused, newest first.
pub(crate) async fn list(State(console): State<Console>) -> Json<Vec<AuditEntry>> {
    Json(console.audit())
}
