use axum::http::StatusCode;
use leptos::prelude::*;
use strata_console::ConsoleError;

#[cfg(feature = "lab")]
use super::lab;
use super::{PageRequest, activity, alerts, cache, dead_letters, keys, nodes, redis};
use crate::api::ApiError;
use crate::screens::page_frame::{PageFrame, PageHtml};

/// Draws the page of an address.
pub(crate) async fn draw(request: &PageRequest) -> PageHtml {
    let drawn = match request.parts().as_slice() {
        ["caches", name] if request.field("view") == Some("dead-letters") => {
            dead_letters::page(request, name).await
        }
        ["caches", name] => cache::page(request, name).await,
        ["keys"] => keys::page(request).await,
        ["nodes"] => nodes::page(request).await,
        ["redis"] => Ok(redis::page(request).await),
        ["activity"] => Ok(activity::page(request)),
        #[cfg(feature = "lab")]
        ["lab"] => Ok(lab::tour(request)),
        #[cfg(feature = "lab")]
        ["lab", "compare"] => lab::compare(request).await,
        #[cfg(feature = "lab")]
        ["lab", "measured"] => lab::measured(request),
        #[cfg(feature = "lab")]
        ["lab", lesson] => lab::lesson(request, lesson).await,
        ["alerts"] => Ok(alerts::part(request)),
        _ => Err(ApiError::NotFound("find this page".to_owned())),
    };
    drawn.unwrap_or_else(|error| failed(&error))
}

/// What stands where a page could not be drawn: what happened, and where to go on.
pub(crate) fn failed(error: &ApiError) -> PageHtml {
    let frame = PageFrame { class: "failed", every_s: retry_s(error) };
    frame.draw(
        error.status(),
        view! {
            <h1>"This page cannot be shown"</h1>
            <p>{error.sentence()}</p>
            <p><a href="/">"The overview"</a> " shows what there is."</p>
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
