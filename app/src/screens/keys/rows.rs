use leptos::prelude::*;
use strata_console::{KeyColumn, KeyOrder, SearchResults};
use strata_report::{KeyRow, LevelChoice, NodeCount};

use super::view::KeySearch;
use crate::addresses::{encode, key_address, pattern_address};
use crate::format::{self, DASH};
use crate::screens::page_frame::{export_links, partial_answers, titled_card};
use crate::screens::words;

/// So many rows are drawn at a time; the browser asks for others as somebody scrolls to them.
pub(super) const N_DRAWN: usize = 120;

// As the style has it.
const ROW_PX: usize = 32;

/// A part of what was found.
pub(super) struct FoundRows<'a> {
    /// All that was found.
    pub(super) found: &'a SearchResults,
    /// In which order.
    pub(super) order: KeyOrder,
    /// How many rows come before this part.
    pub(super) from: usize,
    /// Its rows.
    pub(super) rows: Vec<KeyRow>,
}

/// The keys that match.
pub(super) fn card(search: &KeySearch<'_>, part: &FoundRows<'_>) -> AnyView {
    let FoundRows { found, .. } = part;
    let pattern = search.pattern.unwrap_or_default();
    let here = format!(
        "{}&level={}&limit={}",
        pattern_address(search.cache, pattern),
        level(search.level),
        search.limit,
    );
    let more = found.page.next.as_ref().map(|cursor| {
        let href = format!("{here}&cursor={}", encode(cursor));
        view! { <a class="button" href=href rel="next">"Continue the search"</a> }
    });
    let api = format!(
        "/api/v1/caches/{}/keys?pattern={}&level={}",
        encode(search.cache),
        encode(pattern),
        level(search.level),
    );
    let away = found.page.l2_away.then(|| view! { <p class="failure">"L2 did not answer, so keys that are only in L2 are missing here."</p> });
    let body = match found.n_rows {
        0 => view! { <p class="empty">{nothing(found)}</p> }.into_any(),
        _ => table(search.cache, part, &format!("{here}&found={}", found.id)),
    };
    titled_card(
        "found",
        "Found",
        note(found),
        view! {
            <p class="counts" data-testid="found-counts">{counts(found)}</p>
            {away}
            {partial_answers(found.page.partial.as_ref())}
            {body}
            <div class="below">
                {more}
                <a class="button" href=format!("{}&plan=1", pattern_address(search.cache, pattern))>"Plan an invalidation of all that match"</a>
                {export_links(format!("{api}&format=csv"), format!("{api}&limit=1000"))}
            </div>
        },
    )
}

// A found list is as long as it is: rows that are not drawn leave a gap of their height, so that
// the scroll bar is right.
fn table(cache: &str, part: &FoundRows<'_>, here: &str) -> AnyView {
    let FoundRows { found, order, from, rows } = part;
    let until = from + rows.len();
    let head = |column: KeyColumn| {
        let sorted = (order.column == column).then_some(if order.reversed {
            "descending"
        } else {
            "ascending"
        });
        let href = format!("{here}&sort={}", order.toward(column));
        view! { <th scope="col" aria-sort=sorted><a href=href>{title(column)}</a></th> }
    };
    let heads = KeyColumn::ALL.map(head).into_iter().collect_view();
    let lines = rows.iter().zip(*from..).map(|(row, at)| line(cache, row, at)).collect_view();
    let step = |name: &'static str, from: usize| {
        view! { <a class="button" href=format!("{here}&sort={order}&from={from}")>{name}</a> }
    };
    let earlier = (*from > 0).then(|| step("Earlier rows", from.saturating_sub(N_DRAWN)));
    let later = (until < found.n_rows).then(|| step("Later rows", until));
    // Another search or order begins at its top, so it is another element.
    let id = format!("rows-{}-{order}", found.id);
    view! {
        <div class="scroll long-list" id=id tabindex="0" role="region" aria-label="Keys that match"
            data-rows-address=format!("{here}&sort={order}&from=") data-rows=found.n_rows
            data-from=*from data-until=until>
            <table class="rows key-rows" translate="no" data-testid="key-rows" aria-rowcount=found.n_rows + 1>
                <caption class="unseen">"Keys that match"</caption>
                <thead><tr aria-rowindex="1">{heads}</tr></thead>
                <tbody>{gap("rows-above", *from)}{lines}{gap("rows-below", found.n_rows - until)}</tbody>
            </table>
        </div>
        <p class="below unless-script">
            {format!("Rows {} to {}.", format::count(*from as u64 + 1), format::count(until as u64))}
            {earlier}{later}
        </p>
    }
    .into_any()
}

