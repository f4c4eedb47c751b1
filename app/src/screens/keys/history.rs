use leptos::prelude::*;
use strata_report::KeyLook;

use crate::format;
use crate::screens::activity::what;
use crate::screens::sheet::titled;

/// What happened to the key of late, newest first.
pub(super) fn card(look: &KeyLook) -> AnyView {
    let line = |event: &strata_report::Event| {
        view! {
            <li>
                <time>{format::clock(event.at_ms)}</time>
                <span class="node">{event.node.clone()}</span>
                <span>{what(event)}</span>
            </li>
        }
    };
    let lines = look.events.iter().rev().map(line).collect_view();
    let note = look.events_since_ms.map_or("nothing is remembered".to_owned(), |since| {
        format!("all that happened since {} UTC; hits are not written down", format::clock(since))
    });
    titled(
        "key-history",
        "What happened to it",
        note,
        view! {
            {look.events.is_empty().then(|| view! { <p class="empty">"Nothing, as far as is remembered."</p> })}
            <ol class="events">{lines}</ol>
        },
    )
}
