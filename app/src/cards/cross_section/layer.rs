use leptos::prelude::*;

use crate::charts::Spark;
use crate::hints::Hint;
use crate::ui::{Bar, Number, Segment};

/// Why a layer takes no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// There is none.
    Off,
    /// It does not answer.
    Away,
}

impl Absence {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "Off",
            Self::Away => "Away",
        }
    }
}

/// What a layer says about itself.
pub(super) struct LayerText {
    /// Its class and colour.
    pub(super) class: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// What it is made of.
    pub(super) made_of: &'static str,
    /// The number in its bar.
    pub(super) answered: Signal<String>,
    /// What the number counts.
    pub(super) detail: Signal<String>,
}

/// One layer: its name, how much of what reached it ended in it, its last minutes, its numbers.
#[component]
pub(super) fn Layer(
    /// Its words.
    text: LayerText,
    /// The parts of what reached it that ended here.
    parts: Signal<Vec<Segment>>,
    /// Its last minutes.
    spark: Signal<String>,
    /// Its numbers.
    numbers: Vec<(Hint, Signal<String>)>,
    /// Why it takes no part, where it does not.
    #[prop(into)]
    absence: Signal<Option<Absence>>,
) -> impl IntoView {
    let LayerText { class, name, made_of, answered, detail } = text;
    let big = move || match absence.get() {
        Some(absence) => absence.as_str().to_owned(),
        None => answered.get(),
    };
    let numbers = numbers
        .into_iter()
        .map(|(hint, value)| view! { <Number hint=hint value=value /> })
        .collect_view();
    view! {
        <div class=format!("layer {class}") data-absence=move || absence.get().map(Absence::as_str)>
            <div class="layer-name">
                <h3>{name}</h3>
                <p>{made_of}</p>
            </div>
            <div class="layer-bar">
                <Bar segments=parts />
                <p>
                    <b>{big}</b>
                    <span>{move || detail.get()}</span>
                </p>
            </div>
            <Spark class=class path=spark />
            <dl class="layer-numbers">{numbers}</dl>
        </div>
    }
    .into_any()
}
