//! Who asks for a page or its numbers looks at the nodes. Whoever was refused has seen nothing, and
//! costs the nodes nothing.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::Uri;
use axum::middleware::Next;
use axum::response::Response;
use strata_console::Actor;

use crate::state::Attention;

/// Of requests that were admitted.
pub(super) async fn note_looks(
    State(attention): State<Option<Arc<Attention>>>,
    request: Request,
    next: Next,
) -> Response {
    if let Some(attention) = attention.filter(|_| is_look(&request)) {
        attention.look().await;
    }
    next.run(request).await
}

fn is_look(request: &Request) -> bool {
    let may_look = request.extensions().get::<Actor>().is_some_and(|actor| actor.rights.look);
    may_look && is_of_somebody(request.uri().path()) && !is_renewal(request.uri())
}

/// Whether somebody who looks asks for this path: not a probe, a scrape, or a file of a page.
fn is_of_somebody(path: &str) -> bool {
    let is_file = path.starts_with("/pkg/") || path.starts_with("/scripts/");
    !is_file && !["/healthz", "/readyz", "/metrics", "/login", "/favicon.svg"].contains(&path)
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
        for nobody in ["/healthz", "/readyz", "/metrics", "/login"].into_iter().chain(files) {
            assert!(!is_of_somebody(nobody), "{nobody}");
        }
        for somebody in ["/", "/nodes", "/api/v1/nodes/rows", "/api/v1/live"] {
            assert!(is_of_somebody(somebody), "{somebody}");
        }
    }
}
