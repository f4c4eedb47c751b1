use leptos::ev::MouseEvent;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::{Element, HtmlAnchorElement};

use super::PageUpdates;
use crate::addresses::is_below_base;

/// Links that do not ask for more than another page.
const OURS: &str = "a[href]:not([target], [download], [rel~=external])";

/// Lets links lead from page to page without loading anew: the theme, a pause and the stream go on.
pub(super) fn follow(updates: PageUpdates) {
    let _ = window_event_listener(leptos::ev::click, move |event| {
        if let Some(address) = address_of(&event) {
            event.prevent_default();
            updates.go(&address);
        }
    });
    let _ = window_event_listener(leptos::ev::popstate, move |_| updates.stand_here());
}

/// Where a click leads, if that is a page of ours and it opens in this window.
fn address_of(event: &MouseEvent) -> Option<String> {
    let has_modifier = event.meta_key() || event.ctrl_key() || event.shift_key() || event.alt_key();
    if event.default_prevented() || event.button() != 0 || has_modifier {
        return None;
    }
    let pressed = event.target()?.dyn_into::<Element>().ok()?;
    let link = pressed.closest(OURS).ok()??.dyn_into::<HtmlAnchorElement>().ok()?;
    let here = window().location();
    let is_here = here.origin().is_ok_and(|origin| origin == link.origin());
    // Around the dashboard there may be another program.
    let is_ours = is_here && is_below_base(&link.pathname());
    // A place in this page is the browser's to find.
    let is_place = !link.hash().is_empty();
    (is_ours && !is_place).then(|| link.pathname() + &link.search())
}
