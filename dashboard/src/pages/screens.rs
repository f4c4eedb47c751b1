use std::sync::PoisonError;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodFilter, get, on};
use leptos::nonce::{Nonce, provide_nonce, use_nonce};
use leptos::prelude::{Owner, provide_context, use_context};
use leptos::server_fn::ServerFn;
use leptos::server_fn::axum::server_fn_paths;
use leptos::server_fn::error::SERVER_FN_ERROR_HEADER;
use leptos_axum::{ResponseOptions, handle_server_fns_with_context};
use strata_app::{
    ApiError, CurrentTraffic, LogIn, LogOut, SCRIPTS, ServiceMenu, SessionCookie, SetTraffic,
    document, page_paths,
};
use strata_console::{Actor, Origin};

use crate::access::ApplicationNonce;
use crate::http::{AppError, FUNCTIONS, MAX_BODY_BYTES};
use crate::state::AppState;

/// Below these, programs ask; they get a problem where people get a page.
const PROGRAM_PATHS: [&str; 4] = ["/api", "/demo", "/pkg", SCRIPTS];

/// No error of a server function is longer: it quotes at most what was sent.
const MAX_ERROR_BYTES: usize = 4 * MAX_BODY_BYTES;

/// Adds the screens, the server functions and, for everything else, a page that says that there is
/// nothing.
pub(crate) fn with_screens(router: Router<AppState>, state: &AppState) -> Router<AppState> {
    let router = with_functions(router, state);
    let router = page_paths().fold(router, |router, path| router.route(&path, get(page)));
    router.fallback(other)
}

/// The server functions that this program answers, by their paths.
pub(crate) fn functions(state: &AppState) -> impl Iterator<Item = (&'static str, Method)> {
    let left_out: Vec<_> = functions_left_out(state).collect();
    server_fn_paths().filter(move |(path, _)| !left_out.contains(path))
}

/// Those of others in this process, and those of parts that this program does not have.
fn functions_left_out(state: &AppState) -> impl Iterator<Item = &'static str> {
    let (lab, has_traffic) = (lab_left_out(state), state.console.traffic().is_some());
    let is_mounted = state.application.is_some();
    let is_left_out = move |path: &&str| {
        !path.starts_with(FUNCTIONS)
            || lab.contains(path)
            || is_mounted && [LogIn::PATH, LogOut::PATH].contains(path)
            || !has_traffic && [SetTraffic::PATH, CurrentTraffic::PATH].contains(path)
    };
    server_fn_paths().map(|(path, _)| path).filter(is_left_out)
}

/// The server functions of a lab that this program does not have.
#[cfg(feature = "lab")]
fn lab_left_out(state: &AppState) -> &'static [&'static str] {
    if state.lab.is_some() { &[] } else { &strata_app::LAB_FUNCTIONS }
}

/// Those of the lab are not in this build.
#[cfg(not(feature = "lab"))]
fn lab_left_out(_: &AppState) -> &'static [&'static str] {
    &[]
}

fn with_functions(router: Router<AppState>, state: &AppState) -> Router<AppState> {
    functions(state).fold(router, |router, (path, method)| {
        let context = provide(state.clone());
        let call = async move |request: Request| {
            handle_server_fns_with_context(context.clone(), request).await
        };
        // Each method that a function may have is one that axum knows.
        let Ok(method) = MethodFilter::try_from(method) else { return router };
        router.route(path, on(method, call))
    })
}

/// A page as a whole document.
async fn page(State(state): State<AppState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let nonce = parts.extensions.get::<ApplicationNonce>().cloned();
    let (owner, response) = (Owner::new(), ResponseOptions::default());
    let html = owner.with(|| {
        provide_context(parts);
        provide_context(response.clone());
        match nonce {
            Some(ApplicationNonce(nonce)) => provide_context(Nonce::from_value(nonce)),
            None => provide_nonce(),
        }
        provide(state.clone())();
        document(state.files)
    });
    let html = html.await;
    let said = response.0.read().unwrap_or_else(PoisonError::into_inner).clone();
    (said.status.unwrap_or_default(), said.headers, Html(html)).into_response()
}

async fn other(uri: Uri, state: State<AppState>, request: Request) -> Response {
    if PROGRAM_PATHS.iter().any(|prefix| is_below(uri.path(), prefix)) {
        return AppError::unknown_path(uri.path()).into_response();
    }
    page(state, request).await
}

/// Gives an error of a server function its own status where the function has set none: what it was
/// sent cannot be read, or something it needs is not there.
pub(crate) async fn tell_errors(response: Response) -> Response {
    let is_of_function = response.headers().contains_key(SERVER_FN_ERROR_HEADER);
    if !is_of_function || response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, MAX_ERROR_BYTES).await else {
        return AppError::internal().into_response();
    };
    if let Ok(error) = serde_json::from_slice::<ApiError>(&body) {
        parts.status = error.status();
    }
    Response::from_parts(parts, Body::from(body))
}

fn is_below(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What the screens and server functions find in their context.
fn provide(state: AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        provide_context(state.console.clone());
        if let Some(application) = &state.application {
            provide_context(application.clone());
        }
        #[cfg(feature = "lab")]
        if let Some(lab) = &state.lab {
            provide_context(std::sync::Arc::clone(lab));
        }
        // A caller that nobody identified may look only.
        let actor = use_context::<Parts>()
            .and_then(|parts| parts.extensions.get::<Actor>().cloned())
            .unwrap_or_else(Actor::nobody);
        provide_context(actor);
        if let Some(parts) = use_context::<Parts>() {
            if let Some(origin) = parts.extensions.get::<Origin>() {
                provide_context(origin.clone());
            }
            if let Some(menu) = parts.extensions.get::<ServiceMenu>() {
                provide_context(menu.clone());
            }
            if let Some(cookie) = parts.extensions.get::<SessionCookie>() {
                provide_context(cookie.clone());
            }
        }
        allow_own_content();
    }
}

/// Sets the policy that lets the page load what is ours and nothing else. Public files and server
/// functions have no nonce and need none.
fn allow_own_content() {
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else {
        return;
    };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
         style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; connect-src 'self'; \
         worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(body: &str) -> Response {
        let failed = Response::builder().status(500).header(SERVER_FN_ERROR_HEADER, "/api/x");
        tell_errors(failed.body(Body::from(body.to_owned())).unwrap()).await
    }

    #[tokio::test]
    async fn only_what_the_sender_did_wrong_is_the_senders_fault() {
        for (error, status) in [
            (r#"{"Invalid":"read what was sent: no address"}"#, 422),
            (r#"{"Away":"find the lab"}"#, 503),
            (r#"{"Refused":"no"}"#, 403),
            ("a text that is no error of ours", 500),
        ] {
            let told = told(error).await;
            assert_eq!(told.status().as_u16(), status, "{error}");
            let body = to_bytes(told.into_body(), MAX_ERROR_BYTES).await.unwrap();
            assert_eq!(body, error.as_bytes());
        }
    }
}
