use axum::Extension;
use axum::extract::State;
use strata_app::traffic_change;
use strata_console::Actor;
use strata_report::TrafficState;

use crate::http::AppError;
use crate::http::extract::Json;
use crate::routes::openapi::OfTraffic;
use crate::state::AppState;

/// The demo's traffic as it is.
#[utoipa::path(get, path = "/api/v1/demo/traffic", responses((status = 200, description = "The settings.", body = TrafficState)))]
pub(crate) async fn get(State(state): State<AppState>) -> axum::Json<TrafficState> {
    axum::Json(state.traffic.state())
}

/// Changes the demo's traffic while it runs.
#[utoipa::path(put, path = "/api/v1/demo/traffic", request_body = TrafficState, responses((status = 200, description = "The settings.", body = TrafficState), OfTraffic))]
pub(crate) async fn put(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    Json(wanted): Json<TrafficState>,
) -> Result<axum::Json<TrafficState>, AppError> {
    state.console.authorise(&actor, "set_traffic", "demo")?;
    let before = state.traffic.state();
    state.traffic.set(wanted)?;
    let set = state.traffic.state();
    state.console.record(&actor, "set_traffic", "demo", &traffic_change(&before, &set));
    Ok(axum::Json(set))
}
