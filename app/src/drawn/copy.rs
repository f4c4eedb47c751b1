use leptos::ev::MouseEvent;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::Element;

/// Puts the text of a pressed `data-copy` button on the clipboard, and says so on the button.
pub(super) fn copy(event: &MouseEvent) {
    let pressed = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let button = pressed.and_then(|pressed| pressed.closest("[data-copy]").ok().flatten());
    let Some((button, text)) = button.and_then(|b| b.get_attribute("data-copy").map(|t| (b, t)))
    else {
        return;
    };
    let written = window().navigator().clipboard().write_text(&text);
    leptos::task::spawn_local(async move {
        let done = web_sys::js_sys::futures::JsFuture::from(written).await.is_ok();
        button.set_text_content(Some(if done { "Copied" } else { "Copy it by hand" }));
    });
}
