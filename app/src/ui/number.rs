use leptos::prelude::*;

use crate::hints::Hint;

/// A number's name, with its sentence.
#[component]
pub(crate) fn Label(
    /// The name and the sentence.
    hint: Hint,
) -> impl IntoView {
    view! { <span class="label" title=hint.text>{hint.name}</span> }
}

/// A number with its name, as a pair in a `<dl>`.
#[component]
pub(crate) fn Number(
    /// The name and the sentence.
    hint: Hint,
    /// The number as text.
    #[prop(into)]
    value: Signal<String>,
) -> impl IntoView {
    view! {
        <div class="number">
            <dt>
                <Label hint=hint />
            </dt>
            <dd>{move || value.get()}</dd>
        </div>
    }
    .into_any()
}
