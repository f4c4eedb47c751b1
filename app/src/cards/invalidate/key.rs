use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use super::card::{CacheField, FirstJob, TextField};
use super::result::JobResult;
use crate::api::InvalidateKey;
use crate::session::Visitor;
use crate::ui::{Asked, Button, Form, Weight};

/// Invalidates one key; works as a plain form too.
#[component]
pub(super) fn KeyForm() -> impl IntoView {
    let FirstJob(first) = expect_context();
    let asked = Asked::at(InvalidateKey::PATH);
    let job = Signal::derive(move || match asked.answer() {
        Some(answer) => answer.ok(),
        None => first.clone(),
    });
    view! {
        <Form asked=asked testid="invalidate-key" class="ask">
            <CacheField id="key-cache" />
            <TextField id="key" label="Key" name="key" placeholder="4711" />
            <Button
                text="Invalidate"
                weight=Weight::Heavy
                refusal=Visitor::of_page().refusal()
                pending=asked.pending
            />
        </Form>
        <p class="failure" role="alert">{move || asked.failure()}</p>
        <JobResult job=job testid="key-result" />
    }
    .into_any()
}
