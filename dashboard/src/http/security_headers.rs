use axum::http::{HeaderValue, header};
use axum::response::Response;

/// Headers that every answer carries, and those that only pages do.
pub(crate) async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    let permissions = HeaderValue::from_static("camera=(), geolocation=(), microphone=()");
    headers.insert("permissions-policy", permissions);
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if content_type.is_some_and(|kind| kind.starts_with(b"text/html")) {
        // The page holds live data and a nonce that must never be used twice.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
