//! Which nodes of a large fleet are shown: a form, the nodes by program and version, and the pages.

use leptos::prelude::*;
use strata_console::{NODES_AT_ONCE, NodeCondition, NodeGroup, NodesPage, NodesQuery};

use crate::addresses::{at, encode};
use crate::format;
use crate::screens::PageRequest;
use crate::screens::page_frame::titled_card;

/// The most groups that are shown.
const MOST_GROUPS: usize = 20;

/// What is asked for in the address.
pub(super) fn query(request: &PageRequest) -> NodesQuery {
    let condition = request.field("state");
    let named = |text| NodeCondition::ALL.into_iter().find(|one| one.as_str() == text);
    let page = request.field("page").and_then(|page| page.parse::<usize>().ok());
    NodesQuery {
        name: request.field("name").unwrap_or_default().to_owned(),
        condition: condition.and_then(named),
        app: request.field("app").map(str::to_owned),
        version: request.field("version").map(str::to_owned),
        page: page.unwrap_or(1).saturating_sub(1),
    }
}

/// Where the nodes of a query are shown; the page is counted from 0.
pub(super) fn address(query: &NodesQuery) -> String {
    let mut fields = Vec::new();
    let mut add = |name: &str, text: &str| {
        if !text.is_empty() {
            fields.push(format!("{name}={}", encode(text)));
        }
    };
    add("name", &query.name);
    add("state", query.condition.map_or("", NodeCondition::as_str));
    add("app", query.app.as_deref().unwrap_or_default());
    add("version", query.version.as_deref().unwrap_or_default());
    if query.page > 0 {
        add("page", &(query.page + 1).to_string());
    }
    let mark = if fields.is_empty() { "" } else { "?" };
    at(&format!("/nodes{mark}{}", fields.join("&")))
}

/// Whether there are so many nodes that they must be found, or somebody has begun to.
pub(super) fn is_needed(query: &NodesQuery, page: &NodesPage) -> bool {
    page.n_nodes > NODES_AT_ONCE || *query != NodesQuery::default()
}

/// The form, and the nodes by program and version.
pub(super) fn card(query: &NodesQuery, page: &NodesPage) -> AnyView {
    let rows = page.groups.iter().take(MOST_GROUPS).map(group).collect_view();
    let others = page.groups.len().saturating_sub(MOST_GROUPS) as u64;
    let others = (others > 0).then(|| {
        let others = format::plural(others, "other version", "other versions");
        view! { <p class="small">"And "{others}"."</p> }
    });
    titled_card(
        "fleet",
        "All nodes",
        format::plural(page.n_nodes as u64, "node", "nodes"),
        view! {
            {form(query)}
            <div class="scroll" tabindex="0" role="region" aria-label="Table of programs">
                <table class="rows" data-testid="groups">
                    <caption class="unseen">"Nodes by program and version, and how they are"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"program"</th>
                            <th scope="col">"version"</th>
                            {NodeCondition::ALL.map(|one| view! { <th scope="col">{one.as_str()}</th> }).collect_view()}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {others}
        },
    )
}

fn form(query: &NodesQuery) -> AnyView {
    let option = |one: NodeCondition| {
        let selected = query.condition == Some(one);
        view! { <option value=one.as_str() selected=selected>{one.as_str()}</option> }
    };
    let options = NodeCondition::ALL.map(option).collect_view();
    let kept = |name: &'static str, text: &Option<String>| {
        text.clone().map(|text| view! { <input type="hidden" name=name value=text /> })
    };
    view! {
        <form action=at("/nodes") method="get" class="ask" data-testid="find-nodes">
            <div class="field">
                <label for="find-name">"Name contains"</label>
                <input id="find-name" name="name" type="search" value=query.name.clone() maxlength="256" />
            </div>
            <div class="field">
                <label for="find-state">"State"</label>
                <select id="find-state" name="state">
                    <option value="">"any"</option>
                    {options}
                </select>
            </div>
            {kept("app", &query.app)}
            {kept("version", &query.version)}
            <button type="submit" class="button">"Show these"</button>
            <a class="button" href=at("/nodes")>"Show all"</a>
        </form>
    }
    .into_any()
}

