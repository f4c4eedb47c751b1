//! What the lab has beside its pages: the one path that takes large uploads.

mod upload;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::post;
use strata_console::Console;
use strata_dashboard::program::{MoreRoutes, Route, RouteKind, TRACES_PATH};
use strata_lab::Lab;

/// What the handlers of the lab ask for. Cheap to clone.
#[derive(Clone)]
struct LabState {
    console: Console,
    lab: Arc<Lab>,
}

/// The lab's own paths.
pub(crate) fn lab_routes(console: &Console, lab: Arc<Lab>) -> MoreRoutes {
    let state = LabState { console: console.clone(), lab };
    let uploads = Router::new()
        // A trace may be larger than all else that is sent, and sees to its limits itself.
        .route(TRACES_PATH, post(upload::upload).layer(DefaultBodyLimit::disable()))
        .with_state(state);
    let routes = vec![Route::new(Method::POST, TRACES_PATH, RouteKind::Change)];
    MoreRoutes { uploads, routes, ..MoreRoutes::default() }
}
