use leptos::prelude::*;
use strata_report::Cause;

use super::stacked::{StackedCard, StackedCounts};
use crate::charts::Band;
use crate::hints;

/// The bands of removals, in the order of [`Cause::ALL`].
pub(crate) const BANDS: &[Band] = &[
    Band { name: "expired", class: "eviction-expired" },
    Band { name: "invalidated", class: "eviction-explicit" },
    Band { name: "replaced", class: "eviction-replaced" },
    Band { name: "evicted (size)", class: "eviction-size" },
    Band { name: "not admitted", class: "eviction-refused" },
];

const EVICTIONS: StackedCounts = StackedCounts {
    name: "evictions",
    title: "Why entries were removed from L1",
    note: "all nodes; share and rate of the last seconds",
    chart_title: "Entries removed from L1 per second by cause over the last five minutes",
    caption: "Entries removed from L1 by cause",
    hint: hints::EVICTIONS,
    bands: BANDS,
    in_point: |point, i| point.evictions.get(Cause::ALL[i]),
    in_window: |window, i| window.evictions.get(Cause::ALL[i]),
    in_report: |report, i| report.l1.evictions.get(Cause::ALL[i]),
};

/// Why entries were removed from L1: a stacked chart by cause, and the counts.
#[component]
pub(crate) fn Evictions() -> impl IntoView {
    view! { <StackedCard counted=EVICTIONS /> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_its_band() {
        for (i, cause) in Cause::ALL.into_iter().enumerate() {
            assert_eq!(BANDS[i].class, format!("eviction-{}", cause.as_str()));
        }
    }
}
