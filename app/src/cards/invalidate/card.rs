use leptos::prelude::*;

use super::key::KeyForm;
use super::pattern::PatternForm;
use crate::live::Live;
use crate::ui::Card;
use crate::visitor::Visitor;

/// Removes a key or a pattern from every level and node, and tells what happened in each.
#[component]
pub(crate) fn Invalidate() -> impl IntoView {
    let refusal = Visitor::of_page().refusal();
    let note = Signal::derive(|| "both levels, every node".to_owned());
    view! {
        <Card name="invalidate" title="Invalidate" note=note>
            <p class="refusal" id="refusal" hidden=move || refusal.with(Option::is_none)>
                {move || refusal.get()}
            </p>
            <KeyForm />
            <PatternForm />
        </Card>
    }
    .into_any()
}

/// The choice of a cache.
#[component]
pub(super) fn CacheField(
    /// The id of the field.
    id: &'static str,
) -> impl IntoView {
    let live = expect_context::<Live>();
    view! {
        <div class="field">
            <label for=id>"Cache"</label>
            <select id=id name="cache">
                <For each=move || live.caches.get() key=String::clone let:name>
                    <option value=name.clone()>{name.clone()}</option>
                </For>
            </select>
        </div>
    }
    .into_any()
}

/// A field for a key or a pattern, in letters that are told apart.
#[component]
pub(super) fn TextField(
    /// The id of the field.
    id: &'static str,
    /// Its label.
    label: &'static str,
    /// Its name in the form.
    name: &'static str,
    /// An example.
    placeholder: &'static str,
) -> impl IntoView {
    view! {
        <div class="field grow">
            <label for=id>{label}</label>
            <input
                id=id
                name=name
                class="mono"
                required=true
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                placeholder=placeholder
            />
        </div>
    }
    .into_any()
}
