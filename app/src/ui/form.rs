use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use web_sys::{FormData, HtmlFormElement, UrlSearchParams};

use crate::addresses::at;
use crate::api::{self, ApiError, ServerAnswer};

/// A form without JavaScript that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FormFailure {
    /// Where it was sent to.
    pub(crate) path: String,
    /// Why it did nothing.
    pub(crate) error: ApiError,
}

/// The refusal that led to this page, when a form without JavaScript met it.
#[derive(Clone)]
pub(crate) struct FirstFailure(pub(crate) Option<FormFailure>);

/// A call of the server that a form makes, and the last answer.
#[derive(Clone, Copy)]
pub(crate) struct ServerCall {
    path: &'static str,
    answer: RwSignal<Option<ServerAnswer>>,
    /// Whether an answer is awaited.
    pub(crate) pending: RwSignal<bool>,
}

impl ServerCall {
    /// A call of the server function at `path`.
    pub(crate) fn to(path: &'static str) -> Self {
        let failure = use_context::<FirstFailure>().and_then(|FirstFailure(failure)| failure);
        let answer = failure.filter(|failure| failure.path == path).map(|f| Err(f.error));
        Self { path, answer: RwSignal::new(answer), pending: RwSignal::new(false) }
    }

    /// What was answered; `None` before it was sent.
    pub(crate) fn answer<T: DeserializeOwned>(&self) -> Option<Result<T, ApiError>> {
        self.answer.get().map(api::read)
    }

    /// Why nothing was done, as a sentence.
    pub(crate) fn failure(&self) -> Option<String> {
        self.answer.get().and_then(Result::err).map(|error| error.sentence())
    }

    fn send(self, event: &SubmitEvent) {
        event.prevent_default();
        let Some(fields) = form_fields(event) else { return };
        self.pending.set(true);
        leptos::task::spawn_local(async move {
            let answer = api::post(&at(self.path), &fields).await;
            // Disposed signals mean that the page is gone.
            self.pending.try_set(false);
            self.answer.try_set(Some(answer));
        });
    }
}

/// A form that asks the server. Without JavaScript the browser posts it by itself.
#[component]
pub(crate) fn Form(
    /// What it calls.
    call: ServerCall,
    /// Its class.
    #[prop(optional)]
    class: &'static str,
    /// The handle for tests.
    #[prop(optional)]
    testid: &'static str,
    /// Its fields and buttons.
    children: Children,
) -> impl IntoView {
    view! {
        <form
            action=at(call.path)
            method="post"
            class=class
            data-testid=testid
            on:submit=move |event| call.send(&event)
        >
            {children()}
        </form>
    }
    .into_any()
}

/// What a form sends, the button that was pressed included.
pub(crate) fn form_fields(event: &SubmitEvent) -> Option<UrlSearchParams> {
    let form = event.target()?.dyn_into::<HtmlFormElement>().ok()?;
    let entries = FormData::new_with_form(&form).ok()?;
    // The button that was pressed is a field too, as in a plain form.
    let pressed = event.submitter();
    if let Some((name, value)) =
        pressed.and_then(|button| button.get_attribute("name").zip(button.get_attribute("value")))
    {
        entries.append_with_str(&name, &value).ok()?;
    }
    UrlSearchParams::new_with_str_sequence_sequence(entries.as_ref()).ok()
}
