//! The browser's entry: takes over the page that the server drew.

#![cfg(target_arch = "wasm32")]

use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by the page's script, when the document is there.
#[wasm_bindgen]
pub fn take_over() {
    console_error_panic_hook::set_once();
    strata_app::take_over();
}
