//! Checks rights before anything else of a request is read. The console checks them once more where
//! something is done.

use axum::body::{Body, to_bytes};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{Form, FromRequest, RawPathParams, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use leptos::server_fn::error::ServerFnUrlError;
use strata_app::{ApiError, at, encode};
use strata_console::{Actor, Console};

use super::open::is_open;
use crate::http::{AppError, FUNCTIONS, MAX_BODY_BYTES, wants_page};

/// Server functions that change nothing, or only what the browser keeps for itself.
pub(crate) const HARMLESS: [&str; 6] =
    ["draw", "session", "traffic", "log_in", "log_out", "forget_progress"];

/// A change, and the console that checks the right to make it.
#[derive(Clone)]
pub(crate) struct Guarded {
    pub(crate) console: Console,
    /// As the audit trail names it.
    pub(crate) action: &'static str,
}

/// Admits a request with the right to look. A browser without it is redirected to the log-in page.
pub(crate) async fn admit(request: Request, next: Next) -> Response {
    let is_open = is_open(request.uri().path());
    let may_look = request.extensions().get::<Actor>().is_some_and(|actor| actor.rights.look);
    if is_open || may_look {
        return next.run(request).await;
    }
    if request.method() == Method::GET && wants_page(request.headers()) {
        let to = request.uri().path_and_query().map_or("/", |asked| asked.as_str());
        let to = format!("/login?to={}", encode(&at(to)));
        return Redirect::to(&at(&to)).into_response();
    }
    let detail = format!(
        "Only who has logged in may look. Open {}, or send a token as \"Authorization: Bearer\".",
        at("/login")
    );
    let error = AppError::new(StatusCode::UNAUTHORIZED, "log-in-first", detail).for_browsers();
    ([(header::WWW_AUTHENTICATE, "Bearer")], error).into_response()
}

/// Admits a request with the right to make the change of a route.
pub(crate) async fn guard(
    State(Guarded { console, action }): State<Guarded>,
    parts: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let part = |name| {
        let parts = parts.as_ref().ok()?;
        parts.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    };
    let is_demo = request.uri().path().starts_with("/demo/");
    let written = format!("{} {}", request.method(), request.uri().path());
    let target = part("key").or_else(|| part("id")).filter(|_| !is_demo).unwrap_or(written);
    let cache = part("cache").unwrap_or_default();
    match console.authorise_first(&actor(&request), action, (&cache, &target)) {
        Ok(()) => next.run(request).await,
        Err(error) => AppError::from(error).into_response(),
    }
}

/// Admits a request with the right to make the change of a server function. A function that is not
/// listed as harmless is a change.
pub(crate) async fn guard_functions(
    State(console): State<Console>,
    request: Request,
    next: Next,
) -> Response {
    let Some(name) = request.uri().path().strip_prefix(FUNCTIONS).map(str::to_owned) else {
        return next.run(request).await;
    };
    let actor = actor(&request);
    if HARMLESS.contains(&name.as_str()) || console.access().refusal(&actor).is_none() {
        return next.run(request).await;
    }
    let from = request.headers().get(header::REFERER).and_then(|from| from.to_str().ok());
    let back = from.filter(|_| wants_page(request.headers())).map(str::to_owned);
    let path = request.uri().path().to_owned();
    let (cache, target) = fields(request).await;
    let refused = console.authorise_first(&actor, action(&name), (&cache, &target));
    let Err(error) = refused else { return AppError::internal().into_response() };
    let back = back.and_then(|from| {
        let why = ApiError::Refused(error.sentence());
        ServerFnUrlError::new(path, why).to_url(&from).ok()
    });
    match back {
        // A form without scripts: its page tells why.
        Some(url) => Redirect::to(url.as_str()).into_response(),
        None => AppError::from(error).for_browsers().into_response(),
    }
}

/// As the audit trail names what a server function does.
fn action(function: &str) -> &str {
    match function {
        "run_plan" => "invalidate_pattern",
        "measure" | "stop_measuring" | "compare" | "stop_comparison" | "start_run" | "step_run"
        | "finish_run" | "stop_run" | "change_fault" => "run_lesson",
        other => other,
    }
}

/// What the fields of a form say of the cache and the key, as far as they can be read: for the
/// audit trail, which then tells what was tried.
async fn fields(request: Request) -> (String, String) {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, MAX_BODY_BYTES).await.unwrap_or_default();
    let request = Request::from_parts(parts, Body::from(bytes));
    let form = Form::<Vec<(String, String)>>::from_request(request, &()).await;
    let fields = form.map(|Form(fields)| fields).unwrap_or_default();
    let field = |names: &[&str]| {
        let found = fields.iter().find(|(name, _)| names.contains(&name.as_str()));
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    (field(&["cache"]), field(&["key", "id", "wish[lesson]"]))
}

fn actor(request: &Request) -> Actor {
    request.extensions().get::<Actor>().cloned().unwrap_or_else(Actor::nobody)
}
