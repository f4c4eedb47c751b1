use leptos::prelude::*;

use crate::live::{Live, LiveState};

/// Whether numbers arrive, and the button that stops them.
#[component]
pub(super) fn LiveLine() -> impl IntoView {
    let live = expect_context::<Live>();
    let word = move || live.state.get().as_str();
    let paused = move || live.state.get() == LiveState::Paused;
    view! {
        <div class="live-line" translate="no">
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
