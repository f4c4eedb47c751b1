use leptos::prelude::*;

use crate::hints;
use crate::pages::{ListedPage, in_navigation};
use crate::ui::Dialog;

const KEYS: [(&str, &str); 5] = [
    ("/", "go to the search"),
    ("Ctrl K", "open the palette: pages, caches, actions"),
    ("p", "pause or resume the numbers"),
    ("t", "switch to the next theme"),
    ("?", "open this help"),
];

/// The keys that work everywhere, and every number's meaning. The page's script hears the keys.
#[component]
pub(crate) fn Help() -> impl IntoView {
    let key = |(key, what)| view! { <dt><kbd>{key}</kbd></dt><dd>{what}</dd> };
    let keys = KEYS.into_iter().map(key).collect_view();
    let page = |(page, letter): (&ListedPage, &'static str)| {
        view! { <dt><kbd>"g"</kbd>" "<kbd>{letter}</kbd></dt><dd>"go to "{page.title}</dd> }
    };
    let pages = in_navigation().map(page).collect_view();
    view! {
        <Dialog id="help" title="Help">
            <h3>"Keys"</h3>
            <dl class="keys">{keys} {pages}</dl>
            <p>
                <button type="button" class="button" id="single-keys">
                    "Single-key shortcuts: on"
                </button>
            </p>
            <h3>"What the numbers mean"</h3>
            <dl class="meanings">{meanings()}</dl>
        </Dialog>
    }
}

fn meanings() -> impl IntoView {
    let meaning = |hint: &hints::Hint| view! { <dt>{hint.name}</dt><dd>{hint.text}</dd> };
    hints::ALL.iter().map(meaning).collect_view()
}
