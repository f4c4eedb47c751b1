use std::collections::HashMap;
use std::sync::LazyLock;

use axum::extract::{Query, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, ParameterIn};

use super::document::DOCUMENT;
use crate::http::{AppError, route_of};

/// The names that each operation takes in its query.
type Known = HashMap<(Method, String), Vec<String>>;

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let mut known = Known::new();
    for (path, item) in &DOCUMENT.paths.paths {
        let operations = [
            (Method::GET, &item.get),
            (Method::POST, &item.post),
            (Method::PUT, &item.put),
            (Method::DELETE, &item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                known.insert((method, path.clone()), names(operation));
            }
        }
    }
    known
});

fn names(operation: &Operation) -> Vec<String> {
    let parameters =
        operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter),
            // None is kept beside the operations.
            RefOr::Ref(_) => None,
        });
    let in_query = parameters.filter(|parameter| parameter.parameter_in == ParameterIn::Query);
    in_query.map(|parameter| parameter.name.clone()).collect()
}

/// Refuses a query parameter that the operation does not have, by name: one that was misspelt and
/// ignored would answer another question than the one that was asked.
pub(crate) async fn refuse_unknown_parameters(request: Request, next: Next) -> Response {
    let known = |method: &Method, route: &str| {
        let known = KNOWN.get(&(method.clone(), route.to_owned()))?;
        Some(known.iter().map(String::as_str).collect())
    };
    match unknown(&request, known) {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    }
}

/// The parameters that addresses beside the dashboard's own have in their queries.
pub type QueryParameters = [(&'static str, &'static [&'static str])];

/// The same where there are other addresses beside the dashboard's own.
pub(crate) async fn refuse_others(
    State(others): State<&'static QueryParameters>,
    request: Request,
    next: Next,
) -> Response {
    let known = |method: &Method, route: &str| {
        if let Some((_, names)) = others.iter().find(|(path, _)| *path == route) {
            return Some(names.to_vec());
        }
        let known = KNOWN.get(&(method.clone(), route.to_owned()))?;
        Some(known.iter().map(String::as_str).collect())
    };
    match unknown(&request, known) {
        Some(refusal) => refusal.for_browsers().into_response(),
        None => next.run(request).await,
    }
}

fn unknown<'a>(
    request: &Request,
    known: impl Fn(&Method, &str) -> Option<Vec<&'a str>>,
) -> Option<AppError> {
    let query = request.uri().query().unwrap_or_default();
    // Read as something else, it would name another key than the one that was meant.
    if percent_decode_str(query).decode_utf8().is_err() {
        let error = AppError::bad_request("bad-query", "The query of this address is not UTF-8.");
        return Some(error.for_browsers());
    }
    let route = route_of(request.extensions())?;
    // HEAD is answered by what answers GET.
    let method = match request.method() {
        &Method::HEAD => Method::GET,
        method => method.clone(),
    };
    let known = known(&method, route)?;
    // What cannot be read at all is the extractor's matter.
    let Query(given) = Query::<Vec<(String, String)>>::try_from_uri(request.uri()).ok()?;
    let (name, _) = given.into_iter().find(|(name, _)| !known.contains(&name.as_str()))?;
    let name: String = name.chars().take(64).collect();
    let known = match known.as_slice() {
        [] => "it has none".to_owned(),
        names => format!("it has {}", names.join(", ")),
    };
    let detail = format!("This address has no parameter \"{name}\"; {known}.");
    Some(AppError::bad_request("bad-query", detail))
}
