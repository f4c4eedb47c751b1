use axum::http::StatusCode;
use leptos::prelude::*;
use strata_report::DeadLetterQuery;

use super::search::query;
use super::{confirm, job, list, search};
use crate::api::ApiError;
use crate::drawn::encode;
use crate::screens::Asked;
use crate::screens::draw::{status_beside, told};
use crate::screens::sheet::{Drawing, Sheet, export_links};

const AT_ONCE: u32 = 50;

/// What is shown, to whom.
pub(super) struct Shown<'a> {
    pub(super) cache: &'a str,
    pub(super) query: &'a DeadLetterQuery,
    /// Whether the list begins at the oldest.
    pub(super) is_first: bool,
    /// Why who asks may not act.
    pub(super) refusal: Option<String>,
}

/// Draws the dead letters of a cache.
pub(in crate::screens) async fn page(asked: &Asked, cache: &str) -> Result<Drawing, ApiError> {
    let query = query(asked)?;
    let after = asked.field("after");
    let shown = Shown { cache, query: &query, is_first: after.is_none(), refusal: asked.refusal() };
    let list = (after, AT_ONCE);
    let found = asked.console.dead_letters(&asked.actor, (cache, &query), list).await;
    let status = found.as_ref().err().map_or(StatusCode::OK, status_beside);
    let body = match (&found, asked.field("act")) {
        (Ok(page), Some("drop")) => confirm::card(&shown, page),
        (Ok(page), _) => list::card(&shown, page),
        // What cannot be found is no page at all; what was typed wrong can be typed again.
        (Err(error), _) => match told(error) {
            error @ (ApiError::Invalid(_) | ApiError::Away(_) | ApiError::Busy(_)) => {
                failure(&error)
            }
            error => return Err(error),
        },
    };
    let job = asked.console.dead_letter_job(cache);
    let is_running = job.as_ref().is_some_and(|job| job.ended_at_ms.is_none());
    let sheet = Sheet { class: "letters-page", every_s: is_running.then_some(1) };
    Ok(sheet.draw(
        status,
        view! {
            {head(&shown)}
            {asked.failure().map(|why| view! { <div class="banner" role="alert"><p>{why}</p></div> })}
            {job.map(|job| job::card(&job, shown.refusal.as_deref()))}
            {search::card(cache, &query)}
            {body}
        },
    ))
}

fn head(shown: &Shown<'_>) -> AnyView {
    let cache = format!("/caches/{}", encode(shown.cache));
    let api = format!("/api/v1{cache}/dead-letters?");
    let fields = search::api_fields(shown.query);
    view! {
        <div class="sheet-head">
            <h1>"Dead letters of "{shown.cache.to_owned()}</h1>
            <a class="more" href=cache>"Its page"</a>
            {export_links(format!("{api}format=csv{fields}"), format!("{api}limit=1000{fields}"))}
            <p class="small since">
                "Acknowledged writes that the database refused as often as allowed, or that cannot be read. They are not in effect: readers see the older rows."
            </p>
        </div>
    }
    .into_any()
}

fn failure(error: &ApiError) -> AnyView {
    view! { <section class="card wide"><p class="failure" role="alert">{error.sentence()}</p></section> }.into_any()
}
