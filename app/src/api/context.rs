use std::collections::HashMap;
#[cfg(feature = "lab")]
use std::sync::Arc;

use axum::extract::Query;
use axum::http::header::{ACCEPT, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use strata_console::{Actor, Console, ConsoleError, Origin};
#[cfg(feature = "lab")]
use strata_lab::Lab;

use super::{ApiError, SessionCookie};

/// The console behind this request. Fails closed where none was provided.
pub(crate) fn console() -> Result<Console, ApiError> {
    use_context().ok_or_else(|| ApiError::Away("find the console".to_owned()))
}

/// The visitor who asks.
pub(crate) fn actor() -> Result<Actor, ApiError> {
    use_context().ok_or_else(|| ApiError::Away("find out who you are".to_owned()))
}

/// Where the request came from.
pub(super) fn origin() -> Origin {
    use_context().unwrap_or_default()
}

/// The cookie that carries the browser's session.
pub(super) fn session_cookie() -> Result<SessionCookie, ApiError> {
    use_context().ok_or_else(|| ApiError::Away("find the cookie of your session".to_owned()))
}

/// The lab, where there is one.
#[cfg(feature = "lab")]
pub(crate) fn lab() -> Option<Arc<Lab>> {
    use_context()
}

/// Turns a console's error into ours and sets the status of the answer.
pub(super) fn refuse(error: ConsoleError) -> ApiError {
    let error = as_api_error(&error);
    set_status(error.status());
    match error {
        ApiError::Busy(why) => ApiError::Refused(why),
        error => error,
    }
}

/// A console's error as one that pages tell.
pub(crate) fn as_api_error(error: &ConsoleError) -> ApiError {
    let text = error.to_string();
    match error {
        ConsoleError::Refused(why) | ConsoleError::Protected(why) => ApiError::Refused(why.clone()),
        ConsoleError::Busy { .. } => ApiError::Busy(error.sentence()),
        ConsoleError::UnknownCache(_)
        | ConsoleError::UnknownJob(_)
        | ConsoleError::UnknownPlan(_)
        | ConsoleError::NoTraffic
        | ConsoleError::NoWriteBehind(_)
        | ConsoleError::NoDeadLetterJob(_) => ApiError::NotFound(text),
        ConsoleError::NodeGone(_)
        | ConsoleError::NodesUnheard(_)
        | ConsoleError::NotUnderstood(_)
        | ConsoleError::DeadLettersAway(_)
        | ConsoleError::TooSlow(_) => ApiError::Away(text),
        _ => ApiError::Invalid(text),
    }
}

/// Sets the status of the answer, unless it goes back to a page as a redirect.
pub(super) fn set_status(status: StatusCode) {
    if let Some(response) = use_context::<ResponseOptions>().filter(|_| !is_plain_form()) {
        response.set_status(status);
        say_when_to_retry(&response, status);
    }
}

/// Says that there was too much of what a drawing would show; any other drawing is an answer.
pub(crate) fn set_busy(status: StatusCode) {
    if status == StatusCode::TOO_MANY_REQUESTS {
        set_status(status);
    }
}

/// Adds when to ask again to an answer that says that there is too much.
pub(crate) fn say_when_to_retry(response: &ResponseOptions, status: StatusCode) {
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.insert_header(RETRY_AFTER, HeaderValue::from(ConsoleError::BUSY_FOR_S));
    }
}

/// Whether a browser without JavaScript posted a form and waits for a page.
pub(super) fn is_plain_form() -> bool {
    request_headers()
        .and_then(|headers| headers.get(ACCEPT)?.to_str().ok().map(|v| v.contains("text/html")))
        .unwrap_or(false)
}

/// The value of a cookie.
pub(crate) fn cookie(name: &str) -> Option<String> {
    let headers = request_headers()?;
    let mut pairs = headers.get_all(axum::http::header::COOKIE).iter().flat_map(|value| {
        value.to_str().unwrap_or_default().split(';').filter_map(|pair| pair.trim().split_once('='))
    });
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// The parameters of the page's address.
pub(crate) fn query() -> HashMap<String, String> {
    let parts = use_context::<Parts>();
    let query = parts.and_then(|parts| Query::try_from_uri(&parts.uri).ok());
    query.map(|Query(query)| query).unwrap_or_default()
}

/// The path and the query of the page.
pub(crate) fn address() -> String {
    let parts = use_context::<Parts>();
    parts.map_or_else(
        || "/".to_owned(),
        |parts| parts.uri.path_and_query().map_or("/".to_owned(), ToString::to_string),
    )
}

fn request_headers() -> Option<HeaderMap> {
    use_context::<Parts>().map(|parts| parts.headers)
}
