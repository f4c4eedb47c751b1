use std::error::Error;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;

use crate::error::AppError;
use crate::serving::BodyTimeout;

/// The most that a request body may hold.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

/// Refuses a body that is too large: at once where it says so, else as soon as it is.
pub(crate) async fn check_body_size(request: Request, next: Next) -> Response {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let bytes = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if bytes.is_some_and(|bytes| bytes > MAX_BODY_BYTES as u64) {
        return AppError::too_large(MAX_BODY_BYTES).into_response();
    }
    let (parts, body) = request.into_parts();
    // So little is read whole before anybody looks at it.
    match to_bytes(body, MAX_BODY_BYTES).await {
        Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(error) if error.source().is_some_and(|why| why.is::<LengthLimitError>()) => {
            AppError::too_large(MAX_BODY_BYTES).into_response()
        }
        Err(error) if BodyTimeout::caused(&error) => {
            let detail = "The request's body did not come in time.";
            AppError::new(StatusCode::REQUEST_TIMEOUT, "slow-body", detail).into_response()
        }
        Err(_) => {
            AppError::bad_request("broken-body", "The request's body broke off.").into_response()
        }
    }
}
