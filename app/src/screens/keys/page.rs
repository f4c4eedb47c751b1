use std::sync::Arc;

use axum::http::StatusCode;
use leptos::prelude::*;
use strata_console::{ConsoleError, SearchResults};
use strata_report::{Job, JobState, KeyLook, KeyQuery, LevelChoice};

use super::view::KeySearch;
use super::{inspector, job, plan, rows, search};
use crate::api::{ApiError, as_api_error};
use crate::screens::PageRequest;
use crate::screens::failures::status_beside;
use crate::screens::page_frame::{PageFrame, PageHtml};

/// Draws the page. Nothing is searched before somebody asks for it.
pub(crate) async fn page(request: &PageRequest) -> Result<PageHtml, ApiError> {
    let caches: Vec<String> =
        request.console.caches().into_iter().map(|cache| cache.report.cache).collect();
    let first = caches.first().cloned().unwrap_or_default();
    let cache = request.field("cache").unwrap_or(&first).to_owned();
    let search = KeySearch {
        caches,
        cache: &cache,
        pattern: request.exact("pattern"),
        key: request.exact("key"),
        level: level(request.field("level")),
        limit: limit(request.field("limit")),
        refusal: request.refusal(),
    };
    let job = request.field("job").and_then(|id| request.console.job(id.parse().ok()?).ok());
    // A search each second beside a running job would only slow it down.
    let is_told = job.is_some() && search.key.is_none();
    let found = if is_told { Ok(().into_any()) } else { found(request, &search).await };
    let status = found.as_ref().err().map_or(StatusCode::OK, status_beside);
    let found = found.unwrap_or_else(|error| failure(&as_api_error(&error)));
    let running = job.as_ref().is_some_and(is_under_way);
    let frame = PageFrame { class: "keys-page", every_s: running.then_some(1) };
    Ok(frame.draw(
        status,
        view! {
            <div class="page-head">
                <h1>"Keys"</h1>
            </div>
            {request.failure().map(|why| view! { <div class="banner" role="alert"><p>{why}</p></div> })}
            {search::card(&search)}
            {job.as_ref().map(|told| job::card(told, search.refusal.clone()))}
            {found}
        },
    ))
}

async fn found(request: &PageRequest, search: &KeySearch<'_>) -> Result<AnyView, ConsoleError> {
    let console = &request.console;
    if let Some(key) = search.key {
        return match look(request, search.cache, key).await {
            Ok(look) => Ok(inspector::cards(&look, search.refusal.clone())),
            Err(error @ ConsoleError::BadKey { .. }) => Ok(bad_key(request, search.cache, &error)),
            Err(error) => Err(error),
        };
    }
    let Some(pattern) = search.pattern else { return Ok(search::invitation()) };
    if request.field("plan").is_some() {
        let plan = console.plan(&request.actor, search.cache, pattern).await?;
        return Ok(plan::card(&plan, search.refusal.clone()));
    }
    let query = KeyQuery {
        pattern: pattern.to_owned(),
        level: search.level,
        limit: search.limit,
        cursor: request.field("cursor").map(str::to_owned),
    };
    let found = find(request, search.cache, query).await?;
    let order = request.field("sort").and_then(|text| text.parse().ok()).unwrap_or_default();
    let from = request.field("from").and_then(|text| text.parse().ok()).unwrap_or(0);
    let from = from.min(found.n_rows.saturating_sub(1));
    let rows = Arc::clone(&found).rows(order, from, rows::N_DRAWN).await;
    Ok(rows::card(search, &rows::FoundRows { found: &found, order, from, rows }))
}

// Blanks may belong to a key; where they cannot, they were pasted along with it.
async fn look(request: &PageRequest, cache: &str, key: &str) -> Result<KeyLook, ConsoleError> {
    match request.console.look(&request.actor, cache, key).await {
        Err(ConsoleError::BadKey { .. }) if key.trim() != key => {
            request.console.look(&request.actor, cache, key.trim()).await
        }
        looked => looked,
    }
}

// Says what keys look like, by one that was read.
fn bad_key(request: &PageRequest, cache: &str, error: &ConsoleError) -> AnyView {
    let report = request.console.cache(cache).ok().map(|cache| cache.report);
    let hot = report.as_ref().and_then(|report| report.hot_keys.as_ref());
    let known = hot.and_then(|hot| hot.keys.iter().find(|key| !key.is_cut));
    match known.map(|known| like(cache, &known.key)) {
        Some(sentence) => complaint(sentence),
        None => failure(&as_api_error(error)),
    }
}

fn like(cache: &str, known: &str) -> String {
    let shown = strata_report::visible(known);
    match known.bytes().all(|byte| byte.is_ascii_digit()) {
        true => format!("Keys of {cache} are numbers, for example {shown}."),
        false => format!("Keys of {cache} look different, for example {shown}."),
    }
}

// A search that is remembered is not made again to show it in another order or another part.
async fn find(
    request: &PageRequest,
    cache: &str,
    query: KeyQuery,
) -> Result<Arc<SearchResults>, ConsoleError> {
    let known =
        request.field("found").and_then(|id| request.console.search_results(id.parse().ok()?));
    let same = |found: &Arc<SearchResults>| {
        let cursor = query.cursor.is_none() || found.query.cursor == query.cursor;
        cursor && found.page.cache == cache && found.query.pattern == query.pattern
    };
    match known.filter(same) {
        Some(found) => Ok(found),
        None => request.console.search_keys(&request.actor, cache, query).await,
    }
}

fn failure(error: &ApiError) -> AnyView {
    complaint(error.sentence())
}

fn complaint(sentence: String) -> AnyView {
    view! { <section class="card wide"><p class="failure" role="alert">{sentence}</p></section> }
        .into_any()
}

fn is_under_way(job: &Job) -> bool {
    // What waits for Redis is told once it is replayed.
    matches!(job.state, JobState::Running | JobState::Queued)
}

fn limit(text: Option<&str>) -> u32 {
    let wanted = text.and_then(|text| text.parse().ok()).unwrap_or(search::LIMITS[0]);
    wanted.clamp(1, SearchResults::MAX_ROWS)
}

fn level(text: Option<&str>) -> LevelChoice {
    match text {
        Some("l1") => LevelChoice::L1,
        Some("l2") => LevelChoice::L2,
        _ => LevelChoice::Any,
    }
}
