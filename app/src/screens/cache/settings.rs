use leptos::prelude::*;
use strata_report::Settings;

use super::view::CacheView;
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
            "Counted from the fill. Then L1 drops the entry.",
            or(settings.l1_time_to_live_ms, "while there is room"),
        ),
        (
            "L1 time to idle",
            "Counted from the last read. Then L1 drops the entry.",
            or(settings.l1_time_to_idle_ms, "not used"),
        ),
        (
            "L2 time to live",
            "Counted from the load. Then Redis drops the entry.",
            or(settings.l2_time_to_live_ms, "no L2"),
        ),
        (
            "time to live of “not found”",
            "How long it is remembered that the database has no such row.",
            format::span(settings.negative_time_to_live_ms),
        ),
        (
            "jitter",
            "Deadlines are shortened by up to this share, so that entries do not all expire at once.",
            format::percent(Some(settings.jitter)),
        ),
        ("load timeout", "A load that takes longer fails.", format::span(settings.load_timeout_ms)),
        (
            "soft timeout",
            "A reader waits no longer than this if it can fall back on an older value.",
            or(settings.soft_timeout_ms, "not used"),
        ),
        (
            "grace",
            "How long an expired entry may be served while the database fails.",
            match settings.grace_ms {
                0 => "not used".to_owned(),
                ms => format::span(ms),
            },
        ),
        (
            "refresh ahead",
            "How early entries are reloaded before they expire; 0 is never.",
            match settings.refresh_ahead {
                r if r > 0.0 => format::short(r, 2),
                _ => "not used".to_owned(),
            },
        ),
    ]
}
