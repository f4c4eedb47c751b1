use leptos::prelude::*;
use strata_report::Outcome;

use super::view::CacheView;
use crate::screens::chart::{Stack, columns, stacked};
use crate::screens::page_frame::{in_words, titled_card};
use crate::screens::words;

const OUTCOMES: Stack = Stack {
    title: "Reads per second by outcome",
    whole: "reads",
    bands: words::OUTCOMES,
    meanings: |i| words::outcome_meaning(Outcome::ALL[i]),
};

/// How every read ended: bands that add up to all reads.
pub(super) fn card(view: &CacheView<'_>) -> AnyView {
    let (past, n) = (view.past, words::OUTCOMES.len());
    let columns =
        columns(&past.steps, past.range, n, |step, i| step.outcomes().get(Outcome::ALL[i]));
    let note = format!("per second, the last {}; every read is in one band", in_words(past.range));
    titled_card(
        "outcomes",
        "How reads ended",
        note,
        view! {
            {stacked(OUTCOMES, view.time, &columns)}
        },
    )
}
