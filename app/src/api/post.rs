use leptos::prelude::window;
use leptos::wasm_bindgen::JsCast;
use serde::de::DeserializeOwned;
use web_sys::js_sys::futures::JsFuture;
use web_sys::{RequestInit, Response, UrlSearchParams};

use super::ApiError;

use crate::addresses::at;

/// What the server said, still as text.
pub(crate) type ServerAnswer = Result<String, ApiError>;

/// Posts fields to the address of a server function, as the browser does with a plain form.
pub(crate) async fn post(address: &str, fields: &UrlSearchParams) -> ServerAnswer {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(fields.as_ref());
    let answer = JsFuture::from(window().fetch_with_str_and_init(address, &init)).await;
    let response: Response = answer.map_err(|_| ApiError::Unreachable)?.unchecked_into();
    let text = JsFuture::from(response.text().map_err(|_| ApiError::Unreachable)?).await;
    let text = text.map_err(|_| ApiError::Unreachable)?.as_string().unwrap_or_default();
    if response.ok() { Ok(text) } else { Err(read(Ok(text)).unwrap_or_else(|error| error)) }
}

/// Posts one number, or nothing.
pub(crate) async fn post_id(path: &str, id: Option<u64>) -> ServerAnswer {
    let fields = id.map_or_else(String::new, |id| format!("id={id}"));
    let fields = UrlSearchParams::new_with_str(&fields).map_err(|_| ApiError::NotUnderstood)?;
    post(&at(path), &fields).await
}

/// Where the server draws pages; its server function is in `server_drawn`.
#[cfg(any(feature = "csr", test))]
pub(crate) const DRAW_PATH: &str = "/api/strata/draw";

/// How much of a page is asked for.
#[cfg(feature = "csr")]
#[derive(Clone, Copy)]
pub(crate) enum PageExtent {
    /// All of it.
    Whole,
    /// What does not live in the browser.
    AroundLiveParts,
}

/// Asks for the HTML of a page that the server draws.
#[cfg(feature = "csr")]
pub(crate) async fn fetch_page(address: &str, extent: PageExtent) -> Result<String, ApiError> {
    let fields = UrlSearchParams::new().map_err(|_| ApiError::NotUnderstood)?;
    fields.append("address", address);
    if matches!(extent, PageExtent::AroundLiveParts) {
        fields.append("live", "true");
    }
    read(post(&at(DRAW_PATH), &fields).await)
}

/// Reads what the server said.
pub(crate) fn read<T: DeserializeOwned>(answer: ServerAnswer) -> Result<T, ApiError> {
    serde_json::from_str(&answer?).map_err(|_| ApiError::NotUnderstood)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_none_of_ours_is_not_understood() {
        assert_eq!(read::<u64>(Ok("<html>".to_owned())), Err(ApiError::NotUnderstood));
        assert_eq!(read::<u64>(Err(ApiError::Unreachable)), Err(ApiError::Unreachable));
        assert_eq!(read::<u64>(Ok("7".to_owned())), Ok(7));
    }
}
