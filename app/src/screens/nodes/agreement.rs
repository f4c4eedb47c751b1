use std::time::{Duration, Instant};

use leptos::prelude::*;
use strata_console::ConsoleError;
use strata_report::Agreement;
use tokio::time::timeout;

use super::address::NodesAddress;
use super::matrix;
use crate::addresses::key_address;
use crate::format;
use crate::screens::page_frame::{partial_answers, titled_card};
use crate::screens::{PageRequest, words};

/// Caches that have not been compared after this time are not: a page is not waited for any longer.
const LONGEST: Duration = Duration::from_secs(8);

/// What was compared.
#[derive(Default)]
pub(super) struct Comparison {
    agreements: Vec<Agreement>,
    /// Caches that could not be compared, and why, as sentences.
    failures: Vec<(String, String)>,
    /// Caches for which the time did not suffice.
    n_left: usize,
}

/// Compares the copies of these caches.
pub(super) async fn compare(request: &PageRequest, caches: &[String]) -> Comparison {
    let began = Instant::now();
    let mut compared = Comparison::default();
    for (nth, cache) in caches.iter().enumerate() {
        let left = LONGEST.saturating_sub(began.elapsed());
        let comparing = request.console.agreement(&request.actor, cache);
        match timeout(left, comparing).await {
            Ok(Ok(agreement)) => compared.agreements.push(agreement),
            // A cache that is gone meanwhile has no copies to compare.
            Ok(Err(ConsoleError::UnknownCache(_))) => {}
            Ok(Err(error)) => compared.failures.push((cache.clone(), error.sentence())),
            Err(_) => {
                compared.n_left = caches.len() - nth;
                break;
            }
        }
    }
    compared
}

/// Whether copies of the same keys are the same.
pub(super) fn card(here: &NodesAddress, caches: &[String], compared: &Comparison) -> AnyView {
    if !here.compares {
        let body = invitation(here);
        return titled_card("agreement", "Do copies agree?", "compared on request", body);
    }
    let agreements = &compared.agreements;
    let at = agreements.iter().map(|agreement| agreement.at_ms).max();
    let at = at.map_or(String::new(), |at_ms| format!("at {} UTC; ", words::at(at_ms)));
    let note = format!("{at}up to 20 keys a cache, every 10 s");
    let (shown, page, n_pages) = here.shown(caches);
    let of_how_many = (shown.len() < caches.len()).then(|| {
        let (shown, all) = (shown.len(), format::plural(caches.len() as u64, "cache", "caches"));
        view! { <p class="small">{shown}" of "{all}" are compared at a time."</p> }
    });
    let left = (compared.n_left > 0).then(|| {
        let left = format::plural(compared.n_left as u64, "cache was", "caches were");
        view! { <p class="small">{left}" not compared: it would have taken too long."</p> }
    });
    let failed = compared.failures.iter().map(|(cache, why)| {
        view! { <p class="small">{cache.clone()}": "{why.clone()}</p> }
    });
    let failed = failed.collect_view();
    let body = view! {
        {table(agreements)}
        {failed}
        {left}
        {of_how_many}
        {matrix::pages(here, page, n_pages)}
        <p class="below"><a class="button" href=NodesAddress { compares: false, ..here.clone() }.href()>"Stop comparing"</a></p>
    };
    titled_card("agreement", "Do copies agree?", note, body)
}

fn invitation(here: &NodesAddress) -> AnyView {
    let href = NodesAddress { compares: true, ..here.clone() }.href();
    view! {
        <p class="empty">
            "Compares some keys of each cache: their values in L1 of the nodes, of 16 at a time where there are more, and in L2. The caches are not disturbed."
        </p>
        <p class="below"><a class="button" href=href>"Compare copies"</a></p>
    }
    .into_any()
}

