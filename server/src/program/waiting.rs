//! What `strata serve` answers while it knows of no service.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use tokio::sync::watch;

use crate::http::harden;

/// Asked again after so many seconds.
const AGAIN_S: &str = "2";

/// Says on every path why it waits. It is alive, and not ready.
pub(super) fn router(because: watch::Receiver<String>) -> Router {
    Router::new()
        .route("/healthz", get(async || r#"{"status":"alive"}"#))
        .fallback(page)
        .layer(map_response(harden))
        .with_state(because)
}

async fn page(State(because): State<watch::Receiver<String>>) -> impl IntoResponse {
    let because = escaped(&because.borrow());
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Strata</title>\
         <meta http-equiv=\"refresh\" content=\"{AGAIN_S}\"></head><body><h1>Strata</h1>\
         <p>Waiting for a service: {because}.</p>\
         <p>A service appears as soon as one of its nodes uses this Redis. \
         <code>--namespace</code> names one.</p></body></html>"
    );
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, AGAIN_S)], Html(page))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
