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
    match read_whole(request).await {
        Ok(request) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// The request with its body in memory: so little is read whole before anybody looks at it.
pub(crate) async fn read_whole(request: Request) -> Result<Request, AppError> {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let bytes = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if bytes.is_some_and(|bytes| bytes > MAX_BODY_BYTES as u64) {
        return Err(AppError::too_large(MAX_BODY_BYTES));
    }
    let (parts, body) = request.into_parts();
    match to_bytes(body, MAX_BODY_BYTES).await {
        Ok(body) => Ok(Request::from_parts(parts, Body::from(body))),
        Err(error) if error.source().is_some_and(|why| why.is::<LengthLimitError>()) => {
            Err(AppError::too_large(MAX_BODY_BYTES))
        }
        Err(error) if BodyTimeout::caused(&error) => {
            let detail = "The request's body did not come in time.";
            Err(AppError::new(StatusCode::REQUEST_TIMEOUT, "slow-body", detail))
        }
        Err(_) => Err(AppError::bad_request("broken-body", "The request's body broke off.")),
    }
}
