//! What every request gets: an id, which its answer and its lines of the log carry, and a count.

use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;

use crate::metrics::HttpMetrics;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_ID_CHARS: usize = 128;

/// The id of a request, in its extensions.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The one that the client or a proxy has given it, where that can stand in a log; else a new
    /// one.
    fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(REQUEST_ID).filter(|id| is_sane(id));
        Self(given.cloned().unwrap_or_else(new_id))
    }
}

fn is_sane(id: &HeaderValue) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(byte);
    (1..=MAX_ID_CHARS).contains(&id.len()) && id.as_bytes().iter().all(is_plain)
}

fn new_id() -> HeaderValue {
    // Keys of its own each time, so that no two are alike.
    let random = RandomState::new().hash_one(Instant::now());
    let id = HeaderValue::from_str(&format!("{random:016x}"));
    id.unwrap_or(HeaderValue::from_static("none"))
}

/// Gives every request its id and counts it.
pub(crate) fn observed(router: Router, metrics: HttpMetrics) -> Router {
    router.layer(from_fn_with_state(metrics, observe))
}

async fn observe(State(metrics): State<HttpMetrics>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let method = method(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let in_flight = metrics.begin();
    let mut response = next.run(request).await;
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    in_flight.end(method, route, response.status().as_u16());
    response.headers_mut().insert(REQUEST_ID, id.0);
    response
}

/// Anybody can invent methods, and each would be a series for ever.
fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("OTHER")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(given: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_static(given));
        RequestId::of(&headers).as_str().to_owned()
    }

    #[test]
    fn an_id_that_is_given_is_kept_where_it_can_stand_in_a_log() {
        let kept = "Root=1-67891233-abcdef012345678912345678";
        assert_eq!(id_for(kept), kept);
        for odd in ["", "a b", "x\"y", "a\tb", "<b>", &*"x".repeat(129).leak()] {
            let made = id_for(odd);
            assert!(made != odd && made.len() == 16, "{odd:?}: {made}");
        }
    }

    #[test]
    fn no_two_requests_get_the_same_id() {
        let ids: Vec<_> = (0..1_000).map(|_| new_id()).collect();
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }
}
