use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry};

use crate::http::{REQUEST_ID, RequestId, route_of};

/// Counts the requests.
#[derive(Clone)]
pub(crate) struct HttpMetrics {
    requests: IntCounterVec,
    duration: HistogramVec,
    in_flight: IntGauge,
}

/// A request that is being answered, until it is dropped.
pub(crate) struct InFlight {
    metrics: HttpMetrics,
    began: Instant,
}

impl HttpMetrics {
    /// # Errors
    /// When the registry has such families already.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let requests = IntCounterVec::new(
            Opts::new("http_requests_total", "Requests by the route that answered them."),
            &["method", "route", "status"],
        )?;
        let buckets = vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
        let help = "Time until the head of the answer; a live stream goes on after it.";
        let options = HistogramOpts::new("http_request_duration_seconds", help).buckets(buckets);
        let duration = HistogramVec::new(options, &["method", "route"])?;
        let in_flight = IntGauge::new(
            "http_requests_in_flight",
            "Requests whose answer has not begun, this one included.",
        )?;
        let metrics = Self { requests, duration, in_flight };
        metrics.register_in(registry)?;
        Ok(metrics)
    }

    /// Shows the same counts in another registry too.
    ///
    /// # Errors
    /// When it has such families already.
    pub(crate) fn register_in(&self, registry: &Registry) -> Result<(), prometheus::Error> {
        registry.register(Box::new(self.requests.clone()))?;
        registry.register(Box::new(self.duration.clone()))?;
        registry.register(Box::new(self.in_flight.clone()))
    }

    pub(crate) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight { metrics: self.clone(), began: Instant::now() }
    }
}

impl InFlight {
    /// It was answered.
    pub(crate) fn end(self, method: &str, route: &str, status: u16) {
        let status = status.to_string();
        self.metrics.requests.with_label_values(&[method, route, &status]).inc();
        let duration = self.metrics.duration.with_label_values(&[method, route]);
        duration.observe(self.began.elapsed().as_secs_f64());
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.metrics.in_flight.dec();
    }
}

/// Gives every request its id and counts it.
pub(crate) fn observed(router: Router, metrics: HttpMetrics) -> Router {
    router.layer(from_fn_with_state(metrics, observe))
}

async fn observe(State(metrics): State<HttpMetrics>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let method = method(request.method());
    let route = route_of(request.extensions()).map(str::to_owned);
    let in_flight = metrics.begin();
    let mut response = next.run(request).await;
    let route = route.as_deref().unwrap_or("other");
    in_flight.end(method, route, response.status().as_u16());
    response.headers_mut().insert(REQUEST_ID, id.0);
    response
}

/// Anybody can invent methods, and each would be a series for ever.
fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("OTHER")
}
