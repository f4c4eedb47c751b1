use leptos::prelude::*;
use strata_report::{Cause, LogHistogram};

use super::view::CacheView;
use crate::format::{self, DASH};
use crate::screens::chart::{Stack, columns, stacked};
use crate::screens::page_frame::{in_words, titled_card};
use crate::screens::words;

const EVICTIONS: Stack = Stack {
    title: "Entries removed from L1 per second by cause",
    whole: "removals",
    bands: words::CAUSES,
    meanings: |i| words::cause_meaning(Cause::ALL[i]),
};

/// Why entries were removed from L1, over time.
pub(super) fn card(view: &CacheView<'_>) -> AnyView {
    let (past, n) = (view.past, words::CAUSES.len());
    let columns =
        columns(&past.steps, past.range, n, |step, i| step.evictions().get(Cause::ALL[i]));
    let note = format!("per second, the last {}; all nodes", in_words(past.range));
    titled_card(
        "evictions",
        "Why entries were removed from L1",
        note,
        view! {
            {stacked(EVICTIONS, view.time, &columns)}
        },
    )
}

/// How old they were.
pub(super) fn ages(view: &CacheView<'_>) -> AnyView {
    let ages = &view.details.frame.report.l1.ages_ms;
    let row = |(i, cause): (usize, Cause)| {
        let ages = ages.get(cause);
        let class = format!("swatch {}", words::CAUSES[i].class);
        view! {
            <tr title=words::cause_meaning(cause)>
                <th scope="row" class=class tabindex=words::tab_stop(i + 1)>{words::CAUSES[i].name}</th>
                <td>{format::count(ages.count())}</td>
                <td>{age(ages, 0.1)}</td>
                <td>{age(ages, 0.5)}</td>
                <td>{age(ages, 0.9)}</td>
            </tr>
        }
    };
    let rows = Cause::ALL.into_iter().enumerate().map(row).collect_view();
    let note = "since the start; rough";
    titled_card(
        "ages",
        "Age of removed entries",
        note,
        view! {
            <table class="rows">
                <caption class="unseen">"Age of entries as they were removed from L1, by cause"</caption>
                <thead>
                    <tr>
                        <td></td>
                        <th scope="col">"removed"</th>
                        <th scope="col" tabindex="0" title="One in ten was younger.">"p10"</th>
                        <th scope="col" tabindex="-1" title="Half were younger.">"half"</th>
                        <th scope="col" tabindex="-1" title="Nine in ten were younger.">"p90"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
            <p class="small">
                "If entries are evicted long before they would expire, L1 is too small for what is read. Entries that were not admitted were never kept, so they are counted apart. Ages are rough: they may be off by a factor of two."
            </p>
        },
    )
}

fn age(ages: &LogHistogram, q: f64) -> String {
    ages.quantile(q).map_or(DASH.to_owned(), format::span)
}
