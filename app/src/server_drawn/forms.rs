use leptos::ev::{MouseEvent, SubmitEvent};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use serde::de::IgnoredAny;
use strata_report::Job;
use web_sys::{Element, HtmlElement, HtmlFormElement, UrlSearchParams};

use super::PageUpdates;
use super::address::{here, is_here};
use crate::addresses::job_address;
use crate::api::{self, ApiError, ServerAnswer};
use crate::ui::form_fields;

/// Lets plain forms work without leaving the page. Without JavaScript the browser sends them by
/// itself, and the answer is the same page.
pub(super) fn follow(updates: PageUpdates) {
    let _ = window_event_listener(leptos::ev::submit, move |event| {
        // A form of a live part has dealt with it already.
        if !event.default_prevented() {
            take(&event, updates);
        }
    });
    let _ = window_event_listener(leptos::ev::click, |event| copy_to_clipboard(&event));
}

fn take(event: &SubmitEvent, updates: PageUpdates) {
    let form = event.target().and_then(|form| form.dyn_into::<HtmlFormElement>().ok());
    let Some(form) = form else { return };
    let (Some(action), Some(fields)) = (form.get_attribute("action"), form_fields(event)) else {
        return;
    };
    // A file is sent by the browser itself, and the answer is a page.
    if form.enctype() == "multipart/form-data" {
        return;
    }
    event.prevent_default();
    if form.method() == "get" {
        return updates.go(&format!("{action}?{}", filled(&fields)));
    }
    tell(&form, "");
    let pressed = event.submitter();
    set_busy(pressed.as_ref(), "true");
    let from = here();
    leptos::task::spawn_local(async move {
        let answer = address_in(api::post(&action, &fields).await);
        set_busy(pressed.as_ref(), "false");
        match answer {
            // A visitor who has gone elsewhere meanwhile is not called back.
            Ok(_) if !is_here(&from) => {}
            Ok(Some(address)) => updates.go(&address),
            Ok(None) => {
                // What it did may show anywhere. Where nothing loads anew, it is done all the same.
                let _ = window().location().reload();
            }
            Err(error) => tell(&form, &error.sentence()),
        }
    });
}

// Where to go on: the server names it, or a job that stands somewhere. It names nothing to a form of
// a part that would live, but which still stands as it was drawn.
fn address_in(answer: ServerAnswer) -> Result<Option<String>, ApiError> {
    let job = || api::read::<Job>(answer.clone()).map(|job| job_address(&job));
    match api::read(answer.clone()).or_else(|_| job()) {
        Ok(address) => Ok(Some(address)),
        Err(_) => api::read::<IgnoredAny>(answer).map(|_| None),
    }
}

// Fields that were left empty say nothing, and would only make the address longer.
fn filled(fields: &UrlSearchParams) -> String {
    let text = String::from(fields.to_string());
    let pairs = text.split('&').filter(|pair| !pair.ends_with('='));
    pairs.collect::<Vec<_>>().join("&")
}

fn tell(form: &HtmlFormElement, text: &str) {
    if let Ok(Some(place)) = form.query_selector(".failure") {
        place.set_text_content(Some(text));
    }
}

fn set_busy(pressed: Option<&HtmlElement>, busy: &str) {
    if let Some(button) = pressed {
        // A button that cannot show that it waits still waits.
        let _ = button.set_attribute("aria-busy", busy);
    }
}

/// Puts the text of a pressed `data-copy` button on the clipboard, and says so on the button.
fn copy_to_clipboard(event: &MouseEvent) {
    let pressed = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let button = pressed.and_then(|pressed| pressed.closest("[data-copy]").ok().flatten());
    let Some((button, text)) = button.and_then(|b| b.get_attribute("data-copy").map(|t| (b, t)))
    else {
        return;
    };
    let clipboard = window().navigator().clipboard();
    // Browsers have none where the page does not come by HTTPS.
    let written = (!clipboard.is_undefined()).then(|| clipboard.write_text(&text));
    leptos::task::spawn_local(async move {
        let done = match written {
            Some(written) => web_sys::js_sys::futures::JsFuture::from(written).await.is_ok(),
            None => false,
        };
        button.set_text_content(Some(if done { "Copied" } else { "Copy it by hand" }));
    });
}
