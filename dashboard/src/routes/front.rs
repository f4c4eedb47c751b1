use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};

use super::route_table::RouteTable;
use super::router::{Admission, with_layers};
use super::{QueryParameters, health, login, metrics, openapi};
use crate::assets;
use crate::http::{AppError, check_body_size};
use crate::pages::scripts;
use crate::state::AppState;

/// What a program answers beside several dashboards: what they share, which is log-in, metrics and
/// files, and `own`, its pages and paths. It admits the same requests as each dashboard.
pub(crate) fn front_router(
    state: AppState,
    admission: Admission,
    (own, parameters): (Router, &'static QueryParameters),
) -> Router {
    let (shared, _) = RouteTable::new(&state.console)
        .get(health::ALIVE_PATH, health::alive)
        .get("/metrics", metrics::metrics)
        .get("/login", login::page)
        .ask("/login", login::log_in)
        .ask("/logout", login::log_out)
        .finish();
    let router = shared
        .method_not_allowed_fallback(async || AppError::method_not_allowed())
        .merge(assets::routes())
        .merge(scripts())
        .merge(own.with_state(()))
        .route_layer(from_fn_with_state(parameters, openapi::refuse_others))
        .layer(from_fn(check_body_size));
    with_layers(router, &state, admission).with_state(state)
}
