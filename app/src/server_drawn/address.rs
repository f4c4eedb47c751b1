//! Where the page stands, as the browser knows it.

use leptos::prelude::{document, window};
use leptos::wasm_bindgen::{JsCast, JsValue};
use web_sys::Element;

use crate::addresses::{below_base, leads_to};

/// The path and the query.
pub(super) fn here() -> String {
    let here = window().location();
    let part = |part: Result<String, _>| part.unwrap_or_default();
    part(here.pathname()) + &part(here.search())
}

// Another entry of the same page in the history would only have to be left again.
pub(super) fn is_here(address: &str) -> bool {
    here() == address
}

/// Goes on to another address, without loading anything.
pub(super) fn push(address: &str) -> Result<(), JsValue> {
    window().history()?.push_state_with_url(&JsValue::NULL, "", Some(address))
}

/// Marks the page in the navigation.
pub(super) fn mark_links() {
    let Ok(links) = document().query_selector_all(".top-bar nav a") else { return };
    let path = window().location().pathname().unwrap_or_default();
    let path = below_base(&path);
    let links = (0..links.length()).filter_map(|i| links.item(i)?.dyn_into::<Element>().ok());
    for link in links {
        // An ornament where it cannot be set.
        let _ = if link.get_attribute("href").is_some_and(|page| leads_to(below_base(&page), path))
        {
            link.set_attribute("aria-current", "page")
        } else {
            link.remove_attribute("aria-current")
        };
    }
}
