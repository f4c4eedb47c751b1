use axum::http::StatusCode;
use leptos::prelude::*;
use strata_console::ConsoleError;

#[cfg(feature = "lab")]
use super::lab;
use super::sheet::{Drawing, Sheet};
use super::{Asked, activity, alerts, cache, dead_letters, keys, nodes, redis};
use crate::api::ApiError;

/// Draws the page of an address.
pub(crate) async fn draw(asked: &Asked) -> Drawing {
    let drawn = match asked.parts().as_slice() {
        ["caches", name] if asked.field("view") == Some("dead-letters") => {
            dead_letters::page(asked, name).await
        }
        ["caches", name] => cache::page(asked, name).await,
        ["keys"] => keys::page(asked).await,
        ["nodes"] => nodes::page(asked).await,
        ["redis"] => Ok(redis::page(asked).await),
        ["activity"] => Ok(activity::page(asked)),
        #[cfg(feature = "lab")]
        ["lab"] => Ok(lab::tour(asked)),
        #[cfg(feature = "lab")]
        ["lab", "compare"] => lab::compare(asked).await,
        #[cfg(feature = "lab")]
        ["lab", "measured"] => lab::measured(asked),
        #[cfg(feature = "lab")]
        ["lab", lesson] => lab::lesson(asked, lesson).await,
        ["alerts"] => Ok(alerts::part(asked)),
        _ => Err(ApiError::NotFound("find this page".to_owned())),
    };
    drawn.unwrap_or_else(|error| failed(&error))
}

/// What stands where a page could not be drawn: what happened, and where to go on.
pub(crate) fn failed(error: &ApiError) -> Drawing {
    let sheet = Sheet { class: "failed", every_s: retry_s(error) };
    sheet.draw(
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

/// A console's error as one that pages tell.
pub(super) fn told(error: &ConsoleError) -> ApiError {
    crate::api::as_api_error(error)
}