fn gap(id: &'static str, n_rows: usize) -> AnyView {
    let height = n_rows * ROW_PX;
    view! {
        <tr class="gap" id=id aria-hidden="true"><td colspan="6"><svg width="1" height=height></svg></td></tr>
    }
    .into_any()
}

fn line(cache: &str, row: &KeyRow, at: usize) -> impl IntoView + use<> {
    let l1 = (!row.l1.is_empty()).then(|| {
        let nodes = row.l1.join(", ");
        view! { <span class="swatch l1" title=format!("on node {nodes}")>"L1 ×"{row.l1.len()}</span> }
    });
    let l2 = match row.l2 {
        Some(true) if row.l2_something_else => view! {
            <span class="small" title="Not written by a cache: another type of value, or bytes that are not an entry.">
                "L2: something else"
            </span>
        }
        .into_any(),
        Some(true) => view! { <span class="swatch l2">"L2"</span> }.into_any(),
        Some(false) => ().into_any(),
        None => view! { <span class="small">"L2 ?"</span> }.into_any(),
    };
    view! {
        <tr id=format!("row-{at}") aria-rowindex=at + 2>
            <th scope="row" class="mono"><a href=key_address(cache, &row.key)>{words::visible(&row.key)}</a></th>
            <td class="places">{l1}" "{l2}</td>
            <td class="mono">{row.group.as_deref().map_or(DASH.to_owned(), words::visible)}</td>
            <td>{words::span(row.age_ms)}</td>
            <td>{words::span(row.expires_in_ms)}</td>
            <td>{words::bytes(row.bytes)}</td>
        </tr>
    }
}

const fn title(column: KeyColumn) -> &'static str {
    match column {
        KeyColumn::Key => "key",
        KeyColumn::Place => "where",
        KeyColumn::Group => "group",
        KeyColumn::Age => "age",
        KeyColumn::Left => "time left",
        KeyColumn::Size => "size",
    }
}

fn counts(found: &SearchResults) -> String {
    let node = |n: &NodeCount| format!("node {}: {}", n.node, format::count(n.entries));
    let mut parts = Vec::new();
    if !found.page.l1_found.is_empty() {
        let nodes: Vec<_> = found.page.l1_found.iter().map(node).collect();
        parts.push(format!("In L1, of all that match: {}.", nodes.join(", ")));
    }
    if let (Some(matched), Some(scanned)) = (found.page.l2_found, found.page.l2_scanned) {
        let (matched, scanned) = (format::count(matched), format::plural(scanned, "key", "keys"));
        // Of those that Redis holds, others' too.
        let all = found.page.l2_keys.map(|n| format!(" of about {}", format::count(n)));
        let all = all.unwrap_or_default();
        parts.push(format!(
            "In L2: {matched} of {scanned}{all} that were scanned, over all caches."
        ));
    }
    parts.join(" ")
}

fn note(found: &SearchResults) -> String {
    let n = format::plural(found.n_rows as u64, "key", "keys");
    let at = format!("as of {} UTC", words::at(found.at_ms));
    match (&found.page.next, found.is_full) {
        (None, _) if found.page.l2_away => format!("{n}, {at}; there may be more"),
        (None, _) => format!("{n}, {at}; that is all"),
        (Some(_), true) => format!("first {n} of more, {at}"),
        (Some(_), false) => format!("{n} so far, {at}; not every key was looked at yet"),
    }
}

fn nothing(found: &SearchResults) -> &'static str {
    if found.page.next.is_some() {
        "No key matches so far. There are more: continue the search."
    } else {
        "No key matches. The pattern must match the whole key; end it with * to match a prefix."
    }
}

const fn level(level: LevelChoice) -> &'static str {
    match level {
        LevelChoice::Any => "any",
        LevelChoice::L1 => "l1",
        LevelChoice::L2 => "l2",
    }
}
