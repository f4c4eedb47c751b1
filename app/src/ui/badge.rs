use leptos::prelude::*;

/// What a badge says beyond its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Just so.
    Plain,
    /// As it should be.
    Good,
    /// Somebody should look.
    Bad,
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Plain => "badge",
            Self::Good => "badge good",
            Self::Bad => "badge bad",
        }
    }
}

/// One word about a state. Colour only repeats what the word says.
#[component]
pub(crate) fn Badge(
    /// The word.
    #[prop(into)]
    text: Signal<String>,
    /// How it stands.
    #[prop(into)]
    tone: Signal<Tone>,
) -> impl IntoView {
    view! { <span class=move || tone.get().class()>{move || text.get()}</span> }
}
