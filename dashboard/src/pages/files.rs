use axum::Router;
use axum::extract::Path;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use strata_app::SCRIPTS;

use crate::assets::FOR_EVER;
use crate::http::AppError;
use crate::state::AppState;

/// The page's own scripts.
pub(crate) fn scripts() -> Router<AppState> {
    let script = async |Path(name): Path<String>| match strata_app::script(&name) {
        Some(text) => {
            let headers = [
                (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
                (header::CACHE_CONTROL, FOR_EVER),
            ];
            (headers, text).into_response()
        }
        None => AppError::not_found("unknown-path", "There is no such file.").into_response(),
    };
    Router::new().route(&format!("{SCRIPTS}{{name}}"), get(script))
}
