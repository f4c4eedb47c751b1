use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::path::Operation;
use utoipa::{IntoResponses, Modify, OpenApi};

use super::{Anything, Change};
use crate::error::Problem;
use crate::routes::api;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Strata",
        description = "What an operator sees and may do. Whoever changes something sends an \
                       operator's token as a bearer, where one is set; where viewers have tokens, \
                       whoever looks sends one too."
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
        api::invalidations::plan,
        api::invalidations::run,
        api::invalidations::start,
        api::invalidations::list,
        api::invalidations::get,
        api::invalidations::cancel,
        api::traffic::get,
        api::traffic::put,
    ),
    components(schemas(Problem<'static>)),
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

static DOCUMENT: LazyLock<String> = LazyLock::new(|| Api::openapi().to_json().unwrap_or_default());

/// The document itself.
pub(crate) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}
