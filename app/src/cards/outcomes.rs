use leptos::prelude::*;
use strata_report::Outcome;

use super::stacked::{StackedCard, StackedCounts};
use crate::charts::Band;
use crate::hints;

/// The bands of reads, in the order of [`Outcome::ALL`].
pub(crate) const BANDS: &[Band] = &[
    Band { name: "L1 hit", class: "outcome-l1-hit" },
    Band { name: "L2 hit", class: "outcome-l2-hit" },
    Band { name: "loaded", class: "outcome-loaded" },
    Band { name: "coalesced", class: "outcome-coalesced" },
    Band { name: "stale", class: "outcome-stale" },
    Band { name: "bypassed", class: "outcome-bypassed" },
    Band { name: "missed", class: "outcome-missed" },
    Band { name: "failed", class: "outcome-failed" },
];

const OUTCOMES: StackedCounts = StackedCounts {
    name: "outcomes",
    title: "How reads end",
    note: "share and rate of the last seconds",
    chart_title: "Reads per second by outcome over the last five minutes",
    caption: "Reads by outcome",
    hint: hints::OUTCOMES,
    bands: BANDS,
    in_point: |point, i| point.outcomes.get(Outcome::ALL[i]),
    in_window: |window, i| window.outcomes.get(Outcome::ALL[i]),
    in_report: |report, i| report.outcomes.get(Outcome::ALL[i]),
};

/// How reads end: one stacked chart whose bands add up to all reads, and the counts.
#[component]
pub(crate) fn Outcomes() -> impl IntoView {
    view! { <StackedCard counted=OUTCOMES /> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_band() {
        for (i, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, i);
            assert_eq!(BANDS[i].class, format!("outcome-{}", outcome.as_str().replace('_', "-")));
        }
    }
}
