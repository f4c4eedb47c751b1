//! Caches × nodes: how much of its reads L1 of each node answers, a cache a column.

use leptos::prelude::*;
use strata_report::{NodeRow, NodesReport};

use super::page::cache_names;
use crate::addresses::{cache_address, encode};
use crate::format::{self, DASH};
use crate::screens::page_frame::titled_card;
use crate::screens::{PageRequest, words};

/// So many caches are side by side.
const CACHES_AT_ONCE: usize = 12;

/// Draws the nodes of a page with the caches that the address asks for. `here` is the address
/// without those.
pub(super) fn card(request: &PageRequest, report: &NodesReport, here: &str) -> AnyView {
    let first = request.field("caches").and_then(|page| page.parse::<usize>().ok());
    drawn(report, first.unwrap_or(1).saturating_sub(1), here)
}

fn drawn(report: &NodesReport, page: usize, here: &str) -> AnyView {
    let names = cache_names(report);
    let n_pages = names.len().div_ceil(CACHES_AT_ONCE).max(1);
    let page = page.min(n_pages - 1);
    let shown: Vec<&str> =
        names.iter().copied().skip(page * CACHES_AT_ONCE).take(CACHES_AT_ONCE).collect();
    let head = shown.iter().map(|name| {
        view! { <th scope="col"><a href=cache_address(name)>{(*name).to_owned()}</a></th> }
    });
    let head = head.collect_view();
    let rows = report.nodes.iter().map(|node| row(node, &shown)).collect_view();
    let n = format::plural(names.len() as u64, "cache", "caches");
    titled_card(
        "matrix",
        "L1 of each node",
        format!("the share of the reads that L1 answered since the node started; {n}"),
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Table of caches and nodes">
                <table class="rows" data-testid="matrix">
                    <caption class="unseen">"Share of reads answered from L1, by node and cache"</caption>
                    <thead><tr><th scope="col">"node"</th>{head}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {pages(here, page, n_pages)}
        },
    )
}

fn row(node: &NodeRow, shown: &[&str]) -> AnyView {
    let cell = |name: &&str| {
        let cache = node.caches.iter().find(|cache| cache.cache == *name);
        let text = cache.map_or(DASH.to_owned(), |cache| {
            format::percent(words::share(cache.outcomes.l1_hit, cache.outcomes.reads()))
        });
        view! { <td>{text}</td> }
    };
    let cells = shown.iter().map(cell).collect_view();
    view! { <tr><th scope="row">{node.node.clone()}</th>{cells}</tr> }.into_any()
}

fn pages(here: &str, page: usize, n_pages: usize) -> Option<AnyView> {
    let link = |to: usize, words: &'static str| {
        let mark = if here.contains('?') { "&" } else { "?" };
        let href = format!("{here}{mark}caches={}", encode(&(to + 1).to_string()));
        view! { <a class="button" href=href>{words}</a> }
    };
    (n_pages > 1).then(|| {
        view! {
            <nav class="below" aria-label="Pages of caches">
                {(page > 0).then(|| link(page - 1, "Previous caches"))} " "
                {(page + 1 < n_pages).then(|| link(page + 1, "Next caches"))}
            </nav>
        }
        .into_any()
    })
}

#[cfg(test)]
mod tests {
    use strata_report::{NodeCache, Outcomes};

    use super::*;
    use crate::addresses::at;

    #[test]
    fn each_node_is_a_row_and_a_dozen_caches_are_columns() {
        let cache = |n: usize| NodeCache {
            cache: format!("cache-{n:02}"),
            outcomes: Outcomes { l1_hit: 3, loaded: 1, ..Outcomes::default() },
            ..NodeCache::default()
        };
        let node = NodeRow {
            node: "pod-7".to_owned(),
            caches: (0..30).map(cache).collect(),
            ..NodeRow::default()
        };
        let other = NodeRow { node: "pod-8".to_owned(), ..NodeRow::default() };
        let report = NodesReport { nodes: vec![node, other], ..NodesReport::default() };
        let html = Owner::new().with(|| drawn(&report, 1, &at("/nodes?name=pod")).to_html());
        for said in ["cache-12", "cache-23", "75", DASH, "/nodes?name=pod&amp;caches=3", "pod-8"] {
            assert!(html.contains(said), "{said}: {html}");
        }
        assert!(!html.contains("cache-11") && !html.contains("cache-24"), "{html}");
    }
}
