use axum::http::StatusCode;
use leptos::prelude::*;
use strata_report::{CacheDetails, Past, Range};

use super::{
    evictions, groups, head, keys, latency, levels, outcomes, settings, sizes, time_left, what_if,
    writes,
};
use crate::api::ApiError;
use crate::screens::Asked;
use crate::screens::chart::Time;
use crate::screens::draw::told;
use crate::screens::sheet::{Drawing, Sheet};

/// What the cards of a cache's page are drawn from.
pub(super) struct Seen<'a> {
    /// The cache's name.
    pub(super) cache: &'a str,
    /// Its numbers now.
    pub(super) details: &'a CacheDetails,
    /// Its numbers over time.
    pub(super) past: &'a Past,
    /// The time axis of its charts.
    pub(super) time: Time<'a>,
}

/// Draws the page of one cache.
pub(in crate::screens) async fn page(asked: &Asked, cache: &str) -> Result<Drawing, ApiError> {
    let range = asked.field("range").and_then(|text| text.parse().ok()).unwrap_or_default();
    let past = asked.console.cache_history(cache, range).map_err(|error| told(&error))?;
    let details = asked.console.cache_report(cache).await.map_err(|error| told(&error))?;
    let names: Vec<String> =
        asked.console.snapshot().frame.caches.into_iter().map(|cache| cache.report.cache).collect();
    Ok(draw(&details, &past, &names))
}

/// Draws the page from what is known.
pub(super) fn draw(details: &CacheDetails, past: &Past, names: &[String]) -> Drawing {
    let cache = details.frame.report.cache.as_str();
    let time = Time::of(past, details.at_ms);
    let seen = Seen { cache, details, past, time };
    let sheet = Sheet { class: "cache-page", every_s: Some(every_s(past.range)) };
    sheet.draw(
        StatusCode::OK,
        view! {
            {head::head(&seen, names)}
            {outcomes::card(&seen)}
            {head::now(&seen)}
            {writes::card(&seen)}
            {levels::card(&seen)}
            {what_if::card(&seen)}
            {groups::card(&seen)}
            {evictions::card(&seen)}
            {evictions::ages(&seen)}
            {latency::cards(&seen)}
            {time_left::card(&seen)}
            {sizes::card(&seen)}
            {keys::hot(&seen)}
            {keys::missed(&seen)}
            {settings::card(&seen)}
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
