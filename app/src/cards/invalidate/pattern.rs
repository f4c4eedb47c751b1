use leptos::prelude::*;

use super::card::{CacheField, TextField};
use crate::addresses::at;
use crate::ui::{Button, Weight};

/// Asks for a plan of what a pattern would remove. The plan is a page of its own, where it is
/// confirmed, watched and told.
#[component]
pub(super) fn PatternForm() -> impl IntoView {
    view! {
        <form action=at("/keys") method="get" class="ask" data-testid="invalidate-pattern">
            <CacheField id="pattern-cache" />
            <TextField id="pattern" label="Pattern" name="pattern" placeholder="author:17:*" />
            <input type="hidden" name="plan" value="1" />
            <Button
                text="Plan"
                weight=Weight::Light
                refusal=Signal::stored(None::<String>)
                pending=Signal::stored(false)
            />
        </form>
    }
    .into_any()
}
