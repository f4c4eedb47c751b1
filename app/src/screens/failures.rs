use axum::http::StatusCode;
use leptos::prelude::*;
use strata_console::ConsoleError;

use crate::addresses::at;
use crate::api::ApiError;
use crate::screens::page_frame::{PageFrame, PageHtml};

/// What stands where a page could not be drawn: what happened, and where to go on.
pub(crate) fn failed(error: &ApiError) -> PageHtml {
    let frame = PageFrame { class: "failed", every_s: retry_s(error) };
    frame.draw(
        error.status(),
        view! {
            <h1>"This page cannot be shown"</h1>
            <p>{error.sentence()}</p>
            <p><a href=at("/")>"The overview"</a> " shows what there is."</p>
        },
    )
}

// What is away comes back; what is not there does not.
fn retry_s(error: &ApiError) -> Option<u32> {
    matches!(error, ApiError::Away(_)).then_some(2)
}

/// The status of a page that shows an error beside all else: that it is a page is no error, but a
/// program must not take too much of something for an answer.
pub(super) fn status_beside(error: &ConsoleError) -> StatusCode {
    match error {
        ConsoleError::Busy { .. } => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::OK,
    }
}
