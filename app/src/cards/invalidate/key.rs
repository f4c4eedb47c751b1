use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use super::card::{CacheField, TextField};
use crate::addresses::at;
use crate::api::InvalidateKey;
use crate::ui::{Button, FirstFailure, Weight};
use crate::visitor::Visitor;

/// Invalidates one key; the key's own page then tells what happened to it.
#[component]
pub(super) fn KeyForm() -> impl IntoView {
    let failure = use_context::<FirstFailure>().and_then(|FirstFailure(failure)| failure);
    let failure = failure.filter(|failure| failure.path == InvalidateKey::PATH);
    view! {
        <form action=at(InvalidateKey::PATH) method="post" class="ask" data-testid="invalidate-key">
            <CacheField id="key-cache" />
            <TextField id="key" label="Key" name="key" placeholder="4711" />
            <Button
                text="Invalidate"
                weight=Weight::Heavy
                refusal=Visitor::of_page().refusal()
                pending=Signal::stored(false)
            />
            <p class="failure" role="alert">{failure.map(|failure| failure.error.sentence())}</p>
        </form>
    }
    .into_any()
}
