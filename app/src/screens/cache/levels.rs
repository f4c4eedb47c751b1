use leptos::prelude::*;
use strata_report::{CacheReport, Cause};

use super::view::CacheView;
use crate::format::{self, DASH};
use crate::screens::page_frame::titled_card;
use crate::screens::words;

// One line of the comparison: what, its meaning, in L1, in L2.
type LevelLine = (&'static str, &'static str, String, String);

/// L1 and L2 side by side.
pub(super) fn card(view: &CacheView<'_>) -> AnyView {
    let n = view.details.nodes.len() as u64;
    let note = format!(
        "since the start, entries and weight now; L1: {} added up; L2: shared by all",
        format::plural(n, "node", "nodes")
    );
    let row = |(nth, (name, meaning, l1, l2)): (usize, LevelLine)| {
        view! {
            <tr title=meaning>
                <th scope="row" tabindex=words::tab_stop(nth)>{name}</th>
                <td>{l1}</td>
                <td>{l2}</td>
            </tr>
        }
    };
    let rows = lines(view).into_iter().enumerate().map(row).collect_view();
    titled_card(
        "levels",
        "L1 and L2, side by side",
        note,
        view! {
            <table class="rows">
                <caption class="unseen">"What each level holds now and did since the start"</caption>
                <thead>
                    <tr>
                        <td></td>
                        <th scope="col" class="swatch l1">"L1"</th>
                        <th scope="col" class="swatch l2">"L2"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        },
    )
}

fn lines(view: &CacheView<'_>) -> Vec<LevelLine> {
    let frame = &view.details.frame;
    let report = &frame.report;
    let l2 = |text: String| if has_l2(report) { text } else { DASH.to_owned() };
    let gets = |hit: u64, miss: u64| {
        format!(
            "{} of {}",
            format::percent(words::share(hit, hit + miss)),
            format::count(hit + miss)
        )
    };
    vec![
        (
            "entries",
            "L1: moka's estimate. L2: as last counted.",
            entries(report),
            words::count(frame.l2_entries),
        ),
        (
            "weight",
            "L1: moka's estimate, where entries are weighed. L2: from a sample.",
            weight(report),
            words::about_bytes(frame.l2_weight_bytes),
        ),
        (
            "hit ratio, of gets",
            "A read may ask both levels, so gets of L1 and L2 do not add up to reads.",
            gets(report.l1.gets.hit, report.l1.gets.miss),
            l2(gets(report.l2_gets.hit, report.l2_gets.miss)),
        ),
        (
            "insertions",
            "Entries that were put in.",
            format::count(report.l1.puts),
            l2(format::count(report.l2_puts)),
        ),
        (
            "rejected: an invalidation came first",
            "Loaded values that an invalidation had overtaken, so they were not kept. Not an error.",
            format::count(report.l1.fenced),
            l2(format::count(report.l2_refused)),
        ),
        (
            "not admitted",
            "L1 was full and kept what is read more often. moka's answer, estimated from the age at removal.",
            format::count(report.l1.evictions.get(Cause::Refused)),
            DASH.to_owned(),
        ),
        (
            "could not be decoded, or too large",
            "L2: values that could not be read back, and entries too large to be kept.",
            DASH.to_owned(),
            l2(format::count(report.l2_unreadable + report.l2_unfit)),
        ),
        (
            "invalidated tags known",
            "Tags whose last invalidation is known by name, now. L1: on all nodes. L2: in Redis.",
            format::count(report.tags.known),
            l2(format::count(report.tags.l2_known)),
        ),
        (
            "invalidated tags forgotten",
            "There were more tags than are kept. Tagged entries from before are loaded anew once.",
            format::count(report.tags.forgotten),
            l2(format::count(report.tags.l2_forgotten)),
        ),
        (
            "removed by invalidations",
            "By key, by pattern, by tag or all.",
            format::count(report.invalidations.l1_removed),
            l2(format::count(report.invalidations.l2_removed)),
        ),
    ]
}

fn has_l2(report: &CacheReport) -> bool {
    report.settings.l2_time_to_live_ms.is_some()
}

fn entries(report: &CacheReport) -> String {
    let now = format::estimate(report.l1.entries);
    report.l1.entries_max.map_or(now.clone(), |max| format!("{now} of {}", format::count(max)))
}

fn weight(report: &CacheReport) -> String {
    let now = words::about_bytes(report.l1.weight_bytes);
    report.l1.weight_max_bytes.map_or(now.clone(), |max| format!("{now} of {}", format::bytes(max)))
}
