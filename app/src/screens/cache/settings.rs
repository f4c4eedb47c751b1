use leptos::prelude::*;
use strata_report::Settings;

use super::page::CacheView;
use crate::format;
use crate::screens::page_frame::titled_card;
use crate::screens::words;

/// The settings in force.
pub(super) fn card(view: &CacheView<'_>) -> AnyView {
    let line = |(nth, (name, meaning, value)): (usize, (&'static str, &'static str, String))| {
        view! { <div title=meaning><dt tabindex=words::tab_stop(nth)>{name}</dt><dd>{value}</dd></div> }
    };
    let lines =
        lines(&view.details.frame.report.settings).into_iter().enumerate().map(line).collect_view();
    titled_card(
        "settings",
        "Settings in force",
        "of the first node".to_owned(),
        view! {
            <dl class="pairs">{lines}</dl>
        },
    )
}

fn lines(settings: &Settings) -> Vec<(&'static str, &'static str, String)> {
    let or = |ms: Option<u64>, none: &str| ms.map_or(none.to_owned(), format::span);
    vec![
        (
            "L1 time to live",
            "From the fill; then L1 forgets it.",
            or(settings.l1_time_to_live_ms, "while there is room"),
        ),
        (
            "L1 time to idle",
            "From the last read; then L1 forgets it.",
            or(settings.l1_time_to_idle_ms, "not used"),
        ),
        (
            "L2 time to live",
            "From the load; then Redis forgets it.",
            or(settings.l2_time_to_live_ms, "no L2"),
        ),
        (
            "“not found” lives",
            "How long it is remembered that the database has no such row.",
            format::span(settings.negative_time_to_live_ms),
        ),
        (
            "jitter",
            "Deadlines are shortened by up to this share, so that they do not come all at once.",
            format::percent(Some(settings.jitter)),
        ),
        ("load timeout", "A load that takes longer fails.", format::span(settings.load_timeout_ms)),
        (
            "soft timeout",
            "A reader that has an older value to fall back on waits no longer.",
            or(settings.soft_timeout_ms, "not used"),
        ),
        (
            "grace",
            "How long after its time an entry may stand in for a database that fails.",
            match settings.grace_ms {
                0 => "not used".to_owned(),
                ms => format::span(ms),
            },
        ),
        (
            "refresh ahead",
            "How early entries are loaded anew before they expire; 0 is never.",
            match settings.refresh_ahead {
                r if r > 0.0 => format::short(r, 2),
                _ => "not used".to_owned(),
            },
        ),
    ]
}
