use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate, SizeAbove};

use crate::error::AppError;
use crate::limits::check_body_size;
use crate::routes::{api, demo, events, health, lab, metrics};
use crate::security::{Hosts, check_host, csrf, harden, identify};
use crate::state::AppState;
use crate::{assets, openapi, page, request_log};

/// Every path of the program, by who asks for it.
pub(crate) fn router(state: AppState, hosts: Hosts) -> Router {
    let programs = Router::new()
        // Machines that watch over the program
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        // Everybody who uses the demo service
        .route("/demo/users", get(demo::users::list).post(demo::users::create))
        .route(
            "/demo/users/{id}",
            get(demo::users::get).put(demo::users::put).delete(demo::users::delete),
        )
        .route("/demo/posts", post(demo::posts::create))
        .route(
            "/demo/posts/{id}",
            get(demo::posts::get).put(demo::posts::put).delete(demo::posts::delete),
        )
        .route("/demo/timelines/{user}", get(demo::timelines::get))
        .route("/demo/objects/{key}", get(demo::objects::get).put(demo::objects::put))
        // Scripts that look
        .route("/api/v1/openapi.json", get(openapi::document))
        .route("/api/v1/session", get(api::session::get))
        .route("/api/v1/nodes", get(api::nodes::list))
        .route("/api/v1/nodes/rows", get(api::nodes::rows))
        .route("/api/v1/redis", get(api::nodes::redis))
        .route("/api/v1/history", get(api::history::all))
        .route("/api/v1/activity", get(api::activity::list))
        .route("/api/v1/alerts", get(api::alerts::list))
        .route("/api/v1/caches", get(api::caches::list))
        .route("/api/v1/caches/{cache}", get(api::caches::get))
        .route("/api/v1/caches/{cache}/report", get(api::caches::report))
        .route("/api/v1/caches/{cache}/agreement", get(api::caches::agreement))
        .route("/api/v1/caches/{cache}/history", get(api::history::of_cache))
        .route("/api/v1/caches/{cache}/keys", get(api::keys::search))
        .route("/api/v1/write-behinds", get(api::dead_letters::write_behinds))
        .route("/api/v1/caches/{cache}/dead-letters", get(api::dead_letters::list))
        .route("/api/v1/audit", get(api::audit::list))
        // Scripts that act
        .route(
            "/api/v1/caches/{cache}/keys/{key}",
            get(api::keys::look).delete(api::keys::invalidate),
        )
        .route("/api/v1/caches/{cache}/keys/{key}/soften", post(api::keys::soften))
        .route("/api/v1/caches/{cache}/keys/{key}/refresh", post(api::keys::refresh))
        // The same for any key, whatever becomes of paths on their way
        .route(
            "/api/v1/caches/{cache}/key",
            get(api::keys::look_at).delete(api::keys::invalidate_it),
        )
        .route("/api/v1/caches/{cache}/key/soften", post(api::keys::soften_it))
        .route("/api/v1/caches/{cache}/key/refresh", post(api::keys::refresh_it))
        .route("/api/v1/caches/{cache}/plans", post(api::invalidations::plan))
        .route("/api/v1/plans/{id}/run", post(api::invalidations::run))
        .route("/api/v1/caches/{cache}/dead-letters/redrive", post(api::dead_letters::redrive))
        .route("/api/v1/caches/{cache}/dead-letters/drop", post(api::dead_letters::forget))
        .route(
            "/api/v1/caches/{cache}/dead-letters/job",
            get(api::dead_letters::job).delete(api::dead_letters::cancel),
        )
        .route("/api/v1/invalidations", get(api::invalidations::list))
        .route("/api/v1/caches/{cache}/invalidations", post(api::invalidations::start))
        .route(
            "/api/v1/invalidations/{id}",
            get(api::invalidations::get).delete(api::invalidations::cancel),
        )
        .route("/api/v1/demo/traffic", get(api::traffic::get).put(api::traffic::put))
        // Browsers, and whoever else wants to see the numbers move
        .route("/events", get(events::events))
        .method_not_allowed_fallback(async || AppError::method_not_allowed())
        .merge(assets::pkg(&state.leptos));
    with_layers(page::with_pages(programs, &state), &state, hosts).with_state(state)
}

// The last layer is the first that a request meets.
fn with_layers(router: Router<AppState>, state: &AppState, hosts: Hosts) -> Router<AppState> {
    let worth_compressing = SizeAbove::new(256).and(is_text);
    router
        .route_layer(from_fn(openapi::refuse_unknown_parameters))
        .layer(from_fn(check_body_size))
        // A trace may be larger than all else that is sent, and sees to its limits itself.
        .route(lab::TRACES_PATH, post(lab::upload).layer(DefaultBodyLimit::disable()))
        .layer(CatchPanicLayer::custom(|_| AppError::internal().into_response()))
        .layer(from_fn_with_state(state.console.clone(), identify))
        .layer(csrf())
        .layer(from_fn_with_state(hosts, check_host))
        .layer(map_response(harden))
        .layer(CompressionLayer::new().gzip(true).br(true).compress_when(worth_compressing))
        .layer(request_log::layer())
}

// An event stream is text too, but must not wait for a compressor's buffer.
fn is_text(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    const KINDS: [&[u8]; 4] =
        [b"text/html", b"text/plain", b"application/json", b"application/problem+json"];
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|kind| KINDS.iter().any(|text| kind.starts_with(text)))
}
