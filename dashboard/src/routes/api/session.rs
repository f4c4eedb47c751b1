use axum::extract::State;
use axum::{Extension, Json};
use strata_console::{Actor, Console};
use strata_report::Session;

/// Who asks, and whether they may act.
#[utoipa::path(get, path = "/api/v1/session", responses((status = 200, description = "Who asks, and whether they may act.", body = Session)))]
pub(crate) async fn get(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
) -> Json<Session> {
    Json(console.session(&actor))
}
