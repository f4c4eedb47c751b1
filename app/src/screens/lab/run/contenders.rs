use leptos::prelude::*;

/// What one contender did.
pub(crate) struct ContenderCard {
    /// Its title.
    pub(crate) title: String,
    /// How much it did, in few words.
    pub(crate) note: String,
    /// Its numbers.
    pub(crate) body: AnyView,
}

impl ContenderCard {
    /// Of one that has not begun.
    pub(crate) fn awaited(title: String) -> Self {
        let body = view! { <p class="empty">"Waiting for its turn."</p> }.into_any();
        Self { title, note: String::new(), body }
    }

    fn draw(self, i: usize) -> AnyView {
        let Self { title, note, body } = self;
        let (id, heading) = (format!("contender-{}", i + 1), format!("contender-{}-title", i + 1));
        view! {
            <section class="card contender" id=id aria-labelledby=heading>
                <header>
                    <h2 id=heading.clone()>{title}</h2>
                    <p>{note}</p>
                </header>
                {body}
            </section>
        }
        .into_any()
    }
}

/// The contenders side by side, on a grid with room for `n`.
pub(crate) fn contenders(cards: Vec<ContenderCard>, n: usize) -> AnyView {
    let cards = cards.into_iter().enumerate().map(|(i, card)| card.draw(i));
    view! { <div class=format!("contenders of-{n}")>{cards.collect_view()}</div> }.into_any()
}
