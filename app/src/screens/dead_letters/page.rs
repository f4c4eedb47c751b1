use axum::http::StatusCode;
use leptos::prelude::*;

use super::search::query;
use super::view::DeadLettersView;
use super::{confirm, job, list, search};
use crate::addresses::{cache_address, encode};
use crate::api::{ApiError, as_api_error};
use crate::screens::PageRequest;
use crate::screens::failures::status_beside;
use crate::screens::page_frame::{PageFrame, PageHtml, export_links};

const AT_ONCE: u32 = 50;

/// Draws the dead letters of a cache.
pub(in crate::screens) async fn page(
    request: &PageRequest,
    cache: &str,
) -> Result<PageHtml, ApiError> {
    let query = query(request)?;
    let after = request.field("after");
    let view = DeadLettersView {
        cache,
        query: &query,
        is_first: after.is_none(),
        refusal: request.refusal().or_else(|| request.console.why_no_dead_letter_moves(cache)),
    };
    let list = (after, AT_ONCE);
    let found = request.console.dead_letters(&request.actor, (cache, &query), list).await;
    let status = found.as_ref().err().map_or(StatusCode::OK, status_beside);
    let body = match (&found, request.field("act")) {
        (Ok(page), Some("drop")) => confirm::card(&view, page),
        (Ok(page), _) => list::card(&view, page),
        // What cannot be found is no page at all; what was typed wrong can be typed again.
        (Err(error), _) => match as_api_error(error) {
            error @ (ApiError::Invalid(_) | ApiError::Away(_) | ApiError::Busy(_)) => {
                failure(&error)
            }
            error => return Err(error),
        },
    };
    let job = request.console.dead_letter_job(cache);
    let is_running = job.as_ref().is_some_and(|job| job.ended_at_ms.is_none());
    let frame = PageFrame { class: "letters-page", every_s: is_running.then_some(1) };
    Ok(frame.draw(
        status,
        view! {
            {head(&view)}
            {request.failure().map(|why| view! { <div class="banner" role="alert"><p>{why}</p></div> })}
            {job.map(|job| job::card(&job, view.refusal.as_deref()))}
            {search::card(cache, &query)}
            {body}
        },
    ))
}

fn head(view: &DeadLettersView<'_>) -> AnyView {
    let cache = cache_address(view.cache);
    let api = format!("/api/v1/caches/{}/dead-letters?", encode(view.cache));
    let fields = search::api_fields(view.query);
    view! {
        <div class="page-head">
            <h1>"Dead letters of "{view.cache.to_owned()}</h1>
            <a class="more" href=cache>"Back to the cache"</a>
            {export_links(format!("{api}format=csv{fields}"), format!("{api}limit=1000{fields}"))}
            <p class="small since">
                "Acknowledged writes that the database refused too often, or that cannot be read. They have no effect: readers see the older rows."
            </p>
        </div>
    }
    .into_any()
}

fn failure(error: &ApiError) -> AnyView {
    view! { <section class="card wide"><p class="failure" role="alert">{error.sentence()}</p></section> }.into_any()
}
