//! Which nodes of a large fleet are shown: a form, the nodes by program and version, and the pages.

use leptos::prelude::*;
use strata_console::{NODES_AT_ONCE, NodeCondition, NodeGroup, NodesPage, NodesQuery};

use super::address::NodesAddress;
use crate::addresses::at;
use crate::format;
use crate::screens::page_frame::titled_card;

/// The most groups that are shown.
const MOST_GROUPS: usize = 20;

/// Whether there are so many nodes that they must be found, or somebody has begun to.
pub(super) fn is_needed(query: &NodesQuery, page: &NodesPage) -> bool {
    page.n_nodes > NODES_AT_ONCE || *query != NodesQuery::default()
}

/// The form, and the nodes by program and version.
pub(super) fn card(here: &NodesAddress, page: &NodesPage) -> AnyView {
    let rows = page.groups.iter().take(MOST_GROUPS).map(|one| group(here, one)).collect_view();
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
            {form(here)}
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

fn form(here: &NodesAddress) -> AnyView {
    let query = &here.query;
    let option = |one: NodeCondition| {
        let selected = query.condition == Some(one);
        view! { <option value=one.as_str() selected=selected>{one.as_str()}</option> }
    };
    let options = NodeCondition::ALL.map(option).collect_view();
    let kept = here.kept().into_iter();
    let kept = kept.map(|(name, text)| view! { <input type="hidden" name=name value=text /> });
    let kept = kept.collect_view();
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
            {kept}
            <button type="submit" class="button">"Show these"</button>
            <a class="button" href=at("/nodes")>"Show all"</a>
        </form>
    }
    .into_any()
}

fn group(here: &NodesAddress, group: &NodeGroup) -> AnyView {
    let address = |condition| {
        let (app, version) = (Some(group.app.clone()), Some(group.version.clone()));
        here.with(NodesQuery { app, version, condition, ..NodesQuery::default() }).href()
    };
    let cell = |condition: NodeCondition| {
        let n = group.counts[condition as usize];
        let link = (n > 0).then(|| {
            view! { <a href=address(Some(condition))>{format::count(n)}</a> }
        });
        view! { <td>{link}{(n == 0).then_some("0")}</td> }
    };
    let program = if group.app.is_empty() { "not said".to_owned() } else { group.app.clone() };
    view! {
        <tr>
            <th scope="row"><a href=address(None)>{program}</a></th>
            <td>{group.version.clone()}</td>
            {NodeCondition::ALL.map(cell).collect_view()}
        </tr>
    }
    .into_any()
}

/// Which nodes these are, and the way to the others; nothing where there is one page.
pub(super) fn pages(here: &NodesAddress, page: &NodesPage) -> Option<AnyView> {
    if page.n_pages < 2 {
        return (page.n_found == 0)
            .then(|| view! { <p class="empty">"No node is like that."</p> }.into_any());
    }
    let link = |to: usize, words: &'static str| {
        let to = here.with(NodesQuery { page: to, ..here.query.clone() });
        view! { <a class="button" href=to.href()>{words}</a> }
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
            counts: [1, 0, 0, 0, n_nodes as u64 - 1],
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
        let here = NodesAddress { query, caches: 1, compares: true };
        let html = html(|| pages(&here, &page).unwrap());
        let asked = "/nodes?name=pod%201&amp;caches=2&amp;compare=1";
        for said in ["51 to 100 of 1", &format!("{asked}\""), &format!("{asked}&amp;page=3")] {
            assert!(html.contains(said), "{said}: {html}");
        }
    }

    #[test]
    fn each_program_leads_to_its_nodes_by_how_they_are() {
        let html = html(|| card(&NodesAddress::default(), &page(1_000)));
        for said in ["state=lost&amp;app=shop-api&amp;version=2.0", ">999<", "Name contains"] {
            assert!(html.contains(said), "{said}: {html}");
        }
    }

    #[test]
    fn nodes_that_name_no_program_have_a_link_of_their_own_and_the_form_keeps_what_is_compared() {
        let page = NodesPage { groups: vec![NodeGroup::default()], ..page(1_000) };
        let here = NodesAddress { compares: true, caches: 2, ..NodesAddress::default() };
        let html = html(|| card(&here, &page));
        let alone = "/nodes?no_app=1&amp;no_version=1&amp;caches=3&amp;compare=1\"";
        for said in
            [alone, "not said", "name=\"compare\" value=\"1\"", "name=\"caches\" value=\"3\""]
        {
            assert!(html.contains(said), "{said}: {html}");
        }
    }
}
