use std::sync::LazyLock;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use strata_app::BasePath;
use strata_console::Console;
use strata_report::{Cause, LevelChoice, Range};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{OpenApi as Document, Server};
use utoipa::{IntoResponses, Modify, OpenApi};

use super::{Anything, Change};
use crate::http::Problem;
use crate::http::table::Format;
use crate::routes::api;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Strata",
        description = "What an operator sees and may do. A request for a change carries an \
                       operator's token as a bearer, where one is set; where viewers have tokens, \
                       a request for a look carries one too."
    ),
    paths(
        api::session::get,
        api::nodes::list,
        api::nodes::rows,
        api::nodes::redis,
        api::history::all,
        api::activity::list,
        api::alerts::list,
        api::audit::list,
        api::caches::list,
        api::caches::get,
        api::caches::report,
        api::caches::agreement,
        api::history::of_cache,
        api::keys::search,
        api::keys::look,
        api::keys::invalidate,
        api::keys::soften,
        api::keys::refresh,
        api::keys::look_at,
        api::keys::invalidate_it,
        api::keys::soften_it,
        api::keys::refresh_it,
        api::dead_letters::write_behinds,
        api::dead_letters::list,
        api::dead_letters::redrive,
        api::dead_letters::forget,
        api::dead_letters::job,
        api::dead_letters::cancel,
        api::invalidations::plan,
        api::invalidations::run,
        api::invalidations::start,
        api::invalidations::list,
        api::invalidations::get,
        api::invalidations::cancel,
        api::traffic::get,
        api::traffic::put,
    ),
    components(schemas(Problem<'static>, Format, Range, LevelChoice, Cause)),
    modifiers(&Everywhere)
)]
struct Api;

/// Adds what any request, and any change, may be answered with.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut Document) {
        for path in document.paths.paths.values_mut() {
            let looks = [&mut path.get];
            let changes = [&mut path.post, &mut path.put, &mut path.delete];
            for operation in looks.into_iter().flatten() {
                add(operation, Anything::responses());
            }
            for operation in changes.into_iter().flatten() {
                add(operation, Anything::responses());
                add(operation, Change::responses());
            }
        }
    }
}

fn add(
    operation: &mut Operation,
    answers: impl IntoIterator<Item = (String, utoipa::openapi::RefOr<utoipa::openapi::Response>)>,
) {
    for (status, answer) in answers {
        operation.responses.responses.entry(status).or_insert(answer);
    }
}

/// What is asked and answered.
pub(super) static DOCUMENT: LazyLock<Document> = LazyLock::new(Api::openapi);

/// The document itself, as far as this program has what it describes.
pub(crate) async fn document(State(console): State<Console>) -> Response {
    let mut document = DOCUMENT.clone();
    if console.traffic().is_none() {
        document.paths.paths.remove(api::traffic::PATH);
    }
    let base = BasePath::of_request();
    if !base.as_str().is_empty() {
        document.servers = Some(vec![Server::new(base.as_str())]);
    }
    // What is written of types always becomes JSON.
    let text = document.to_json().unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value.as_str().filter(|_| name == "$ref") {
                        Some(reference) => found.push(reference.to_owned()),
                        None => references(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document: Value = serde_json::to_value(&*DOCUMENT).unwrap();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 50, "{}", found.len());
        for reference in found {
            let at = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
            assert!(at.is_some(), "{reference}");
        }
    }
}