fn table(agreements: &[Agreement]) -> AnyView {
    let row = |agreement: &Agreement| {
        let links = agreement.differing.iter().map(|key| {
            view! { <a class="mono" href=key_address(&agreement.cache, key)>{words::visible(key)}</a>" " }
        });
        let links = links.collect_view();
        let (said, tone) = match (agreement.compared, agreement.differing.len() as u64) {
            (0, _) if agreement.hidden > 0 => {
                ("nodes do not show their values".to_owned(), "badge")
            }
            (0, _) => ("nothing to compare".to_owned(), "badge"),
            (_, 0) => ("all agree".to_owned(), "badge good"),
            (_, n) => (format::plural(n, "key differs", "keys differ"), "badge bad"),
        };
        view! {
            <tr>
                <th scope="row">{agreement.cache.clone()}</th>
                <td>{format::count(agreement.compared)}{agreement.cut.then_some(", then time ran out")}{partial_answers(agreement.partial.as_ref())}</td>
                <td>{of_nodes(agreement)}</td>
                <td><span class=tone>{said}</span></td>
                <td class="differing">{links}</td>
            </tr>
        }
    };
    let rows = agreements.iter().map(row).collect_view();
    let differ = agreements.iter().any(|agreement| !agreement.differing.is_empty());
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Table of copies">
            <table class="rows">
                <caption class="unseen">"Keys whose copies were compared, by cache"</caption>
                <thead>
                    <tr>
                        <th scope="col">"cache"</th>
                        <th scope="col">"keys compared"</th>
                        <th scope="col">"on nodes"</th>
                        <th scope="col">"result"</th>
                        <th scope="col">"keys that differ"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {differ.then(|| view! { <p class="small">"A write that is still on the bus shows up here for a moment. A key that stays in this list is stale somewhere: open it and invalidate it."</p> })}
    }
    .into_any()
}

/// How many nodes were asked, and of how many.
fn of_nodes(agreement: &Agreement) -> String {
    let (nodes, all) = (format::count(agreement.nodes), format::count(agreement.of_nodes));
    if agreement.nodes < agreement.of_nodes { format!("{nodes} of {all}") } else { nodes }
}

#[cfg(test)]
mod tests {
    use strata_console::NodesQuery;

    use super::*;

    fn html(here: &NodesAddress, agreements: Vec<Agreement>) -> String {
        let caches: Vec<_> = (0..30).map(|n| format!("cache-{n:02}")).collect();
        let failures = vec![("cats".to_owned(), "Strata failed to reach Redis.".to_owned())];
        let compared = Comparison { agreements, failures, n_left: 2 };
        Owner::new().with(|| card(here, &caches, &compared).to_html())
    }

    fn comparing() -> NodesAddress {
        let query = NodesQuery { name: "pod".to_owned(), ..NodesQuery::default() };
        NodesAddress { query, caches: 1, compares: true }
    }

    #[test]
    fn nothing_is_compared_before_somebody_asks_and_what_was_asked_for_stays() {
        assert!(html(&NodesAddress::default(), Vec::new()).contains("/nodes?compare=1"));
        let html = html(&NodesAddress { compares: false, ..comparing() }, Vec::new());
        assert!(html.contains("/nodes?name=pod&amp;caches=2&amp;compare=1"), "{html}");
    }

    #[test]
    fn of_many_nodes_and_caches_it_says_how_many_were_compared() {
        let some = Agreement { nodes: 16, of_nodes: 1_000, ..Agreement::default() };
        let html = html(&comparing(), vec![some]).replace('\u{202f}', " ");
        let next = "/nodes?name=pod&amp;caches=3&amp;compare=1";
        let stop = "/nodes?name=pod&amp;caches=2\"";
        assert!(html.contains("cats") && html.contains("failed to reach Redis."), "{html}");
        for said in ["16 of 1 000", "30 caches<", "2 caches were", "not compared", next, stop] {
            assert!(html.contains(said), "{said}: {html}");
        }
    }

    #[test]
    fn a_key_whose_copies_differ_is_named_and_leads_to_itself() {
        let of = |cache: &str, compared, differing: &[&str]| Agreement {
            cache: cache.to_owned(),
            compared,
            differing: differing.iter().map(|key| (*key).to_owned()).collect(),
            ..Agreement::default()
        };
        let agreements = vec![of("users", 20, &["42"]), of("posts", 3, &[]), of("objects", 0, &[])];
        let html = html(&comparing(), agreements);
        for words in ["1 key differs", "/keys?cache=users", "all agree", "nothing to compare"] {
            assert!(html.contains(words), "{words}: {html}");
        }
    }
}
