use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use leptos::config::LeptosOptions;
use leptos_axum::{site_pkg_dir_service, site_pkg_dir_service_route_path};
use strata_app::SCRIPTS;

use crate::http::AppError;
use crate::state::AppState;

/// The built files under `/pkg`, compressed when they were built.
pub(crate) fn built(options: &LeptosOptions) -> Router<AppState> {
    let path = site_pkg_dir_service_route_path(options);
    let files = Router::new().route_service(&path, site_pkg_dir_service(options));
    if options.hash_files {
        files.layer(map_response(for_ever))
    } else {
        files.layer(map_response(until_changed))
    }
}

/// The page's own scripts, which are in the program.
pub(crate) fn scripts() -> Router<AppState> {
    let script = async |Path(name): Path<String>| match strata_app::script(&name) {
        Some(text) => {
            ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], text).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    };
    Router::new().route(&format!("{SCRIPTS}{{name}}"), get(script)).layer(map_response(for_ever))
}

// The name of a hashed file changes with its content.
async fn for_ever(response: Response) -> Response {
    with_cache_control(response, "public, max-age=31536000, immutable")
}

async fn until_changed(response: Response) -> Response {
    with_cache_control(response, "no-cache")
}

fn with_cache_control(mut response: Response, value: &'static str) -> Response {
    let status = response.status();
    if status == StatusCode::NOT_FOUND {
        return AppError::not_found("unknown-path", "There is no such file.").into_response();
    }
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    }
    response
}
