//! Who asks for a page or its numbers looks at the nodes. Whoever was refused has seen nothing, and
//! costs the nodes nothing.

use std::sync::Arc;

use axum::extract::{Request, State};
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
    may_look && is_of_somebody(request.uri().path())
}

/// Whether somebody who looks asks for this path: not a probe, a scrape, or a file of a page.
fn is_of_somebody(path: &str) -> bool {
    let is_file = path.starts_with("/pkg/") || path.starts_with("/scripts/");
    !is_file && !["/healthz", "/readyz", "/metrics", "/login", "/favicon.svg"].contains(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

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
