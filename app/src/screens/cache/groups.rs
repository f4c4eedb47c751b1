use std::cmp::Reverse;

use leptos::prelude::*;
use strata_report::{Cause, GroupReport};

use super::view::CacheView;
use crate::format;
use crate::screens::page_frame::titled_card;
use crate::screens::words;

const PARTS: [&str; 3] = ["l1", "l2", "source"];

/// Where the reads of each key group ended, worst first.
pub(super) fn card(view: &CacheView<'_>) -> AnyView {
    let groups = &view.details.frame.report.groups;
    let mut sorted: Vec<&GroupReport> = groups.groups.iter().collect();
    sorted.sort_by_key(|group| Reverse(below(group)));
    let rows = sorted.into_iter().map(row).collect_view();
    let overflow = (groups.overflow > 0).then(|| {
        let times = format::plural(groups.overflow, "key", "keys");
        view! { <p class="small">{times}" went to “other”, because there is no room for more groups."</p> }
    });
    let is_empty = groups.groups.is_empty();
    titled_card(
        "groups",
        "Key groups",
        "sorted by reads that neither level answered; since the start, L1 entries and weight now"
            .to_owned(),
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Table of key groups">
                <table class="rows">
                    <caption class="unseen">"Reads, entries and loads of each key group"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"group"</th>
                            <th scope="col">"reads"</th>
                            <th scope="col" class="barred">"answered by L1 · L2 · database"</th>
                            <th scope="col" tabindex="0" title="Reads that neither L1 nor L2 answered.">"database"</th>
                            <th scope="col">"L1 entries"</th>
                            <th scope="col">"L1 weight"</th>
                            <th scope="col" tabindex="-1" title="Removed because L1 was full, those that were not admitted included.">"evicted (size)"</th>
                            <th scope="col">"load p95"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {is_empty.then(|| view! { <p class="empty">"No key was read yet."</p> })}
            {overflow}
        },
    )
}

// Reads that neither level answered: what a bad group costs, however good its ratio is.
fn below(group: &GroupReport) -> u64 {
    group.outcomes.reads() - group.outcomes.l1_hit - group.outcomes.l2_hit
}

fn row(group: &GroupReport) -> impl IntoView + use<> {
    let reads = group.outcomes.reads();
    let parts = [group.outcomes.l1_hit, group.outcomes.l2_hit, below(group)];
    let mut left = 0;
    let bars = PARTS.into_iter().zip(parts).map(|(class, n)| {
        let width = (words::share(n, reads).unwrap_or(0.0) * 1000.0).round() as i64;
        let x = left;
        left += width;
        view! { <rect class=class x=x width=width height="10" /> }
    });
    let bars = bars.collect_view();
    let percents = parts.map(|n| format::percent(words::share(n, reads))).join(" · ");
    let size = group.evictions.get(Cause::Size) + group.evictions.get(Cause::Refused);
    view! {
        <tr>
            <th scope="row" class="mono">{words::visible(&group.group)}</th>
            <td>{format::count(reads)}</td>
            <td class="barred">
                <svg class="bar" aria-hidden="true" viewBox="0 0 1000 10" preserveAspectRatio="none">
                    {bars}
                </svg>
                <span class="small">{percents}</span>
            </td>
            <td>{format::count(below(group))}</td>
            <td>{format::estimate(group.l1_entries)}</td>
            <td>{words::about_bytes(group.l1_weight_bytes)}</td>
            <td>{format::count(size)}</td>
            <td>{format::duration(group.loads.quantile_ns(0.95))}</td>
        </tr>
    }
}
