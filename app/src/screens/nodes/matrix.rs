//! Caches × nodes: how much of its reads L1 of each node answers, a cache a column.

use leptos::prelude::*;
use strata_console::NodesPage;
use strata_report::{NodeRow, PresenceState};

use super::address::NodesAddress;
use super::presence::badge;
use crate::addresses::cache_address;
use crate::format::{self, DASH};
use crate::screens::page_frame::titled_card;
use crate::screens::words;

/// Draws the nodes of a page with the caches that the address asks for.
pub(super) fn card(here: &NodesAddress, found: &NodesPage) -> AnyView {
    let (shown, page, n_pages) = here.shown(&found.caches);
    let head = shown.iter().map(|name| {
        view! { <th scope="col"><a href=cache_address(name)>{name.clone()}</a></th> }
    });
    let head = head.collect_view();
    let rows = found.report.nodes.iter().map(|node| row(node, shown)).collect_view();
    let n = format::plural(found.caches.len() as u64, "cache", "caches");
    titled_card(
        "matrix",
        "L1 of each node",
        format!("the share of the reads that L1 answered since the node started; {n}"),
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Table of caches and nodes">
                <table class="rows" data-testid="matrix">
                    <caption class="unseen">"Share of reads answered from L1, by node and cache"</caption>
                    <thead><tr><th scope="col">"node"</th><th scope="col">"state"</th>{head}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {pages(here, page, n_pages)}
        },
    )
}

fn row(node: &NodeRow, shown: &[String]) -> AnyView {
    // What was true when it was last heard would look as if it were now.
    let is_up = node.presence.as_ref().is_none_or(|at| at.state == PresenceState::Up);
    let is_now = node.heard && is_up;
    let cell = |name: &String| {
        let cache = node.caches.iter().find(|cache| cache.cache == *name).filter(|_| is_now);
        let text = cache.map_or(DASH.to_owned(), |cache| {
            format::percent(words::share(cache.outcomes.l1_hit, cache.outcomes.reads()))
        });
        view! { <td>{text}</td> }
    };
    let cells = shown.iter().map(cell).collect_view();
    view! { <tr><th scope="row">{node.node.clone()}</th><td>{badge(node)}</td>{cells}</tr> }
        .into_any()
}

/// The way to the other caches; nothing where there is one page.
pub(super) fn pages(here: &NodesAddress, page: usize, n_pages: usize) -> Option<AnyView> {
    let link = |to: usize, words: &'static str| {
        let to = NodesAddress { caches: to, ..here.clone() };
        view! { <a class="button" href=to.href()>{words}</a> }
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
    use strata_console::NodesQuery;
    use strata_report::{NodeCache, NodePresence, NodesReport, Outcomes};

    use super::*;

    fn node(id: &str, caches: impl IntoIterator<Item = usize>) -> NodeRow {
        let cache = |n: usize| NodeCache {
            cache: format!("cache-{n:02}"),
            outcomes: Outcomes { l1_hit: 3, loaded: 1, ..Outcomes::default() },
            ..NodeCache::default()
        };
        let caches = caches.into_iter().map(cache).collect();
        NodeRow { node: id.to_owned(), heard: true, caches, ..NodeRow::default() }
    }

    fn html(nodes: Vec<NodeRow>, caches: usize) -> String {
        let query = NodesQuery { name: "pod".to_owned(), ..NodesQuery::default() };
        let here = NodesAddress { query, caches, ..NodesAddress::default() };
        let found = NodesPage {
            report: NodesReport { nodes, ..NodesReport::default() },
            caches: (0..30).map(|n| format!("cache-{n:02}")).collect(),
            ..NodesPage::default()
        };
        Owner::new().with(|| card(&here, &found).to_html())
    }

    #[test]
    fn each_node_is_a_row_and_a_dozen_caches_are_columns() {
        let html = html(vec![node("pod-7", 0..30), node("pod-8", [])], 1);
        for said in ["cache-12", "cache-23", "75", DASH, "/nodes?name=pod&amp;caches=3", "pod-8"] {
            assert!(html.contains(said), "{said}: {html}");
        }
        assert!(!html.contains("cache-11") && !html.contains("cache-24"), "{html}");
    }

    #[test]
    fn caches_have_the_same_columns_whatever_the_nodes_of_the_page_have() {
        let html = html(vec![node("pod-7", [29, 3])], 0);
        let at = |name: &str| html.find(name).unwrap();
        assert!(at("cache-02") < at("cache-03") && !html.contains("cache-29"), "{html}");
    }

    #[test]
    fn a_node_that_is_lost_or_late_says_since_when_and_shows_no_share() {
        for (state, said) in [(PresenceState::Lost, "lost"), (PresenceState::Late, "late")] {
            let (heard_ms_ago, state) = (14_000, state);
            let presence = NodePresence { state, heard_ms_ago, ..NodePresence::default() };
            let row = NodeRow { presence: Some(presence), ..node("pod-7", 0..30) };
            let html = html(vec![row], 0);
            assert!(html.contains(&format!("{said}, last heard 14\u{202f}s ago")), "{html}");
            assert!(html.contains(DASH) && !html.contains("75"), "{html}");
        }
        let (heard_ms_ago, state) = (14_000, PresenceState::Late);
        let presence = NodePresence { state, heard_ms_ago, ..NodePresence::default() };
        let mut row = NodeRow { presence: Some(presence), ..node("pod-7", 0..30) };
        row.l2.breaker_open = true;
        let html = html(vec![row], 0);
        assert!(html.contains("skips Redis, last heard 14\u{202f}s ago"), "{html}");
        assert!(!html.contains("75"), "{html}");
    }
}
