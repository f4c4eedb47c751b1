//! The browser's entry: takes over the page that the server drew.

use leptos::ev::Event;
use leptos::prelude::*;
use leptos::wasm_bindgen::{self, JsCast, prelude::*};

/// What a page that is not alive yet leaves to the browser.
const DEEDS: [&str; 4] = ["click", "keydown", "submit", LEFT];
/// Somebody went back or forward, and the page stands under another page's address.
const LEFT: &str = "popstate";

/// Called once by the page's script.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    wasm_bindgen_futures::spawn_local(async {
        let Some(body) = document().body() else { return };
        let plain = StayPlain::new();
        strata_app::breath().await;
        leptos::mount::hydrate_from_async(body, strata_app::App).await.forget();
        drop(plain);
        if let Some(root) = document().document_element() {
            // Tests wait for the attribute; a page that refuses it still works.
            let _ = root.set_attribute("data-hydrated", "true");
        }
    });
}

/// Keeps half of a page from answering: links, forms and keys work as without JavaScript until
/// this is dropped.
struct StayPlain(Closure<dyn Fn(Event)>);

impl StayPlain {
    fn new() -> Self {
        let stay = Closure::new(|event: Event| {
            event.stop_immediate_propagation();
            if event.type_() == LEFT {
                // Where it cannot be loaded, it is not the page that could help.
                let _ = window().location().reload();
            }
        });
        let listener = stay.as_ref().unchecked_ref();
        for deed in DEEDS {
            // A browser that cannot listen has no listener to keep from answering.
            let _ = window().add_event_listener_with_callback_and_bool(deed, listener, true);
        }
        Self(stay)
    }
}

impl Drop for StayPlain {
    fn drop(&mut self) {
        let listener = self.0.as_ref().unchecked_ref();
        for deed in DEEDS {
            let _ = window().remove_event_listener_with_callback_and_bool(deed, listener, true);
        }
    }
}
