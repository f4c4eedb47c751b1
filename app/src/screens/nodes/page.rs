use axum::http::StatusCode;
use leptos::prelude::*;
use strata_console::NodesPage;
use strata_report::{Disagreement, NodeCache, NodeRow, NodesReport, PresenceState};

use super::address::NodesAddress;
use super::presence::badge;
use super::{agreement, find, matrix, presence, tasks};
use crate::addresses::cache_address;
use crate::api::ApiError;
use crate::format::{self, DASH};
use crate::screens::page_frame::{PageFrame, PageHtml, export_links, titled_card};
use crate::screens::{PageRequest, words};

/// Draws the nodes beside each other: all of a small fleet, a page of a large one.
pub(crate) async fn page(request: &PageRequest) -> Result<PageHtml, ApiError> {
    let here = NodesAddress::of(request);
    let found = request.console.nodes_page(&here.query);
    let (report, is_large) = (&found.report, find::is_needed(&here.query, &found));
    let (shown, ..) = here.shown(&found.caches);
    let compared = agreement::compare(request, if here.compares { shown } else { &[] }).await;
    let caches = match is_large {
        true => matrix::card(&here, &found),
        false => caches(report),
    };
    // To compare costs a walk over each L1, so it is done less often.
    let every_s = if here.compares { 10 } else { 2 };
    let frame = PageFrame { class: "nodes-page", every_s: Some(every_s) };
    Ok(frame.draw(
        StatusCode::OK,
        view! {
            <div class="page-head">
                <h1>"Nodes"</h1>
                {export_links(here.rows("csv"), here.rows("json"))}
            </div>
            {is_large.then(|| find::card(&here, &found))}
            {nodes(&here, &found)}
            {presence::card(report)}
            {tasks::problems(report)}
            {tasks::card(report)}
            {disagreements(&report.disagreements)}
            {agreement::card(&here, &found.caches, &compared)}
            {caches}
        },
    ))
}

fn nodes(here: &NodesAddress, found: &NodesPage) -> AnyView {
    let report = &found.report;
    let rows = report.nodes.iter().map(|node| row(node, report.at_ms)).collect_view();
    let n = format::plural(found.n_found as u64, "node", "nodes");
    let sums = report.fleet.as_ref().map(|fleet| format!("; sums are {}", fleet.of_how_many()));
    let sums = sums.unwrap_or_default();
    titled_card(
        "nodes",
        "Node health",
        format!("{n}{sums}; lag and counts since each node started"),
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Table of nodes">
                <table class="rows" data-testid="nodes">
                    <caption class="unseen">"Nodes: version, uptime, bus and connection to Redis"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"node"</th>
                            <th scope="col">"state"</th>
                            <th scope="col" tabindex="0" title="When its last report was taken.">"last report"</th>
                            <th scope="col">"up"</th>
                            <th scope="col">"version"</th>
                            <th scope="col" tabindex="-1" title="When it last received something over the bus, which brings invalidations of other nodes.">"bus"</th>
                            <th scope="col" tabindex="-1" title="From Redis's clock to the node receiving an invalidation.">"bus lag p50 · p95 · p99"</th>
                            <th scope="col">"messages"</th>
                            <th scope="col" tabindex="-1" title="How often the node may have missed invalidations. Each time it emptied its L1.">"gaps"</th>
                            <th scope="col" tabindex="-1" title="Closed: Redis is used. Open: Redis failed and is skipped.">"breaker"</th>
                            <th scope="col" tabindex="-1" title="The Redis server that the node uses.">"server"</th>
                            <th scope="col" tabindex="-1" title="Calls to Redis that failed or ran into the timeout.">"errors · timeouts"</th>
                            <th scope="col" tabindex="-1" title="Invalidations that wait for Redis now.">"waiting"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {find::pages(here, found)}
        },
    )
}

fn row(node: &NodeRow, now_ms: u64) -> impl IntoView + use<> {
    // By the node's own clock, which may be wrong, where it is elsewhere.
    let elsewhere_ms = node.presence.as_ref().map(|presence| presence.heard_ms_ago);
    let now_ms = elsewhere_ms.map_or(now_ms, |heard_ms_ago| node.at_ms + heard_ms_ago);
    let span = |at_ms: u64| format::span(now_ms.saturating_sub(at_ms));
    let ago = |at_ms: u64| format!("{} ago", span(at_ms));
    // One that was never heard has nothing to say of itself.
    let reported = (node.at_ms > 0).then(|| (ago(node.at_ms), span(node.started_at_ms)));
    let (reported, up) = reported.unwrap_or_else(|| (DASH.to_owned(), DASH.to_owned()));
    let bus = match (node.bus.configured, node.bus.heard_at_ms) {
        (false, _) => "none".to_owned(),
        (true, None) => "nothing yet".to_owned(),
        (true, Some(at_ms)) => ago(at_ms),
    };
    let lag = node.bus_lag.map_or(DASH.to_owned(), |lag| {
        [lag.p50_ns, lag.p95_ns, lag.p99_ns].map(|ns| format::lag(Some(ns))).join(" · ")
    });
    let l2 = &node.l2;
    let server = l2.server.as_ref().map(|kind| format!("{} {}", kind.server, kind.version));
    let server = server.unwrap_or_else(|| DASH.to_owned());
    view! {
        <tr>
            <th scope="row">{node.node.clone()}</th>
            <td>{badge(node)}</td>
            <td>{reported}</td>
            <td>{up}</td>
            <td>{node.version.clone()}</td>
            <td>{bus}</td>
            <td>{lag}</td>
            <td>{format::count(node.bus.received)}</td>
            <td>{format::count(node.bus.gaps)}</td>
            <td>{words::breaker(l2)}</td>
            <td>{server}</td>
            <td>{format!("{} · {}", format::count(l2.errors), format::count(l2.timeouts))}</td>
            <td>{format::count(l2.queued_invalidations)}</td>
        </tr>
    }
}