fn group(group: &NodeGroup) -> AnyView {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let of = |condition| NodesQuery {
        app: some(&group.app),
        version: some(&group.version),
        condition,
        ..NodesQuery::default()
    };
    let cell = |condition: NodeCondition| {
        let n = group.counts[condition as usize];
        let link = (n > 0).then(|| {
            view! { <a href=address(&of(Some(condition)))>{format::count(n)}</a> }
        });
        view! { <td>{link}{(n == 0).then_some("0")}</td> }
    };
    let program = if group.app.is_empty() { "not said".to_owned() } else { group.app.clone() };
    view! {
        <tr>
            <th scope="row"><a href=address(&of(None))>{program}</a></th>
            <td>{group.version.clone()}</td>
            {NodeCondition::ALL.map(cell).collect_view()}
        </tr>
    }
    .into_any()
}

/// Which nodes these are, and the way to the others; nothing where there is one page.
pub(super) fn pages(query: &NodesQuery, page: &NodesPage) -> Option<AnyView> {
    if page.n_pages < 2 {
        return (page.n_found == 0)
            .then(|| view! { <p class="empty">"No node is like that."</p> }.into_any());
    }
    let link = |to: usize, words: &'static str| {
        let to = NodesQuery { page: to, ..query.clone() };
        view! { <a class="button" href=address(&to)>{words}</a> }
    };
    let first = page.page * NODES_AT_ONCE;
    let last = (first + NODES_AT_ONCE).min(page.n_found);
    let n_found = format::count(page.n_found as u64);
    Some(view! {
        <nav class="below" aria-label="Pages of nodes">
            {(page.page > 0).then(|| link(page.page - 1, "Previous"))}
            " " <span data-testid="shown">{format!("{} to {last} of {n_found}, the worst first", first + 1)}</span> " "
            {(page.page + 1 < page.n_pages).then(|| link(page.page + 1, "Next"))}
        </nav>
    }
    .into_any())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(draw: impl Fn() -> AnyView) -> String {
        Owner::new().with(|| draw().to_html())
    }

    fn page(n_nodes: usize) -> NodesPage {
        let group = NodeGroup {
            app: "shop-api".to_owned(),
            version: "2.0".to_owned(),
            counts: [1, 0, 0, n_nodes as u64 - 1],
        };
        let n_pages = n_nodes.div_ceil(NODES_AT_ONCE);
        NodesPage {
            n_nodes,
            n_found: n_nodes,
            n_pages,
            groups: vec![group],
            ..NodesPage::default()
        }
    }

    #[test]
    fn a_small_fleet_needs_no_form_until_somebody_asks() {
        let none = NodesQuery::default();
        assert!(!is_needed(&none, &page(3)) && is_needed(&none, &page(1_000)));
        assert!(is_needed(&NodesQuery { name: "pod".to_owned(), ..none }, &page(3)));
    }

    #[test]
    fn a_large_fleet_has_pages_that_keep_what_is_asked_for() {
        let query = NodesQuery { name: "pod 1".to_owned(), page: 1, ..NodesQuery::default() };
        let page = NodesPage { page: 1, ..page(1_000) };
        let html = html(|| pages(&query, &page).unwrap());
        for said in ["51 to 100 of 1", "/nodes?name=pod%201\"", "/nodes?name=pod%201&amp;page=3"] {
            assert!(html.contains(said), "{said}: {html}");
        }
    }

    #[test]
    fn each_program_leads_to_its_nodes_by_how_they_are() {
        let html = html(|| card(&NodesQuery::default(), &page(1_000)));
        for said in ["state=lost&amp;app=shop-api&amp;version=2.0", ">999<", "Name contains"] {
            assert!(html.contains(said), "{said}: {html}");
        }
    }
}
