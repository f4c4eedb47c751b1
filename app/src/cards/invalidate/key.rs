use leptos::prelude::*;

use super::card::{CacheField, FirstJob, TextField};
use super::result::JobResult;
use crate::api::InvalidateKey;
use crate::session::Visitor;
use crate::ui::{Button, Weight};

/// Invalidates one key; works as a plain form too.
#[component]
pub(super) fn KeyForm() -> impl IntoView {
    let FirstJob(first) = expect_context();
    let invalidate = ServerAction::<InvalidateKey>::new();
    let value = invalidate.value();
    let job = Signal::derive(move || match value.get() {
        Some(answer) => answer.ok(),
        None => first.clone(),
    });
    let failure = move || value.get().and_then(Result::err).map(|error| error.sentence());
    view! {
        <ActionForm action=invalidate attr:data-testid="invalidate-key" attr:class="ask">
            <CacheField id="key-cache" />
            <TextField id="key" label="Key" name="key" placeholder="4711" />
            <Button
                text="Invalidate"
                weight=Weight::Heavy
                refusal=Visitor::of_page().refusal()
                pending=invalidate.pending()
            />
        </ActionForm>
        <p class="failure" role="alert">{failure}</p>
        <JobResult job=job testid="key-result" />
    }
    .into_any()
}
