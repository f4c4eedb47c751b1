use axum::extract::{FromRequest, FromRequestParts};

use crate::http::AppError;

/// A JSON body; a malformed one is answered with a problem. (To answer, use axum's own `Json`.)
#[derive(FromRequest)]
#[from_request(via(axum::Json), rejection(AppError))]
pub(crate) struct Json<T>(pub(crate) T);

/// The parts of the path; one that cannot be read is answered with a problem.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(AppError))]
pub(crate) struct Path<T>(pub(crate) T);

/// The query string; one that cannot be read is answered with a problem.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(AppError))]
pub(crate) struct Query<T>(pub(crate) T);
