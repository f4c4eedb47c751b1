use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use strata_app::BasePath;
use strata_cache::LogLimit;
use tower_http::classify::{ServerErrorsAsFailures, ServerErrorsFailureClass, SharedClassifier};
use tower_http::trace::TraceLayer;
use tracing::{Span, debug, error_span, warn};

use strata_dashboard::program::RequestId;

type Classifier = SharedClassifier<ServerErrorsAsFailures>;
type MakeSpan = fn(&Request<Body>) -> Span;
type OnResponse = fn(&Response<Body>, Duration, &Span);
type OnFailure = fn(ServerErrorsFailureClass, Duration, &Span);

/// Logs each request with its path, never with its query, headers or body.
pub(crate) fn layer() -> TraceLayer<Classifier, MakeSpan, (), OnResponse, (), (), OnFailure> {
    TraceLayer::new_for_http()
        .make_span_with(span as MakeSpan)
        .on_request(())
        .on_response(log_response as OnResponse)
        .on_body_chunk(())
        .on_eos(())
        .on_failure(log_failure as OnFailure)
}

fn span(request: &Request<Body>) -> Span {
    let id = request.extensions().get().map_or("", RequestId::as_str);
    // A service of several is asked below its own path.
    let service = request.extensions().get::<BasePath>().map_or("", BasePath::of_service);
    let path = format!("{service}{}", request.uri().path());
    // Of the level of errors, so that every line which is told has it.
    error_span!("request", id, method = %request.method(), path)
}

fn log_response(response: &Response<Body>, latency: Duration, _: &Span) {
    let latency_us = latency.as_micros() as u64;
    debug!(status = response.status().as_u16(), latency_us, "answered");
}

/// With each request where something that many need is away.
static FAILED: LogLimit = LogLimit::new();

fn log_failure(failure: ServerErrorsFailureClass, latency: Duration, _: &Span) {
    let latency_us = latency.as_micros() as u64;
    if let Some(times) = FAILED.due() {
        warn!(%failure, latency_us, times, "failed to answer a request");
    }
}
