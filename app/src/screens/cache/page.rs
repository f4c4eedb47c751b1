use axum::http::StatusCode;
use leptos::prelude::*;
use strata_report::{CacheDetails, Range, RangeHistory};

use super::view::CacheView;
use super::{
    entries, evictions, groups, head, keys, latency, levels, outcomes, settings, what_if, writes,
};
use crate::api::{ApiError, as_api_error};
use crate::screens::chart::TimeAxis;
use crate::screens::page_frame::{PageFrame, PageHtml, partial_answers};
use crate::screens::{PageRequest, dead_letters};

/// Draws the page of one cache, or its dead letters.
pub(crate) async fn page(request: &PageRequest) -> Result<PageHtml, ApiError> {
    let cache = request.name();
    if request.field("view") == Some("dead-letters") {
        return dead_letters::page(request, cache).await;
    }
    let range = request.field("range").and_then(|text| text.parse().ok()).unwrap_or_default();
    let past = request.console.cache_history(cache, range).map_err(|error| as_api_error(&error))?;
    let details =
        request.console.cache_report(cache).await.map_err(|error| as_api_error(&error))?;
    let names: Vec<String> = request
        .console
        .snapshot()
        .frame
        .caches
        .into_iter()
        .map(|cache| cache.report.cache)
        .collect();
    Ok(draw(&details, &past, &names))
}

/// Draws the page from what is known.
pub(super) fn draw(details: &CacheDetails, past: &RangeHistory, names: &[String]) -> PageHtml {
    let cache = details.frame.report.cache.as_str();
    let time = TimeAxis::of(past, details.at_ms);
    let view = CacheView { cache, details, past, time };
    let frame = PageFrame { class: "cache-page", every_s: Some(every_s(past.range)) };
    frame.draw(
        StatusCode::OK,
        view! {
            {head::head(&view, names)}
            {partial_answers(details.partial.as_ref())}
            {outcomes::card(&view)}
            {head::now(&view)}
            {writes::card(&view)}
            {levels::card(&view)}
            {what_if::card(&view)}
            {groups::card(&view)}
            {evictions::card(&view)}
            {evictions::ages(&view)}
            {latency::cards(&view)}
            {entries::time_left(&view)}
            {entries::sizes(&view)}
            {keys::hot(&view)}
            {keys::missed(&view)}
            {settings::card(&view)}
        },
    )
}

// A chart of a day gains nothing from being drawn each second.
const fn every_s(range: Range) -> u32 {
    match range {
        Range::Minute => 1,
        Range::FifteenMinutes => 3,
        Range::TwoHours => 10,
        Range::Day => 60,
    }
}
