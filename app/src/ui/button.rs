use leptos::prelude::*;

/// How much a button changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Nothing that cannot be taken back.
    Light,
    /// Something is removed.
    Heavy,
}

/// The button that sends a form. Where it may not be pressed, `refusal` says why.
#[component]
pub(crate) fn Button(
    /// Its words.
    #[prop(into)]
    text: Signal<String>,
    /// How much it changes.
    weight: Weight,
    /// Why it may not be pressed.
    #[prop(into)]
    refusal: Signal<Option<String>>,
    /// Whether an earlier press is still under way.
    #[prop(into)]
    pending: Signal<bool>,
) -> impl IntoView {
    let class = match weight {
        Weight::Light => "button",
        Weight::Heavy => "button heavy",
    };
    view! {
        <button
            type="submit"
            class=class
            disabled=move || refusal.with(Option::is_some)
            aria-busy=move || pending.get().then_some("true")
            title=move || refusal.get()
        >
            {move || text.get()}
        </button>
    }
}
