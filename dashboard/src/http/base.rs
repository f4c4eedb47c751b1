use axum::Router;
use axum::extract::{MatchedPath, NestedPath, OriginalUri, Request, State};
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use strata_app::BasePath;
use tower::Layer;

/// Answers below the path under which browsers find the dashboard, so that every address that is
/// written begins with it. In this order it is the path
///
/// 1. that stands in the request's extensions, by whoever has stripped it there;
/// 2. that is configured. A request may have it still, or a proxy may have stripped it. One that
///    begins as a path of the dashboard does has always been stripped;
/// 3. under which another router has nested this one.
pub fn below_base(router: Router, configured: Option<BasePath>) -> Router {
    // Around the router and not inside of it, because what it routes by is changed.
    let answer = from_fn_with_state(configured, under_base).layer(router);
    Router::new().fallback_service(answer)
}

async fn under_base(
    State(configured): State<Option<BasePath>>,
    mut request: Request,
    next: Next,
) -> Response {
    let given = request.extensions().get::<BasePath>().cloned();
    let nested = nested_at(&request);
    let base = match (given, configured, nested) {
        (Some(base), _, _) => base,
        (None, Some(base), nested) => {
            // A router that nests this one has stripped its path already.
            let is_whole = nested.is_none() && !base.is_taken();
            if let Some(uri) = stripped(&base, request.uri()).filter(|_| is_whole) {
                *request.uri_mut() = uri;
            }
            base
        }
        (None, None, nested) => nested.unwrap_or_default(),
    };
    request.extensions_mut().insert(base.clone());
    base.scope(next.run(request)).await
}

/// The path under which a router has nested this one.
fn nested_at(request: &Request) -> Option<BasePath> {
    let nested = request.extensions().get::<NestedPath>()?.as_str();
    if !nested.contains('{') {
        return Some(BasePath::of_router(nested));
    }
    // Its parts stand in the address that came.
    let OriginalUri(whole) = request.extensions().get::<OriginalUri>()?;
    let below = request.uri().path();
    let base = whole.path().strip_suffix(below).or_else(|| whole.path().strip_suffix('/'));
    Some(BasePath::of_router(base.unwrap_or(whole.path())))
}

/// The same address without the base; `None` where it has none.
fn stripped(base: &BasePath, uri: &Uri) -> Option<Uri> {
    with_path(uri, base.strip(uri.path())?)
}

/// The same address with another path. `None` where that is no path.
pub fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let whole = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(whole).ok()?);
    Uri::from_parts(parts).ok()
}

/// The route that the dashboard's own router has found for a request, whatever router is around it.
pub(crate) fn route_of(extensions: &axum::http::Extensions) -> Option<&str> {
    let route = extensions.get::<MatchedPath>()?.as_str();
    let nested = extensions.get::<NestedPath>().map_or("", NestedPath::as_str);
    let route = route.strip_prefix(nested.trim_end_matches('/')).unwrap_or(route);
    // The slash at the end of a nested path is there twice.
    Some(if matches!(route, "" | "//") { "/" } else { route })
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    fn inner() -> Router {
        let tell = async |request: Request| {
            let route = route_of(request.extensions()).unwrap_or("none").to_owned();
            format!("{} {} {route}", strata_app::at("/x"), request.uri())
        };
        Router::new().route("/", get(tell)).route("/keys/{key}", get(tell)).fallback(tell)
    }

    async fn asked(router: Router, address: &str) -> String {
        let request = Request::get(address).body(Body::empty()).unwrap();
        let body = router.oneshot(request).await.unwrap().into_body();
        String::from_utf8(to_bytes(body, 1_000).await.unwrap().to_vec()).unwrap()
    }

    fn base(text: &str) -> Option<BasePath> {
        Some(text.parse().unwrap())
    }

    #[tokio::test]
    async fn a_proxy_may_strip_the_base_or_leave_it() {
        let router = below_base(inner(), base("/a/b"));
        for (address, answer) in [
            ("/a/b/keys/1?x=2", "/a/b/x /keys/1?x=2 /keys/{key}"),
            ("/keys/1?x=2", "/a/b/x /keys/1?x=2 /keys/{key}"),
            ("/a/b", "/a/b/x / /"),
            ("/a/b/", "/a/b/x / /"),
            ("/", "/a/b/x / /"),
            ("/a/bc", "/a/b/x /a/bc none"),
        ] {
            assert_eq!(asked(router.clone(), address).await, answer, "{address}");
        }
    }

    #[tokio::test]
    async fn a_base_like_a_path_of_the_dashboard_is_stripped_by_the_proxy_alone() {
        let router = below_base(inner(), Some(BasePath::of_proxy("/keys").unwrap()));
        assert_eq!(asked(router.clone(), "/keys/1").await, "/keys/x /keys/1 /keys/{key}");
        assert_eq!(asked(router, "/").await, "/keys/x / /");
    }

    #[tokio::test]
    async fn a_router_that_nests_the_dashboard_says_where_it_is() {
        let dashboard = below_base(inner(), None);
        let once = Router::new().nest("/cache", dashboard.clone());
        let whole = Router::new().nest_service("/cache", dashboard.clone());
        let twice = Router::new().nest("/admin", whole.clone());
        let named = Router::new().nest("/s/{service}", dashboard.clone());
        for (router, address, answer) in [
            (&dashboard, "/keys/1", "/x /keys/1 /keys/{key}"),
            (&once, "/cache/keys/1?x=2", "/cache/x /keys/1?x=2 /keys/{key}"),
            (&once, "/cache", "/cache/x / /"),
            (&whole, "/cache/", "/cache/x / /"),
            (&twice, "/admin/cache/keys/1", "/admin/cache/x /keys/1 /keys/{key}"),
            (&named, "/s/shop/keys/1", "/s/shop/x /keys/1 /keys/{key}"),
            (&named, "/s/shop", "/s/shop/x / /"),
        ] {
            assert_eq!(asked(router.clone(), address).await, answer, "{address}");
        }
    }

    #[tokio::test]
    async fn whoever_strips_the_base_may_say_so() {
        let mut request = Request::get("/keys/1").body(Body::empty()).unwrap();
        request.extensions_mut().insert(BasePath::of_router("/s/shop"));
        let answer = below_base(inner(), base("/other")).oneshot(request).await.unwrap();
        let body = to_bytes(answer.into_body(), 1_000).await.unwrap();
        assert_eq!(body, "/s/shop/x /keys/1 /keys/{key}");
    }
}
