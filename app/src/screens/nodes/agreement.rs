use leptos::prelude::*;
use strata_report::{Agreement, NodesReport};

use super::page::cache_names;
use crate::addresses::{at, key_address};
use crate::format;
use crate::screens::page_frame::{partial_answers, titled_card};
use crate::screens::{PageRequest, words};

/// Compares the copies of each cache, where somebody asked for it.
pub(super) async fn compare(request: &PageRequest, report: &NodesReport) -> Option<Vec<Agreement>> {
    request.field("compare")?;
    let mut agreements = Vec::new();
    for cache in cache_names(report) {
        // A cache that is gone meanwhile has no copies to compare.
        agreements.extend(request.console.agreement(&request.actor, cache).await.ok());
    }
    Some(agreements)
}

/// Whether copies of the same keys are the same.
pub(super) fn card(agreements: Option<&[Agreement]>) -> AnyView {
    let (note, body) = match agreements {
        None => ("compared on request".to_owned(), invitation()),
        Some(agreements) => {
            let at = agreements.iter().map(|agreement| agreement.at_ms).max();
            let at = at.map_or(String::new(), |at_ms| format!("at {} UTC; ", words::at(at_ms)));
            (format!("{at}up to 20 keys a cache, every 10 s"), table(agreements))
        }
    };
    titled_card("agreement", "Do copies agree?", note, body)
}

fn invitation() -> AnyView {
    view! {
        <p class="empty">
            "Compares some keys of each cache: their values in L1 of every node and in L2. The caches are not disturbed."
        </p>
        <p class="below"><a class="button" href=at("/nodes?compare=1")>"Compare copies"</a></p>
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
                        <th scope="col">"result"</th>
                        <th scope="col">"keys that differ"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {differ.then(|| view! { <p class="small">"A write that is still on the bus shows up here for a moment. A key that stays in this list is stale somewhere: open it and invalidate it."</p> })}
        <p class="below"><a class="button" href=at("/nodes")>"Stop comparing"</a></p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(agreements: Option<&[Agreement]>) -> String {
        Owner::new().with(|| card(agreements).to_html())
    }

    #[test]
    fn nothing_is_compared_before_somebody_asks() {
        assert!(html(None).contains("/nodes?compare=1"));
    }

    #[test]
    fn a_key_whose_copies_differ_is_named_and_leads_to_itself() {
        let of = |cache: &str, compared, differing: &[&str]| Agreement {
            cache: cache.to_owned(),
            compared,
            differing: differing.iter().map(|key| (*key).to_owned()).collect(),
            ..Agreement::default()
        };
        let html =
            html(Some(&[of("users", 20, &["42"]), of("posts", 3, &[]), of("objects", 0, &[])]));
        for words in ["1 key differs", "/keys?cache=users", "all agree", "nothing to compare"] {
            assert!(html.contains(words), "{words}: {html}");
        }
    }
}
