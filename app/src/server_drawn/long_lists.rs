use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::wasm_bindgen::closure::Closure;
use std::time::Duration;
use web_sys::{Element, Event};

use super::address::{here, is_here};
use super::morph;
use crate::api::{self, PageExtent};

/// Somebody who scrolls fast passes by what is not asked for.
const PATIENCE: Duration = Duration::from_millis(60);

/// Rows around those in sight that are drawn as well, so that short ways need not wait.
const MARGIN: u32 = 30;

/// Draws those rows of a long table that somebody scrolls to. A table says of itself how many
/// rows it has and which of them are drawn.
pub(super) fn follow() {
    let waiting = StoredValue::new(false);
    let scrolled = move |event: Event| {
        let table = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let Some(table) = table.filter(|table| table.has_attribute("data-rows-address")) else {
            return;
        };
        if !waiting.try_get_value().unwrap_or(true) {
            waiting.set_value(true);
            set_timeout(move || look(table, waiting), PATIENCE);
        }
    };
    let scrolled = Closure::<dyn FnMut(Event)>::new(scrolled).into_js_value();
    // Scrolling does not bubble; a listener that cannot be set leaves the links between parts.
    let _ = document().add_event_listener_with_callback_and_bool(
        "scroll",
        scrolled.unchecked_ref(),
        true,
    );
}

fn look(table: Element, waiting: StoredValue<bool>) {
    let Some(address) = missing(&table) else {
        let _ = waiting.try_set_value(false);
        return;
    };
    let from = here();
    leptos::task::spawn_local(async move {
        let answer = api::fetch_page(&address, PageExtent::Whole).await;
        let _ = waiting.try_set_value(false);
        // What came instead of the table meanwhile stays, and so does what is coming.
        let is_wanted = table.is_connected() && is_here(&from);
        if let (Ok(html), true, Some(main)) =
            (answer, is_wanted, document().get_element_by_id("main"))
        {
            let _ = morph::show(&main, &html);
            look(table, waiting);
        }
    });
}

/// Where rows are drawn that are in sight and not drawn yet.
fn missing(table: &Element) -> Option<String> {
    // Whole numbers: reading and writing others would make the program larger.
    let number = |name| table.get_attribute(name)?.parse::<u32>().ok();
    let (n_rows, from, until) = (number("data-rows")?, number("data-from")?, number("data-until")?);
    let row_px = f64::from(table.scroll_height().max(1)) / f64::from(n_rows.max(1));
    let row_of = |px: i32| (f64::from(px) / row_px) as u32;
    let first = row_of(table.scroll_top());
    let last = first + row_of(table.client_height()) + 1;
    let is_drawn = from <= first && last.min(n_rows) <= until;
    let wanted = first.saturating_sub(MARGIN);
    // Asking for the same part again would bring the same rows.
    (!is_drawn && wanted != from).then(|| {
        format!("{}{wanted}", table.get_attribute("data-rows-address").unwrap_or_default())
    })
}
