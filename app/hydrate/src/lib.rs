//! The browser's entry: takes over the page that the server drew.

use leptos::prelude::*;
use leptos::wasm_bindgen::{self, JsCast, prelude::*};

/// Called once by the page's script. Until this is done, the page's own script keeps half of a page
/// from answering.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    wasm_bindgen_futures::spawn_local(async {
        let page = document().get_element_by_id("app").and_then(|page| page.dyn_into().ok());
        let Some(page) = page else { return };
        strata_app::yield_to_browser().await;
        leptos::mount::hydrate_from_async(page, strata_app::App).await.forget();
        if let Some(root) = document().document_element() {
            // Tests and the page's own script wait for the attribute.
            let _ = root.set_attribute("data-hydrated", "true");
        }
    });
}
