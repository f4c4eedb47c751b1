use leptos::prelude::*;
use strata_report::Outcome;

use super::page::Seen;
use crate::screens::chart::{Stack, columns, stacked};
use crate::screens::sheet::in_words;
use crate::screens::sheet::titled;
use crate::screens::words;

const OUTCOMES: Stack = Stack {
    title: "Reads per second by outcome",
    whole: "reads",
    bands: words::OUTCOMES,
    meanings: |i| words::outcome_meaning(Outcome::ALL[i]),
};

/// How every read ended: bands that add up to all reads.
pub(super) fn card(seen: &Seen<'_>) -> AnyView {
    let (past, n) = (seen.past, words::OUTCOMES.len());
    let columns =
        columns(&past.steps, past.range, n, |step, i| step.outcomes().get(Outcome::ALL[i]));
    let note = format!("per second, the last {}; every read is in one band", in_words(past.range));
    titled(
        "outcomes",
        "How reads ended",
        note,
        view! {
            {stacked(OUTCOMES, seen.time, &columns)}
        },
    )
}
