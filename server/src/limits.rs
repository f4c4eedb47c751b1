use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::AppError;

/// The most that a request body may hold.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

/// Refuses a body that says it is too large. One that does not say is cut off at the same size.
pub(crate) async fn check_body_size(request: Request, next: Next) -> Response {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let bytes = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if bytes.is_some_and(|bytes| bytes > MAX_BODY_BYTES as u64) {
        return AppError::too_large(MAX_BODY_BYTES).into_response();
    }
    next.run(request).await
}
