//! What an anonymous request costs, told by its exact path.

use std::collections::HashMap;

use axum::extract::{Form, FromRequest, Query, Request};
use axum::http::Uri;
use percent_encoding::percent_decode_str;
use strata_app::BasePath;

use crate::http::HEALTH_PATHS;

/// What costs next to nothing or has limits of its own.
const FREE: [&str; 3] = ["/events", "/favicon.svg", "/robots.txt"];

/// The service itself, and files. What is not there is told in few words.
const FREE_FOLDERS: [&str; 3] = ["/demo/", "/pkg/", strata_app::SCRIPTS];

/// The looks of programs.
const LOOKS: [&str; 4] = [
    "/api/v1/caches/{cache}/keys",
    "/api/v1/caches/{cache}/plans",
    "/api/v1/caches/{cache}/agreement",
    "/api/v1/caches/{cache}/dead-letters",
];

/// Draws a page again.
const DRAW: &str = "/api/strata/draw";

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestKind {
    /// It costs next to nothing, has limits of its own, or is the service itself.
    Free,
    /// Numbers for monitoring.
    Metrics,
    /// A look that the console makes in turn; its answer is soon written.
    Look,
    /// A page with such a look.
    LookPage,
    /// A page that is drawn again.
    Draw,
    /// Everything else.
    Page,
}

impl RequestKind {
    /// The kind of an address; `route` is the path that the router has found for it.
    pub(super) fn of(address: &Uri, route: Option<&str>) -> Self {
        let path = address.path();
        let is_free = FREE.contains(&path)
            || HEALTH_PATHS.contains(&path)
            || FREE_FOLDERS.iter().any(|folder| path.starts_with(folder));
        match route {
            _ if is_free => Self::Free,
            _ if path == DRAW => Self::Draw,
            Some("/metrics") => Self::Metrics,
            Some(route) if LOOKS.contains(&route) => Self::Look,
            _ if is_look(address) => Self::LookPage,
            _ => Self::Page,
        }
    }

    /// The kind of a request to draw a page again, by its fields. What cannot be read may be a
    /// look.
    pub(super) async fn of_drawing(request: Request) -> Self {
        let form = Form::<Vec<(String, String)>>::from_request(request, &()).await;
        let Ok(Form(fields)) = form else { return Self::LookPage };
        let mut addresses = fields.iter().filter(|(name, _)| name == "address");
        let is_look = addresses.any(|(_, address)| {
            let base = BasePath::of_request();
            let below = base.strip(address).unwrap_or(address);
            below.parse().is_ok_and(|uri| is_look(&uri))
        });
        if is_look { Self::LookPage } else { Self::Draw }
    }
}

/// Whether the page of an address makes a look.
fn is_look(address: &Uri) -> bool {
    let path = percent_decode_str(address.path()).decode_utf8_lossy();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let query = Query::<HashMap<String, String>>::try_from_uri(address);
    let query = query.map(|Query(query)| query).unwrap_or_default();
    let field = |name: &str| query.get(name).map_or("", |text| text.trim());
    match parts.as_slice() {
        ["keys"] => query.get("pattern").is_some_and(|pattern| !pattern.is_empty()),
        ["nodes"] => !field("compare").is_empty(),
        ["caches", ..] => field("view") == "dead-letters",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::CONTENT_TYPE;

    use super::*;

    fn page(address: &str) -> RequestKind {
        RequestKind::of(&address.parse().unwrap(), None)
    }

    #[test]
    fn what_only_begins_or_ends_like_something_free_or_a_look_is_a_page() {
        for path in ["/eventsX", "/events/", "/robots.txt.bak", "/healthz/x", "/demonstration"] {
            assert_eq!(page(path), RequestKind::Page, "{path}");
        }
        for path in ["/x/keys", "/caches/keys", "/caches/plans", "/nodes", "/keys", "/x/agreement"]
        {
            assert_eq!(page(path), RequestKind::Page, "{path}");
        }
        for path in ["/events", "/readyz", "/demo/users/7", "/pkg/strata.js", "/scripts/a.js"] {
            assert_eq!(page(path), RequestKind::Free, "{path}");
        }
    }

    #[test]
    fn a_page_makes_a_look_where_it_is_asked_to_however_its_address_is_written() {
        for address in [
            "/keys?cache=users&pattern=*",
            "/keys/?p%61ttern=*",
            "//keys?pattern=*",
            "/%6Beys?pattern=*",
            "/nodes?compare=1",
            "/caches/users?view=dead-letters",
        ] {
            assert_eq!(page(address), RequestKind::LookPage, "{address}");
        }
        for address in ["/keys?pattern=", "/nodes?compare=", "/caches/users?view=settings"] {
            assert_eq!(page(address), RequestKind::Page, "{address}");
        }
    }

    #[test]
    fn programs_look_at_routes_and_not_at_what_resembles_them() {
        let of = |route| RequestKind::of(&"/api/v1/caches/users/keys".parse().unwrap(), route);
        assert_eq!(of(Some("/api/v1/caches/{cache}/keys")), RequestKind::Look);
        assert_eq!(of(Some("/api/v1/caches/{cache}/keys/{key}")), RequestKind::Page);
        assert_eq!(of(None), RequestKind::Page);
        assert_eq!(
            RequestKind::of(&"/metrics".parse().unwrap(), Some("/metrics")),
            RequestKind::Metrics
        );
    }

    async fn drawing(content_type: &str, body: &'static str) -> RequestKind {
        let request = Request::post(DRAW).header(CONTENT_TYPE, content_type);
        RequestKind::of_drawing(request.body(Body::from(body)).unwrap()).await
    }

    #[tokio::test]
    async fn a_page_that_is_drawn_again_is_a_look_where_its_address_is_one() {
        const FORM: &str = "application/x-www-form-urlencoded";
        assert_eq!(drawing(FORM, "address=%2Fredis").await, RequestKind::Draw);
        let look = "address=%2Fkeys%3Fpattern%3D*";
        assert_eq!(drawing(FORM, look).await, RequestKind::LookPage);
        assert_eq!(drawing("text/plain", look).await, RequestKind::LookPage, "it cannot be read");
        assert_eq!(
            drawing(FORM, "address=%2F&address=%2Fnodes%3Fcompare%3D1").await,
            RequestKind::LookPage
        );
    }
}
