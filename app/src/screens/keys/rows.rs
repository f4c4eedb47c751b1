use std::cmp::Ordering;

use leptos::prelude::*;
use strata_report::{KeyPage, KeyRow, LevelChoice};

use super::page::Search;
use crate::drawn::{encode, key_address, pattern_address};
use crate::format::{self, DASH};
use crate::screens::sheet::export_links;
use crate::screens::sheet::titled;
use crate::screens::words;

type Column = (&'static str, &'static str, fn(&KeyRow, &KeyRow) -> Ordering);

const COLUMNS: [Column; 6] = [
    ("key", "key", |a, b| a.key.cmp(&b.key)),
    ("level", "where", |a, b| place(a).cmp(&place(b))),
    ("group", "group", |a, b| a.group.cmp(&b.group)),
    ("age", "age", |a, b| b.age_ms.cmp(&a.age_ms)),
    ("left", "time left", |a, b| left(a).cmp(&left(b))),
    ("size", "size", |a, b| b.bytes.cmp(&a.bytes)),
];

/// The keys that match.
pub(super) fn card(search: &Search<'_>, page: &KeyPage) -> AnyView {
    let pattern = search.pattern.unwrap_or_default();
    let here = format!(
        "{}&level={}&limit={}",
        pattern_address(search.cache, pattern),
        level(search.level),
        search.limit,
    );
    let mut rows: Vec<&KeyRow> = page.rows.iter().collect();
    if let Some((_, _, by)) = COLUMNS.iter().find(|(name, ..)| *name == search.sort) {
        rows.sort_by(|a, b| by(a, b));
    }
    let head = |(name, title, _): Column| {
        let sorted = (name == search.sort).then_some("ascending");
        let href = format!("{here}&sort={name}");
        view! { <th scope="col" aria-sort=sorted><a href=href>{title}</a></th> }
    };
    let heads = COLUMNS.map(head).into_iter().collect_view();
    let next = page.next.as_ref().map(|cursor| {
        let href = format!("{here}&sort={}&cursor={}", search.sort, encode(cursor));
        view! { <a class="button" href=href rel="next">"Next page"</a> }
    });
    let is_empty = rows.is_empty();
    let rows = rows.into_iter().map(|row| line(search.cache, row)).collect_view();
    let api = format!(
        "/api/v1/caches/{}/keys?pattern={}&level={}&limit=1000",
        encode(search.cache),
        encode(pattern),
        level(search.level),
    );
    titled(
        "found",
        "Found",
        note(page),
        view! {
            <p class="counts" data-testid="found-counts">{counts(page)}</p>
            {page.l2_away.then(|| view! { <p class="failure">"L2 could not be asked, so keys that lie in L2 alone are missing here."</p> })}
            {is_empty.then(|| view! { <p class="empty">{nothing(page)}</p> })}
            {(!is_empty).then(|| view! {
                <div class="scroll" tabindex="0" role="region" aria-label="Keys that match">
                    <table class="rows key-rows" data-testid="key-rows">
                        <caption class="unseen">"Keys that match"</caption>
                        <thead><tr>{heads}</tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            })}
            <div class="below">
                {next}
                <a class="button" href=format!("{}&plan=1", pattern_address(search.cache, pattern))>"Plan an invalidation of all that match"</a>
                {export_links(format!("{api}&format=csv"), api.clone())}
            </div>
        },
    )
}

fn line(cache: &str, row: &KeyRow) -> impl IntoView + use<> {
    let l1 = (!row.l1.is_empty()).then(|| {
        let nodes = row.l1.join(", ");
        view! { <span class="swatch l1" title=format!("on node {nodes}")>"L1 ×"{row.l1.len()}</span> }
    });
    let l2 = match row.l2 {
        Some(true) => view! { <span class="swatch l2">"L2"</span> }.into_any(),
        Some(false) => ().into_any(),
        None => view! { <span class="small">"L2 ?"</span> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row" class="mono"><a href=key_address(cache, &row.key)>{row.key.clone()}</a></th>
            <td class="places">{l1}" "{l2}</td>
            <td class="mono">{row.group.clone().unwrap_or(DASH.to_owned())}</td>
            <td>{words::span(row.age_ms)}</td>
            <td>{words::span(row.expires_in_ms)}</td>
            <td>{words::bytes(row.bytes)}</td>
        </tr>
    }
}

fn counts(page: &KeyPage) -> String {
    let node =
        |n: &strata_report::NodeCount| format!("node {}: {}", n.node, format::count(n.entries));
    let mut parts = Vec::new();
    if !page.l1_found.is_empty() {
        let nodes: Vec<_> = page.l1_found.iter().map(node).collect();
        parts.push(format!("In L1, of all that match: {}.", nodes.join(", ")));
    }
    if let (Some(found), Some(scanned)) = (page.l2_found, page.l2_scanned) {
        let (found, scanned) = (format::count(found), format::plural(scanned, "key", "keys"));
        parts.push(format!(
            "In L2: {found} among the {scanned} of all caches that this page looked at."
        ));
    }
    parts.join(" ")
}

fn note(page: &KeyPage) -> String {
    let n = format::plural(page.rows.len() as u64, "row", "rows");
    let more = if page.next.is_some() { "; there is more" } else { "; that is all" };
    format!("{n} on this page{more}; sorted within the page")
}

fn nothing(page: &KeyPage) -> &'static str {
    if page.next.is_some() {
        "Nothing matches in the part that this page looked at. The next page looks on."
    } else {
        "Nothing matches. Keys are compared with the whole pattern; * at its end finds beginnings."
    }
}

const fn level(level: LevelChoice) -> &'static str {
    match level {
        LevelChoice::Any => "any",
        LevelChoice::L1 => "l1",
        LevelChoice::L2 => "l2",
    }
}

fn place(row: &KeyRow) -> (bool, usize) {
    (row.l2 != Some(true), usize::MAX - row.l1.len())
}

// What has no deadline comes last.
fn left(row: &KeyRow) -> u64 {
    row.expires_in_ms.unwrap_or(u64::MAX)
}
