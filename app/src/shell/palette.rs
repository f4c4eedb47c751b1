use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::addresses::{at, cache_address};
use crate::live::Live;
use crate::pages::in_navigation;
use crate::ui::Dialog;
use crate::visitor::theme::{self, Theme};

/// Every place and action by name: type a part of it, then Enter.
#[component]
pub(crate) fn Palette(
    /// The colours.
    theme: RwSignal<Theme>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let typed = RwSignal::new(String::new());
    let place = move |name: String, href: String| {
        let shown = matches(typed, name.clone());
        view! {
            <li hidden=move || !shown.get()>
                <a href=href class="choose" on:click=|_| close()>{name}</a>
            </li>
        }
    };
    let pages = in_navigation().map(|(page, _)| place(page.title.to_owned(), at(page.path)));
    let pages = pages.collect_view();
    let caches = move || {
        let names = live.caches.get().into_iter();
        names.map(|name| place(format!("Cache {name}"), cache_address(&name))).collect_view()
    };
    let action = move |name: &'static str, act: fn(Live, RwSignal<Theme>)| {
        let shown = matches(typed, name.to_owned());
        let run = move |_| {
            close();
            act(live, theme);
        };
        view! {
            <li hidden=move || !shown.get()>
                <button type="button" class="choose" on:click=run>{name}</button>
            </li>
        }
    };
    let actions = [
        action("Pause or resume the numbers", |live, _| live.toggle()),
        action("Switch to the next theme", |_, theme| theme::turn(theme)),
    ];
    let actions = actions.into_iter().collect_view();
    view! {
        <Dialog id="palette" title="Go to a page, or run an action">
            <div class="palette" on:keydown=move |event| walk(&event)>
                <label for="palette-search">"Page, cache or action"</label>
                <input
                    id="palette-search"
                    type="search"
                    autofocus=true
                    autocomplete="off"
                    on:input=move |event| typed.set(event_target_value(&event).to_lowercase())
                />
                <ul>{pages} {caches} {actions}</ul>
            </div>
        </Dialog>
    }
    .into_any()
}

fn matches(typed: RwSignal<String>, name: String) -> Signal<bool> {
    let name = name.to_lowercase();
    Signal::derive(move || {
        typed.with(|typed| typed.split_whitespace().all(|word| name.contains(word)))
    })
}

fn close() {
    let dialog = document().get_element_by_id("palette");
    if let Some(dialog) = dialog.and_then(|dialog| dialog.dyn_into::<HtmlElement>().ok()) {
        // It is closed already where somebody was quicker.
        let _ = dialog.hide_popover();
    }
}

// Arrows walk over what is left; Enter in the field takes the first.
fn walk(event: &KeyboardEvent) {
    let key = event.key();
    let step = match key.as_str() {
        "ArrowDown" => 1,
        "ArrowUp" => -1,
        "Enter" => 0,
        _ => return,
    };
    let left = choices();
    let focused = document().active_element();
    let at = left.iter().position(|choice| Some(choice.as_ref()) == focused.as_ref());
    let to = match (step, at) {
        // A link or button that has the focus takes Enter by itself.
        (0, Some(_)) => return,
        (0, None) => {
            event.prevent_default();
            if let Some(first) = left.first() {
                first.click();
            }
            return;
        }
        (step, at) => at.map_or(0, |at| at as i32 + step),
    };
    event.prevent_default();
    if let Some(choice) = usize::try_from(to).ok().and_then(|to| left.get(to)) {
        // What is shown can be focused.
        let _ = choice.focus();
    }
}

fn choices() -> Vec<HtmlElement> {
    let found = document().get_elements_by_class_name("choose");
    let all = (0..found.length()).filter_map(|i| found.item(i)?.dyn_into::<HtmlElement>().ok());
    // What does not match is not displayed, and so lies in no other element.
    all.filter(|choice| choice.offset_parent().is_some()).collect()
}
