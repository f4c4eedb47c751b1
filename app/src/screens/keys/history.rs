use leptos::prelude::*;
use strata_report::KeyLook;

use crate::format;
use crate::screens::activity::{node_name, what};
use crate::screens::page_frame::titled_card;
use crate::screens::words;

// More would be read by nobody.
const MAX_EVENTS: usize = 40;

/// What happened to the key of late, newest first.
pub(super) fn card(look: &KeyLook) -> AnyView {
    let line = |(nth, event): (usize, &strata_report::Event)| {
        view! {
            <li>
                {words::when(event.at_ms, nth)}
                <span class="node">{node_name(&event.node)}</span>
                <span>{what(event)}</span>
            </li>
        }
    };
    let lines = look.events.iter().rev().take(MAX_EVENTS).enumerate().map(line).collect_view();
    let more = look.events.len().saturating_sub(MAX_EVENTS) as u64;
    let more = (more > 0).then(|| {
        let more = format::plural(more, "older event", "older events");
        view! { <p class="small">{more}" in the JSON of this page."</p> }
    });
    let note = look.events_since_ms.map_or("nothing is remembered".to_owned(), |since| {
        format!("everything since {} UTC, except hits", words::at(since))
    });
    titled_card(
        "key-history",
        "What happened to it",
        note,
        view! {
            {look.events.is_empty().then(|| view! { <p class="empty">"No events are remembered."</p> })}
            <ol class="events">{lines}</ol>
            {more}
        },
    )
}