/// Where no more nodes say something, each of them is told.
const TOLD_ONE_BY_ONE: u64 = 8;

/// The most values that are told where there are more nodes.
const MOST_VALUES: usize = 8;

fn disagreements(all: &[Disagreement]) -> AnyView {
    let line = |one: &Disagreement| {
        let n: u64 = one.values.iter().map(|said| said.count).sum();
        let each = one.says.iter().filter(|_| n <= TOLD_ONE_BY_ONE);
        let each = each.map(|says| view! { <li><strong>{says.node.clone()}</strong>" says "{says.says.clone()}</li> });
        let by_value = one.values.iter().take(MOST_VALUES).filter(|_| n > TOLD_ONE_BY_ONE);
        let by_value = by_value.map(|said| view! { <li>{said.summary()}</li> });
        let says = (each.collect_view(), by_value.collect_view());
        let of = |name: &str, before: &str| match name {
            "" => String::new(),
            name => format!("{before}{name}"),
        };
        let about = format!("{}{}{}", one.about, of(&one.cache, " of "), of(&one.app, " in "));
        view! { <li><h3>{about}</h3><ul>{says}</ul></li> }
    };
    let lines = all.iter().map(line).collect_view();
    let note = "versions and settings, compared among the nodes of each program";
    titled_card(
        "disagreements",
        "Where nodes disagree",
        note,
        view! {
            {all.is_empty().then(|| view! { <p class="empty">"Nowhere: all nodes of a program run the same version with the same settings."</p> })}
            <ul class="disagreements">{lines}</ul>
        },
    )
}

/// Every cache that some node has, in the order in which they were built.
fn cache_names(report: &NodesReport) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for cache in report.nodes.iter().flat_map(|node| &node.caches) {
        if !names.contains(&cache.cache.as_str()) {
            names.push(&cache.cache);
        }
    }
    names
}

// A table a cache, a row a node: what differs stands one below the other.
fn caches(report: &NodesReport) -> AnyView {
    let tables = cache_names(report).into_iter().map(|name| {
        let rows = report.nodes.iter().filter_map(|node| {
            let cache = node.caches.iter().find(|cache| cache.cache == name)?;
            Some(cache_row(node, cache))
        });
        let rows = rows.collect_view();
        view! {
            <section class="card by-node" aria-label=format!("L1 of {name} on each node")>
                <header>
                    <h2><a href=cache_address(name)>{name.to_owned()}</a></h2>
                    <p>"L1 of each node, since it started; entries and weight now"</p>
                </header>
                <div class="scroll" tabindex="0" role="region" aria-label=format!("Nodes of {name}")>
                    <table class="rows">
                        <thead>
                            <tr>
                                <th scope="col">"node"</th>
                                <th scope="col">"reads"</th>
                                <th scope="col">"L1"</th>
                                <th scope="col">"L2"</th>
                                <th scope="col">"entries"</th>
                                <th scope="col">"weight"</th>
                                <th scope="col" tabindex="0" title="Entries removed from L1, for any cause.">"removed"</th>
                                <th scope="col">"get p50 · p99"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </section>
        }
    });
    tables.collect_view().into_any()
}

fn cache_row(node: &NodeRow, cache: &NodeCache) -> impl IntoView + use<> {
    // Its numbers are of when it was last heard.
    let is_old = node.presence.as_ref().is_some_and(|at| at.state != PresenceState::Up);
    let since = is_old.then(|| view! { " "{badge(node)} });
    let reads = cache.outcomes.reads();
    let of =
        |now: String, max: Option<String>| max.map_or(now.clone(), |max| format!("{now} of {max}"));
    let entries = of(format::estimate(cache.l1_entries), cache.l1_entries_max.map(format::count));
    let weight =
        of(words::about_bytes(cache.l1_weight_bytes), cache.l1_weight_max_bytes.map(format::bytes));
    let latency = cache.l1_latency.map_or(DASH.to_owned(), |q| {
        [q.p50_ns, q.p99_ns].map(|ns| format::duration(Some(ns))).join(" · ")
    });
    let removed: u64 =
        strata_report::Cause::ALL.map(|cause| cache.evictions.get(cause)).iter().sum();
    view! {
        <tr>
            <th scope="row">{node.node.clone()}{since}</th>
            <td>{format::count(reads)}</td>
            <td>{format::percent(words::share(cache.outcomes.l1_hit, reads))}</td>
            <td>{format::percent(words::share(cache.outcomes.l2_hit, reads))}</td>
            <td>{entries}</td>
            <td>{weight}</td>
            <td>{format::count(removed)}</td>
            <td>{latency}</td>
        </tr>
    }
}
