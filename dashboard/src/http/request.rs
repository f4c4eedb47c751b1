use axum::http::{HeaderMap, HeaderValue, header};

/// Whether the program is well, anybody may ask.
pub const HEALTH_PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// Below it are the server functions.
pub(crate) const FUNCTIONS: &str = "/api/strata/";

/// Where traces are sent to.
pub const TRACES_PATH: &str = "/lab/traces";

/// Whether a browser waits for a page.
pub fn wants_page(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|accepts| accepts.to_str().ok());
    accepts.is_some_and(|accepts| accepts.contains("text/html"))
}

/// The value of a cookie.
pub fn cookie_value<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|cookies: &HeaderValue| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(name, value)| (name == wanted && !value.is_empty()).then_some(value))
}
