use leptos::prelude::*;

use crate::addresses::at;
use crate::pages::in_navigation;
use crate::parts::CACHE_LINKS;
use crate::ui::Dialog;

/// What the page's script does at a press, by the name that it knows.
const ACTIONS: [(&str, &str); 2] =
    [("toggle", "Pause or resume the numbers"), ("theme", "Switch to the next theme")];

/// Every place and action by name: type a part of it, then Enter. The page's script chooses.
#[component]
pub(crate) fn Palette() -> impl IntoView {
    let pages = in_navigation()
        .map(|(page, _)| view! { <li><a href=at(page.path) class="choose">{page.title}</a></li> })
        .collect_view();
    let actions = ACTIONS.map(|(act, name)| {
        view! { <li><button type="button" class="choose" data-act=act>{name}</button></li> }
    });
    view! {
        <Dialog id="palette" title="Go to a page, or run an action">
            <div class="palette">
                <label for="palette-search">"Page, cache or action"</label>
                <input id="palette-search" type="search" autofocus=true autocomplete="off" />
                <ul>{pages}</ul>
                {CACHE_LINKS.draw()}
                <ul>{actions.collect_view()}</ul>
            </div>
        </Dialog>
    }
    .into_any()
}
