use axum::Extension;
use axum::extract::State;
use strata_console::{Actor, ConsoleError};
use strata_report::TrafficState;

use crate::http::AppError;
use crate::http::extract::Json;
use crate::routes::openapi::OfTraffic;
use crate::state::AppState;

/// Where the service's own traffic is; nothing is there where it sends none.
pub(crate) const PATH: &str = "/api/v1/demo/traffic";

/// The demo's traffic as it is.
#[utoipa::path(get, path = "/api/v1/demo/traffic", responses((status = 200, description = "The settings.", body = TrafficState)))]
pub(crate) async fn get(
    State(state): State<AppState>,
) -> Result<axum::Json<TrafficState>, AppError> {
    Ok(axum::Json(state.console.traffic().ok_or(ConsoleError::NoTraffic)?))
}

/// Changes the demo's traffic while it runs.
#[utoipa::path(put, path = "/api/v1/demo/traffic", request_body = TrafficState, responses((status = 200, description = "The settings.", body = TrafficState), OfTraffic))]
pub(crate) async fn put(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    Json(wanted): Json<TrafficState>,
) -> Result<axum::Json<TrafficState>, AppError> {
    Ok(axum::Json(state.console.set_traffic(&actor, wanted)?))
}
