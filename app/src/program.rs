//! The page's program in the browser: takes over what the server drew.

use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement};

use crate::first_paint::FirstPaint;
use crate::parts::PartOwner;
use crate::server_drawn::PageUpdates;

/// Takes over the page: its live parts, its links and its forms. Until that is done all of it works
/// as the server drew it; then `data-hydrated` stands on the document's element.
pub fn take_over() {
    let root = document().create_element("div").ok();
    let Some(root) = root.and_then(|root| root.dyn_into::<HtmlElement>().ok()) else { return };
    // It shows nothing. What it mounts owns all that follows, and nothing waits before it does: the
    // first mount brings what runs tasks.
    mount_to(root, begin).forget();
}

fn begin() {
    let first = FirstPaint::of_document();
    let (is_read, is_known) = (first.snapshot.is_some(), first.session.is_some());
    let live = first.provide();
    live.follow();
    let owner = Owner::current().unwrap_or_default();
    let parts = PartOwner::new(owner.clone());
    let parts = if is_read { parts } else { parts.without_numbers() };
    let parts = if is_known { parts } else { parts.without_visitor() };
    leptos::task::spawn_local(async move {
        parts.take_over().await;
        owner.with(|| {
            FirstPaint::forget();
            PageUpdates::follow(parts);
        });
        if let Some(root) = document().document_element() {
            // Tests and the page's own script wait for the attribute.
            let _ = root.set_attribute("data-hydrated", "true");
        }
        if let (false, Ok(event)) = (is_read, Event::new("strata-misread")) {
            // Where it is not heard, the numbers only stand still without a word.
            let _ = window().dispatch_event(&event);
        }
    });
}
