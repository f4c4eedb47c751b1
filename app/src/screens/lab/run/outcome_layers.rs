use leptos::prelude::*;
use strata_report::Outcomes;

use crate::format;
use crate::screens::words;

// Where reads ended: the class of its colour, its name, how many.
type OutcomeLayer = (&'static str, &'static str, u64);

/// Where a contender's reads were answered, layer by layer.
pub(in crate::screens::lab) fn layers(outcomes: &Outcomes) -> impl IntoView + use<> {
    let reads = outcomes.reads();
    let line = |(class, name, n): OutcomeLayer| {
        let width = words::share(n, reads).map_or(0.0, |share| (share * 1_000.0).round());
        view! {
            <div class=format!("answered-by {class}")>
                <dt>{name}</dt>
                <dd>
                    <svg class="bar" aria-hidden="true" viewBox="0 0 1000 10" preserveAspectRatio="none">
                        <rect width=width.to_string() height="10" />
                    </svg>
                    <span>{format::count(n)}</span>
                </dd>
            </div>
        }
    };
    let lines = places(outcomes).into_iter().map(line).collect_view();
    view! { <dl class="answered" aria-label="Reads, by where they were answered">{lines}</dl> }
}

// The three layers always; anything else where there was any.
fn places(outcomes: &Outcomes) -> Vec<OutcomeLayer> {
    let layers = [
        ("l1", "L1", outcomes.l1_hit),
        ("l2", "L2", outcomes.l2_hit),
        ("source", "Database", outcomes.loaded + outcomes.bypassed),
    ];
    let others = [
        ("outcome-coalesced", "Waited for a running load", outcomes.coalesced),
        ("outcome-stale", "Older value, on purpose", outcomes.stale),
        ("outcome-missed", "Found nothing", outcomes.missed),
        ("outcome-failed", "Failed", outcomes.failed),
    ];
    layers.into_iter().chain(others.into_iter().filter(|(_, _, n)| *n > 0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_reads_are_somewhere() {
        let outcomes = Outcomes::from_counts([1, 2, 3, 4, 5, 6, 7, 8]);
        let all: u64 = places(&outcomes).iter().map(|(_, _, n)| n).sum();
        assert_eq!(all, outcomes.reads());
    }
}
