//! The browser's entry: takes over the page that the server drew.

use leptos::prelude::*;
use leptos::wasm_bindgen::{self, prelude::wasm_bindgen};

/// Called once by the page's script.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(strata_app::App);
    if let Some(root) = document().document_element() {
        // Tests wait for the attribute; a page that refuses it still works.
        let _ = root.set_attribute("data-hydrated", "true");
    }
}
