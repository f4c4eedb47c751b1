use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use web_sys::{Element, HtmlElement};

use crate::hints;
use crate::live::Live;
use crate::pages::{ListedPage, in_navigation};
use crate::ui::Dialog;
use crate::visitor::theme::{self, Theme};

const KEYS: [(&str, &str); 5] = [
    ("/", "go to the search"),
    ("Ctrl K", "open the palette: pages, caches, actions"),
    ("p", "pause or resume the numbers"),
    ("t", "switch to the next theme"),
    ("?", "open this help"),
];

/// The keys that work everywhere, and the help that lists them and every number's meaning.
#[component]
pub(crate) fn Shortcuts(
    /// The colours.
    theme: RwSignal<Theme>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let on = RwSignal::new(true);
    let leads = StoredValue::new(false);
    Effect::new(move |_| {
        let navigate = use_navigate();
        let handle = window_event_listener(leptos::ev::keydown, move |event| {
            if opens_palette(&event) {
                event.prevent_default();
                return with_element("open-palette", HtmlElement::click);
            }
            if !on.get_untracked() || is_typing(&event) {
                return;
            }
            let led = leads.get_value();
            leads.set_value(!led && event.key() == "g");
            match in_navigation().find(|(_, letter)| led && *letter == event.key()) {
                Some((page, _)) => navigate(page.path, NavigateOptions::default()),
                None => press(&event, live, theme),
            }
        });
        on_cleanup(move || handle.remove());
    });
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
                <button
                    type="button"
                    class="button"
                    on:click=move |_| on.update(|on| *on = !*on)
                >
                    "Single-key shortcuts: "{move || if on.get() { "on" } else { "off" }}
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

fn is_typing(event: &KeyboardEvent) -> bool {
    let has_modifier = event.ctrl_key() || event.alt_key() || event.meta_key();
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    has_modifier || target.is_some_and(|el| el.matches("input, select, textarea").unwrap_or(false))
}

fn press(event: &KeyboardEvent, live: Live, theme: RwSignal<Theme>) {
    match event.key().as_str() {
        "p" => live.toggle(),
        "t" => theme::turn(theme),
        "?" => with_element("open-help", HtmlElement::click),
        "/" => {
            // Otherwise the slash would end up in the field, or in the browser's own search.
            event.prevent_default();
            if document().get_element_by_id("search").is_some() {
                focus("search");
            } else {
                focus("key");
            }
        }
        _ => {}
    }
}

fn opens_palette(event: &KeyboardEvent) -> bool {
    (event.ctrl_key() || event.meta_key()) && event.key() == "k"
}

fn focus(id: &str) {
    with_element(id, |field| {
        // A field that takes no focus is hidden.
        let _ = field.focus();
    });
}

fn with_element(id: &str, act: impl FnOnce(&HtmlElement)) {
    let element = document().get_element_by_id(id).and_then(|el| el.dyn_into::<HtmlElement>().ok());
    if let Some(element) = element {
        act(&element);
    }
}
