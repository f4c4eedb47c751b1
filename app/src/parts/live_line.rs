use leptos::prelude::*;
use strata_report::FleetSums;

use crate::addresses::at;
use crate::format;
use crate::live::{Live, LiveState};

/// Whether numbers arrive, and the button that stops them.
#[component]
pub(super) fn LiveLine() -> impl IntoView {
    let live = expect_context::<Live>();
    let word = move || live.state.get().as_str();
    let paused = move || live.state.get() == LiveState::Paused;
    view! {
        <div class="live-line" translate="no">
            {move || live.frame.with(|frame| frame.fleet.as_ref().map(of_nodes))}
            <span
                class="live-state"
                role="status"
                data-testid="live-state"
                data-state=word
                title=move || live.state.get().meaning()
            >
                {word}
            </span>
            <button
                type="button"
                class="button"
                on:click=move |_| live.toggle()
            >
                {move || if paused() { "Resume" } else { "Pause" }}
            </button>
        </div>
    }
}

/// What all numbers of the page are of, where the nodes are elsewhere.
fn of_nodes(fleet: &FleetSums) -> impl IntoView + use<> {
    let text = match fleet.unheard_ms {
        Some(ms) => format!("Redis is out of reach: numbers of {} ago", format::span(ms)),
        None => fleet.of_how_many(),
    };
    let is_whole = fleet.unheard_ms.is_none() && fleet.counted == fleet.of && !fleet.is_unread;
    let class = if is_whole { "of-nodes" } else { "of-nodes partial" };
    view! { <a class=class href=at("/nodes") data-testid="of-nodes">{text}</a> }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    fn html(fleet: &FleetSums) -> String {
        Owner::new().with(|| of_nodes(fleet).to_html())
    }

    #[test]
    fn sums_say_how_many_nodes_they_are_of() {
        let whole = FleetSums { counted: 3, of: 3, ..FleetSums::default() };
        assert!(html(&whole).contains(">of 3 of 3 nodes<"));
        let unread = FleetSums { is_unread: true, ..whole.clone() };
        let unread = html(&unread);
        assert!(unread.contains("partial") && unread.contains("not read yet"), "{unread}");
        let partial = FleetSums { counted: 2, ..whole };
        assert!(html(&partial).contains("partial") && html(&partial).contains("of 2 of 3 nodes"));
    }

    #[test]
    fn numbers_from_before_redis_went_out_of_reach_say_their_age() {
        let unheard =
            FleetSums { counted: 3, of: 3, unheard_ms: Some(12_000), ..FleetSums::default() };
        let html = html(&unheard);
        assert!(html.contains("numbers of 12\u{202f}s ago") && html.contains("partial"), "{html}");
    }
}
