use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::{provide_context, use_context};
use leptos::server_fn::error::SERVER_FN_ERROR_HEADER;
use leptos_axum::{
    LeptosRoutes, ResponseOptions, file_and_error_handler_with_context, generate_route_list,
};
use strata_app::{App, SCRIPTS, SessionCookie, shell};
use strata_console::{Actor, Origin};

use crate::error::AppError;
use crate::state::AppState;

/// Below these, programs ask; they get a problem where people get a page.
const PROGRAM_PATHS: [&str; 4] = ["/api", "/demo", "/pkg", SCRIPTS];

/// Adds the screens, the server functions and, for everything else, the public files or a page
/// that says that there is nothing.
pub(crate) fn with_pages(router: Router<AppState>, state: &AppState) -> Router<AppState> {
    let options = state.leptos.clone();
    let context = provide(state.clone());
    let document = move || shell(options.clone());
    router
        .leptos_routes_with_context(state, generate_route_list(App), context.clone(), document)
        .fallback(async move |uri: Uri, state: State<AppState>, request: Request| {
            other(context, uri, state, request).await
        })
}

async fn other(
    context: impl Fn() + Clone + Send + 'static,
    uri: Uri,
    state: State<AppState>,
    request: Request<Body>,
) -> Response {
    if PROGRAM_PATHS.iter().any(|prefix| is_below(uri.path(), prefix)) {
        return AppError::unknown_path(uri.path()).into_response();
    }
    file_and_error_handler_with_context(context, shell)(uri, state, request).await
}

/// Arguments that cannot be read are the sender's mistake. What fails within a server function has
/// set its status by itself.
pub(crate) async fn tell_bad_arguments(mut response: Response) -> Response {
    let is_of_function = response.headers().contains_key(SERVER_FN_ERROR_HEADER);
    if is_of_function && response.status() == StatusCode::INTERNAL_SERVER_ERROR {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    response
}

fn is_below(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What the screens and server functions find in their context.
fn provide(state: AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        provide_context(state.console.clone());
        provide_context(state.traffic.clone());
        provide_context(Arc::clone(&state.lab));
        // A caller that nobody identified may look only.
        let actor = use_context::<Parts>()
            .and_then(|parts| parts.extensions.get::<Actor>().cloned())
            .unwrap_or_else(Actor::nobody);
        provide_context(actor);
        if let Some(parts) = use_context::<Parts>() {
            if let Some(origin) = parts.extensions.get::<Origin>() {
                provide_context(origin.clone());
            }
            if let Some(cookie) = parts.extensions.get::<SessionCookie>() {
                provide_context(cookie.clone());
            }
        }
        allow_own_content(&state.leptos);
    }
}

/// Sets the policy that lets the page load what is ours and nothing else. Public files and server
/// functions have no nonce and need none.
fn allow_own_content(options: &LeptosOptions) {
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else {
        return;
    };
    // `cargo leptos watch` sets this variable and tells the page to reload by a socket of its own.
    let watched = std::env::var_os("LEPTOS_WATCH").is_some();
    let reload = if watched {
        format!(" ws://127.0.0.1:{0} ws://localhost:{0}", options.reload_port)
    } else {
        String::new()
    };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
         style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; connect-src 'self'{reload}; \
         worker-src 'self'; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}
