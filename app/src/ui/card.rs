use leptos::prelude::*;

/// A titled part of a page.
#[component]
pub(crate) fn Card(
    /// Its class, and with `-title` the id of its heading.
    name: &'static str,
    /// Its heading.
    title: &'static str,
    /// What holds for all its numbers: unit, window, whose they are.
    #[prop(into)]
    note: Signal<String>,
    /// What it shows.
    children: Children,
) -> impl IntoView {
    let heading = || format!("{name}-title");
    view! {
        <section class=format!("card {name}") id=name aria-labelledby=heading()>
            <header>
                <h2 id=heading()>{title}</h2>
                <p>{move || note.get()}</p>
            </header>
            {children()}
        </section>
    }
    .into_any()
}
