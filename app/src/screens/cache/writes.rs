use leptos::prelude::*;
use strata_report::{WriteBehindKind, WriteBehindReport};

use super::view::CacheView;
use crate::addresses::dead_letters_address;
use crate::format;
use crate::screens::page_frame::titled_card;
use crate::screens::words;

/// What waits for the source, and what it refused; nothing where the cache has no write-behind.
pub(super) fn card(view: &CacheView<'_>) -> Option<AnyView> {
    let writes = view.details.write_behind.as_ref()?;
    let line = |(nth, (name, meaning, value)): (usize, (&'static str, &'static str, String))| {
        view! { <div title=meaning><dt tabindex=words::tab_stop(nth)>{name}</dt><dd>{value}</dd></div> }
    };
    let lines = lines(writes).into_iter().enumerate().map(line).collect_view();
    let note = match writes.kind {
        WriteBehindKind::Other => "where unwritten values are is not known to this version",
        WriteBehindKind::Durable => "unwritten values are in Redis, for all nodes",
        WriteBehindKind::Memory => "unwritten values are in the memory of the nodes, added up",
    };
    let letters = format::plural(writes.aside, "dead letter", "dead letters");
    Some(titled_card(
        "writes",
        "Write-behind",
        note,
        view! {
            <dl class="pairs">{lines}</dl>
            <p class="acts">
                <a class="button" class:heavy={writes.aside > 0} href=dead_letters_address(view.cache)
                    data-testid="dead-letters" data-value=writes.aside>{letters}</a>
            </p>
        },
    ))
}

fn lines(writes: &WriteBehindReport) -> Vec<(&'static str, &'static str, String)> {
    let used = writes.queued + writes.aside;
    vec![
        (
            "waiting",
            "Keys with an acknowledged value that is not in the database yet.",
            format::count(writes.queued),
        ),
        (
            "oldest waits for",
            "How long the oldest of them has waited.",
            words::span(writes.oldest_age_ms),
        ),
        (
            "room used",
            "Waiting keys and dead letters, against the limit.",
            format!("{} of {}", format::count(used), format::count(writes.capacity)),
        ),
        (
            "written",
            "Rows that the database took, since the nodes started.",
            format::count(writes.written),
        ),
        ("calls that failed", "Each is tried again.", format::count(writes.failed)),
        (
            "rejected writes",
            "There was no room, Redis was away, or a newer write was waiting. The writer was told.",
            format::count(writes.refused),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use strata_report::{CacheDetails, RangeHistory};

    use super::*;
    use crate::screens::chart::TimeAxis;

    fn drawn(write_behind: Option<WriteBehindReport>) -> Option<String> {
        let details = CacheDetails { write_behind, ..CacheDetails::default() };
        let past = RangeHistory::default();
        let time = TimeAxis::of(&past, 0);
        let view = CacheView { cache: "users", details: &details, past: &past, time };
        Owner::new().with(|| card(&view).map(|card| card.to_html()))
    }

    #[test]
    fn a_cache_without_a_write_behind_has_no_card() {
        assert_eq!(drawn(None), None);
    }

    #[test]
    fn what_waits_and_what_was_refused_are_told() {
        let writes = WriteBehindReport {
            queued: 1_200,
            aside: 1,
            capacity: 10_000,
            oldest_age_ms: Some(90_000),
            ..WriteBehindReport::default()
        };
        let html = drawn(Some(writes)).unwrap();
        for text in
            ["1\u{202f}200", "90\u{202f}s", "1\u{202f}201 of 10\u{202f}000", ">1 dead letter<"]
        {
            assert!(html.contains(text), "{text}: {html}");
        }
        assert!(html.contains("href=\"/caches/users?view=dead-letters\""), "{html}");
    }
}
