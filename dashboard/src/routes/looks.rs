//! Who asks for a page or its numbers looks at the nodes. Whoever was refused has seen nothing, and
//! costs the nodes nothing; nor does whoever asks for what there is not.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::Response;
use strata_console::Actor;

use crate::http::route_of;
use crate::state::{Attention, Look};

/// Of requests that were admitted. Waits for nodes that were not read until then, before the request
/// takes the turn of another one.
pub(super) async fn note_looks(
    State(attention): State<Option<Arc<Attention>>>,
    request: Request,
    next: Next,
) -> Response {
    let look = attention.zip(look_of(&request));
    let _under_way = match look {
        Some((attention, look)) => Some(attention.look(look).await),
        None => None,
    };
    next.run(request).await
}

fn look_of(request: &Request) -> Option<Look> {
    let may_look = request.extensions().get::<Actor>().is_some_and(|actor| actor.rights.look);
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_there = route_of(request.extensions()).is_some();
    let path = request.uri().path();
    let looks = may_look && reads && is_there && is_of_somebody(path);
    (looks && !is_renewal(request.uri())).then_some(match path {
        "/events" => Look::Stream,
        _ => Look::Once,
    })
}

/// What asks for these does not look: probes, scrapes, tools, and pages for their parts.
const NOBODYS: [&str; 7] = [
    "/healthz",
    "/readyz",
    "/metrics",
    "/login",
    "/favicon.svg",
    "/robots.txt",
    "/api/v1/openapi.json",
];

/// Whether somebody who looks asks for this path.
fn is_of_somebody(path: &str) -> bool {
    let is_file = path.starts_with("/pkg/") || path.starts_with("/scripts/");
    !is_file && !NOBODYS.contains(&path)
}

/// Whether a stream goes on after another one: its page counted as a look when it was opened, and
/// the stream keeps nodes awake as long as it lasts.
fn is_renewal(uri: &Uri) -> bool {
    let mut parameters = uri.query().unwrap_or_default().split('&');
    uri.path() == "/events" && parameters.any(|one| one.starts_with("resume="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_goes_on_after_another_does_not_count_as_a_look() {
        let is_renewal = |address: &str| is_renewal(&address.parse().unwrap());
        assert!(is_renewal("/events?renew=true&resume=0123") && is_renewal("/events?resume=true"));
        for look in ["/events", "/events?renew=true", "/nodes?resume=0123", "/"] {
            assert!(!is_renewal(look), "{look}");
        }
    }

    #[test]
    fn probes_scrapes_and_files_do_not_count_as_looks() {
        let files = ["/pkg/strata.wasm", "/scripts/page.js"];
        for nobody in NOBODYS.into_iter().chain(files) {
            assert!(!is_of_somebody(nobody), "{nobody}");
        }
        for somebody in ["/", "/nodes", "/api/v1/nodes/rows", "/api/v1/live"] {
            assert!(is_of_somebody(somebody), "{somebody}");
        }
    }
}
