use leptos::prelude::*;

use crate::addresses::cache_address;
use crate::live::Live;

/// A link to each cache. The palette's script hides those that somebody does not look for.
#[component]
pub(super) fn CacheLinks() -> impl IntoView {
    let live = expect_context::<Live>();
    view! {
        <ul>
            <For each=move || live.caches.get() key=String::clone let:name>
                <li>
                    <a href=cache_address(&name) class="choose">"Cache "{name.clone()}</a>
                </li>
            </For>
        </ul>
    }
    .into_any()
}
