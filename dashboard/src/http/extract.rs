//! axum's extractors, whose rejections are problems.

use axum::extract::{FromRequest, FromRequestParts};

use crate::http::AppError;

/// A JSON body; a malformed one is answered with a problem. (To answer, use axum's own `Json`.)
#[derive(FromRequest)]
#[from_request(via(axum::Json), rejection(AppError))]
pub struct Json<T>(pub T);

/// The parts of the path; one that cannot be read is answered with a problem.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(AppError))]
pub struct Path<T>(pub T);

/// The query string; one that cannot be read is answered with a problem.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(AppError))]
pub struct Query<T>(pub T);
